"""What a LoRA has taught: how near its pictures are to the set that it was shown, and what it left as it was.

Looks are compared as distributions over pictures: hues, greys and edge strengths, L1 between means (0 is equal, 4 is
nothing in common). A floor is what fresh pictures of the same kind have. Knows pictures, no model and no training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.plan import Plan
from triptych.evals.reading import Reading

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

HUES, GREYS = 12, 4
NEUTRAL = 40
"""A pixel whose channels differ by less counts as grey, by its lightness; any other by its hue."""
EDGES = 12
STRONGEST = 80.0
"""Grey levels a pixel at which an edge counts as of the strongest kind."""
RESAMPLES = 500
PRESENT = 0.3
"""From this score on a reader's thing counts as there (`evals.readers.decode`)."""
SIDE = 32
"""Pictures are averaged down to so many pixels a side where they are compared one with another."""


@dataclass(frozen=True)
class Distance:
    """A distance of looks with the 95 % interval of a bootstrap over the pictures on the painted side."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Lesson:
    """before, after, floor: distance of looks to the set, of the bare model, with the LoRA, and of fresh true pictures.

    likeness_*: mean cosine to the set's mean in the space of the image tower, where there is one. kept: correlation of
    the edges with those of the bare model's picture of the same prompt, plan and seed, and `kept_of_others` the same
    with another picture's. nearest, nearest_fresh: median distance to the nearest picture that was learned from, of
    the painted and of fresh true pictures; copies would be much nearer. others_*: share of prompts without the trigger
    whose thing the readers find, of the bare model and with the LoRA attached.
    """

    before: Distance
    after: Distance
    floor: float
    likeness_before: float
    likeness_after: float
    likeness_floor: float
    kept: float
    kept_of_others: float
    nearest: float
    nearest_fresh: float
    others_before: float
    others_after: float

    @property
    def way_of_looks(self) -> float:
        """The share of the way from the bare model to the floor that was gone."""
        return (self.before.value - self.after.value) / max(self.before.value - self.floor, 1e-9)

    @property
    def way_of_likeness(self) -> float:
        """The same in the space of the image tower."""
        return (self.likeness_after - self.likeness_before) / max(self.likeness_floor - self.likeness_before, 1e-9)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "way_of_looks": self.way_of_looks, "way_of_likeness": self.way_of_likeness}


def looks(pictures: Sequence[Pixels]) -> Floats:
    """(n, HUES + GREYS + EDGES): of each picture the shares of its hues and greys, and of its edge strengths."""
    return np.stack([_look(picture) for picture in pictures])


def _look(picture: Pixels) -> Floats:
    pixels = picture.reshape(-1, 3).astype(np.int64)
    hue = np.asarray(Image.fromarray(picture).convert("HSV"), dtype=np.int64)[..., 0].ravel() * HUES // 256
    grey = pixels.sum(axis=1) * GREYS // (3 * 256)
    neutral = pixels.max(axis=1) - pixels.min(axis=1) < NEUTRAL
    colours = np.bincount(np.where(neutral, HUES + grey, hue), minlength=HUES + GREYS) / len(pixels)
    edge = np.minimum(edges(picture), STRONGEST)
    strengths = np.histogram(edge, bins=EDGES, range=(0, STRONGEST))[0] / edge.size
    return np.concatenate([colours, strengths])


def edges(picture: Pixels) -> Floats:
    """(H, W): length of the gradient of the mean of the channels, in grey levels a pixel."""
    grey = picture.astype(np.float64).mean(axis=-1)
    across, down = np.gradient(grey, axis=1), np.gradient(grey, axis=0)
    return np.hypot(across, down)


def distance(painted: Sequence[Pixels], shown: Sequence[Pixels]) -> Distance:
    """How far the mean look of `painted` is from that of `shown`."""
    own, target = looks(painted), looks(shown).mean(axis=0)
    draws = np.random.Generator(np.random.Philox(7)).integers(len(own), size=(RESAMPLES, len(own)))
    replicates = np.abs(own[draws].mean(axis=1) - target).sum(axis=1)
    low, high = np.quantile(replicates, [0.025, 0.975])
    return Distance(float(np.abs(own.mean(axis=0) - target).sum()), float(low), float(high))


def cut_out(picture: Pixels, plan: Plan | None) -> Pixels:
    """What of the picture lies in the plan's first box, as a picture of its own; the whole where there is none."""
    if plan is None or not plan.objects:
        return picture
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = plan.objects[0].box
    left, right = (min(max(round(side * width), 0), width) for side in (x0, x1))
    top, bottom = (min(max(round(side * height), 0), height) for side in (y0, y1))
    part = picture[top:bottom, left:right]
    return part if min(part.shape[:2]) >= 8 else picture


def kept(painted: Sequence[Pixels], bare: Sequence[Pixels]) -> tuple[float, float]:
    """Mean correlation of small edge maps, picture by picture with the same prompt's, and with the next one's."""
    own, other = (np.stack([_small_edges(picture) for picture in pictures]) for pictures in (painted, bare))
    same = [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(own, other, strict=True)]
    shifted = [float(np.corrcoef(a, b)[0, 1]) for a, b in zip(own, np.roll(other, 1, axis=0), strict=True)]
    return float(np.mean(same)), float(np.mean(shifted))


def _small_edges(picture: Pixels) -> Floats:
    strong = Image.fromarray(np.minimum(edges(picture), 255).astype(np.float32))
    return np.asarray(strong.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64).ravel()


def nearest(pictures: Sequence[Pixels], shown: Sequence[Pixels]) -> float:
    """Median, over the pictures, of the root mean square distance to the nearest shown one, in grey levels."""
    own, others = (_small(each) for each in (pictures, shown))
    apart = np.sqrt(((own[:, None] - others[None]) ** 2).mean(axis=-1))
    return float(np.median(apart.min(axis=1)))


def _small(pictures: Sequence[Pixels]) -> Floats:
    small = [Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX) for picture in pictures]
    return np.stack([np.asarray(picture, dtype=np.float64).ravel() for picture in small])


def found(readings: Sequence[Reading], nouns: Sequence[str]) -> float:
    """Share of pictures in which the reader finds the thing that was asked for."""
    hits = [
        any(thing.noun == noun and thing.score >= PRESENT for thing in reading.things)
        for reading, noun in zip(readings, nouns, strict=True)
    ]
    return float(np.mean(hits))


def likeness(vectors: Floats, shown: Floats) -> float:
    """Mean cosine of unit vectors (n, C) to the direction of the mean of `shown` (m, C)."""
    mean = shown.mean(axis=0)
    return float((vectors @ (mean / np.linalg.norm(mean))).mean())
