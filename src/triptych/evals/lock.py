"""Does the pixel lock hold? Random masks on random pictures of random sizes, edited and written, and counted anew.

Cases follow from (seed, number) alone. The file of each edit is opened again and held against the picture that went in,
by means of its own: nothing here trusts the report of the edit. Whoever edits is handed in; this file knows no model.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.errors import TriptychError
from triptych.core.events import Pixels

MASKS = ("box", "ellipse", "blob", "strokes", "pixel", "border", "disconnected", "holes")
LARGEST = (4000, 3000)
LARGE_EVERY = 25
"""Every so many cases one is of the largest size, or somewhat below it."""
_LOG_SIDES, _TINY_LOG_SIDES, TINY_EVERY = (3.0, 6.8), (0.0, 3.0), 9
"""Sides of the others: 20 to 900 pixels, evenly in their logarithm; every ninth picture has 1 to 20."""
NOUNS = ("fox", "car", "apple", "star", "owl", "house")
COLOURS = ("red", "blue", "green", "yellow")

Bits = npt.NDArray[np.bool_]
Edit = Callable[["Case"], tuple[bytes, float]]
"""Edits a case: the bytes of the written file, and the seam error that was reported. Raises what goes wrong."""


@dataclass(frozen=True)
class Case:
    """One picture and its mask. pixels: uint8 (H, W, 3 or 4); mask: (H, W), True where it may change."""

    number: int
    kind: str
    pixels: Pixels
    mask: Bits
    instruction: str
    format: str

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True)
class Outcome:
    """changed, outside: pixels outside of the mask, counted from the file. inside: changed ones inside it.

    failure: the sentence of an edit that did not come. memory: by how many MiB the process had outgrown, by then, what
    it took with its model loaded.
    """

    number: int
    kind: str
    size: tuple[int, int]
    changed: int
    outside: int
    inside: int
    seam_error: float
    seconds: float
    failure: str = ""
    memory: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "size": list(self.size), "seconds": round(self.seconds, 3), "memory": round(self.memory)}

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Outcome:
        """From a line that `as_json` wrote. Raises ValueError, KeyError or TypeError for another."""
        width, height = data["size"]
        return cls(**{**data, "size": (width, height)})


def case(seed: int, number: int) -> Case:
    """Case `number` of the series `seed`."""
    draw = np.random.default_rng((seed, number))
    size = _size(draw, number)
    kind = MASKS[number % len(MASKS)]
    return Case(
        number=number,
        kind=kind,
        pixels=_picture(draw, size, 4 if number % 5 == 4 else 3),
        mask=_mask(draw, size, kind),
        instruction=f"a {draw.choice(COLOURS)} {draw.choice(NOUNS)}",
        format="WEBP" if number % 10 == 3 and size[0] * size[1] < 10**6 else "PNG",
    )


def outcome(one: Case, edit: Edit) -> Outcome:
    """Edit a case and count."""
    started = time.perf_counter()
    try:
        data, seam_error = edit(one)
    except TriptychError as error:
        spent = time.perf_counter() - started
        return Outcome(one.number, one.kind, one.size, 0, int((~one.mask).sum()), 0, 0.0, spent, str(error))
    spent = time.perf_counter() - started
    with Image.open(io.BytesIO(data)) as picture:
        after = np.asarray(picture.convert("RGBA" if one.pixels.shape[2] == 4 else "RGB"))
    if after.shape != one.pixels.shape:
        failure = f"the file is {after.shape}, the picture {one.pixels.shape}"
        return Outcome(one.number, one.kind, one.size, 0, int((~one.mask).sum()), 0, seam_error, spent, failure)
    differs = (after != one.pixels).any(axis=2)
    return Outcome(
        number=one.number,
        kind=one.kind,
        size=one.size,
        changed=int(np.count_nonzero(differs & ~one.mask)),
        outside=int(np.count_nonzero(~one.mask)),
        inside=int(np.count_nonzero(differs & one.mask)),
        seam_error=seam_error,
        seconds=spent,
    )


def summary(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What to print of a model: counts, and how rough the borders are."""
    seams = np.array([one.seam_error for one in outcomes if not one.failure and one.seam_error > 0])
    largest = max(outcomes, key=lambda one: one.size[0] * one.size[1])
    return {
        "edits": len(outcomes),
        "failures": [f"case {one.number}: {one.failure}" for one in outcomes if one.failure],
        "outside_changed_pixels": sum(one.changed for one in outcomes),
        "outside_total_pixels": sum(one.outside for one in outcomes),
        "inside_changed_pixels": sum(one.inside for one in outcomes),
        "untouched_inside": sum(one.inside == 0 for one in outcomes if not one.failure),
        "largest": list(largest.size),
        "seam_error_median": float(np.median(seams)) if len(seams) else 0.0,
        "seam_error_95": float(np.quantile(seams, 0.95)) if len(seams) else 0.0,
        "memory_beyond_model_mib": round(max(one.memory for one in outcomes)),
        "seconds": round(sum(one.seconds for one in outcomes), 1),
    }


def _size(draw: np.random.Generator, number: int) -> tuple[int, int]:
    if number % LARGE_EVERY == 0:
        shrink = 1.0 if number == 0 else float(draw.uniform(0.5, 1))
        width, height = (round(side * shrink) for side in LARGEST)
        return (width, height) if number % (2 * LARGE_EVERY) == 0 else (height, width)
    sides = _TINY_LOG_SIDES if number % TINY_EVERY == 5 else _LOG_SIDES
    width, height = (int(np.exp(draw.uniform(*sides))) for _ in range(2))
    return width, height


def _picture(draw: np.random.Generator, size: tuple[int, int], channels: int) -> Pixels:
    """Soft colours, some flat shapes with hard edges, and grain: what photographs and drawings are made of."""
    width, height = size
    coarse = draw.integers(0, 256, (max(height // 97, 2), max(width // 97, 2), 3), dtype=np.uint8)
    pixels = np.array(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC))
    for _ in range(int(draw.integers(0, 6))):
        x0, y0 = int(draw.integers(0, width)), int(draw.integers(0, height))
        x1, y1 = x0 + int(draw.integers(1, width + 1)) // 3 + 1, y0 + int(draw.integers(1, height + 1)) // 3 + 1
        pixels[y0:y1, x0:x1] = draw.integers(0, 256, 3, dtype=np.uint8)
    grain = int(draw.integers(1, 24))
    for top in range(0, height, 256):  # in bands, so that a large picture is not drawn in 64-bit numbers
        band = pixels[top : top + 256]
        noise = draw.integers(-grain, grain + 1, band.shape, dtype=np.int16)
        band[...] = np.clip(band.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    if channels == 3:
        return pixels
    alpha = draw.integers(0, 256, (max(height // 61, 2), max(width // 61, 2)), dtype=np.uint8)
    plane = np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BILINEAR))
    return np.dstack([pixels, plane])


def _mask(draw: np.random.Generator, size: tuple[int, int], kind: str) -> Bits:
    """A mask of the kind, with at least one pixel."""
    width, height = size
    mask = np.zeros((height, width), np.bool_)
    if kind == "box":
        _box(mask, draw, 0.6)
    elif kind == "ellipse":
        _ellipse(mask, draw, 0.5)
    elif kind == "blob":
        _blob(mask, draw)
    elif kind == "strokes":
        for _ in range(int(draw.integers(1, 6))):
            _stroke(mask, draw)
    elif kind == "border":
        depth = (max(int(draw.uniform(0.02, 0.5) * width), 1), max(int(draw.uniform(0.02, 0.5) * height), 1))
        side = (np.s_[:, : depth[0]], np.s_[:, -depth[0] :], np.s_[: depth[1]], np.s_[-depth[1] :])
        for chosen in draw.choice(4, int(draw.integers(1, 4)), replace=False):
            mask[side[chosen]] = True
    elif kind == "disconnected":
        for _ in range(int(draw.integers(2, 7))):
            _ellipse(mask, draw, 0.08)
    elif kind == "holes":
        _box(mask, draw, 0.7)
        inner = np.zeros_like(mask)
        for _ in range(3):
            _ellipse(inner, draw, 0.15)
        mask &= ~inner
    if not mask.any() or kind == "pixel":
        mask[int(draw.integers(0, height)), int(draw.integers(0, width))] = True
    return mask


def _box(mask: Bits, draw: np.random.Generator, most: float) -> None:
    height, width = mask.shape
    w, h = max(int(draw.uniform(0, most) * width), 1), max(int(draw.uniform(0, most) * height), 1)
    x, y = int(draw.integers(0, width - w + 1)), int(draw.integers(0, height - h + 1))
    mask[y : y + h, x : x + w] = True


def _ellipse(mask: Bits, draw: np.random.Generator, most: float) -> None:
    height, width = mask.shape
    rx, ry = (max(draw.uniform(0.05, 1) * most * side / 2, 0.6) for side in (width, height))
    cx, cy = draw.uniform(0, width), draw.uniform(0, height)
    y, x = np.ogrid[:height, :width]
    mask |= ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1


def _blob(mask: Bits, draw: np.random.Generator) -> None:
    """Where a smooth random field is high."""
    height, width = mask.shape
    field = draw.integers(0, 256, (int(draw.integers(3, 9)), int(draw.integers(3, 9))), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(field).resize((width, height), Image.Resampling.BICUBIC))
    mask |= smooth > np.quantile(smooth, draw.uniform(0.6, 0.97))


def _stroke(mask: Bits, draw: np.random.Generator) -> None:
    """A straight brush stroke."""
    height, width = mask.shape
    ends = draw.uniform(0, 1, (2, 2)) * (width, height)
    radius = max(draw.uniform(0.005, 0.05) * min(width, height), 0.7)
    steps = max(int(np.hypot(*(ends[1] - ends[0])) / max(radius / 2, 0.5)), 1)
    for t in np.linspace(0, 1, min(steps, 4000)):
        cx, cy = ends[0] + t * (ends[1] - ends[0])
        x0, y0 = max(int(cx - radius), 0), max(int(cy - radius), 0)
        x1, y1 = min(int(cx + radius) + 2, width), min(int(cy + radius) + 2, height)
        y, x = np.ogrid[y0:y1, x0:x1]
        mask[y0:y1, x0:x1] |= (x - cx) ** 2 + (y - cy) ** 2 < radius**2
