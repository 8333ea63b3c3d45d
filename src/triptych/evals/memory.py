"""Memory: does a model paint pictures of its training set, or pictures like those of its training set?

Each fresh scene, whose picture no model has seen, is painted from its caption. If a model copied, its picture would be
nearer to some training picture than the scene's own render is: "copied" is a distance that only 1 % of the renders are
below. The single drawings of the world are meant to be learned by heart; what must not be copied is a picture as a
whole, so pictures are compared whole, as small thumbnails.

Distances are root mean squares over the thumbnail's values in 0..1. Knows no model: it is handed pictures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.events import Pixels
from triptych.scenes import Scene, Sprites, render, sample_scene

Thumbnails = npt.NDArray[np.float32]
"""(pictures, values), values in 0..1."""

SIDE = 24
"""Pixels on a thumbnail's side: enough for what stands where in which colour, too few for an autoencoder's grain."""
COPIED = 0.01
BLOCK = 256


@dataclass(frozen=True)
class Memory:
    """What the comparison found. painted, fresh: distance of each to its nearest training picture, in the same order.

    nearest: index of the training scene nearest to each painted picture.
    """

    painted: npt.NDArray[np.float32]
    fresh: npt.NDArray[np.float32]
    nearest: npt.NDArray[np.int64]

    @property
    def threshold(self) -> float:
        """The fresh renders' quantile `COPIED`."""
        return float(np.quantile(self.fresh, COPIED))

    @property
    def copied(self) -> float:
        """Share of painted pictures below the threshold; a model without memory reaches about `COPIED`."""
        return float((self.painted < self.threshold).mean())

    @property
    def ratio(self) -> float:
        """Median over scenes of painted distance over that of the scene's own render: 1 is no memory, 0 is a copy."""
        return float(np.median(self.painted / np.maximum(self.fresh, 1e-6)))

    def closest(self, count: int) -> list[tuple[int, int]]:
        """(picture, training scene) of the painted pictures that are nearest to training, for a person to look at."""
        return [(int(i), int(self.nearest[i])) for i in np.argsort(self.painted)[:count]]

    def as_json(self) -> dict[str, float | int]:
        return {
            "pictures": len(self.painted),
            "copied": self.copied,
            "copied_by_chance": COPIED,
            "ratio_to_fresh": self.ratio,
            "distance_median": float(np.median(self.painted)),
            "fresh_distance_median": float(np.median(self.fresh)),
        }


def compare(painted: Sequence[Pixels], renders: Sequence[Pixels], book: Iterable[Thumbnails]) -> Memory:
    """Hold pictures and the renders of the same scenes against the training book, which comes in blocks."""
    queries = np.concatenate([thumbnails(painted), thumbnails(renders)])
    distance, index = nearest(queries, book)
    n = len(painted)
    return Memory(distance[:n], distance[n:], index[:n])


def thumbnails(pictures: Sequence[Pixels], side: int = SIDE) -> Thumbnails:
    """Each picture averaged down to side x side pixels, as one row."""
    small = [Image.fromarray(picture).resize((side, side), Image.Resampling.BOX) for picture in pictures]
    return np.stack([np.asarray(picture).ravel() for picture in small]).astype(np.float32) / np.float32(255)


def nearest(queries: Thumbnails, book: Iterable[Thumbnails]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Distance and index of the book's nearest row for each query, over all blocks in order."""
    best = np.full(len(queries), np.inf, dtype=np.float32)
    where = np.zeros(len(queries), dtype=np.int64)
    own, start = (queries**2).sum(axis=1), 0
    for block in book:
        squared = own[:, None] + (block**2).sum(axis=1)[None] - 2 * queries @ block.T
        place = squared.argmin(axis=1)
        found = squared[np.arange(len(queries)), place]
        closer = found < best
        best[closer], where[closer] = found[closer], start + place[closer]
        start += len(block)
    return np.sqrt(np.maximum(best, 0) / queries.shape[1]).astype(np.float32), where


def training_book(level: str, size: int, seed: int, count: int, sprites: Sprites) -> Iterator[Thumbnails]:
    """Thumbnails of the training scenes 0 ... count - 1, drawn again: a scene follows from its number."""
    for start in range(0, count, BLOCK):
        scenes = [sample_scene(level, seed, index) for index in range(start, min(start + BLOCK, count))]
        yield thumbnails([render(scene, size, sprites) for scene in scenes])


def fresh_scenes(level: str, seed: int, count: int) -> list[Scene]:
    """Scenes that a painter is asked for; the seed has to be none that was trained on."""
    return [sample_scene(level, seed, index) for index in range(count)]
