"""How visible the border of an edit is, against what the picture's own gradients are.

A border pair is two neighbouring pixels (left-right or up-down), one inside the selection and one outside. The step of
a pair is the mean over R, G and B of the absolute difference, in grey levels. Then

- `seam_error` = mean step of the border pairs in the result / mean step of all neighbouring pairs of the source. 1 says
  that the border is no rougher than the picture is on average.
- `percentile` = share, in %, of places where the same border, laid elsewhere over the source, has a smaller mean step
  (256 places, drawn by number, the border wrapped around the picture's sides): 97 says that only 3 % of such borders in
  the untouched picture are as rough.
- `local` = mean step of the border pairs / mean step of the pairs just inside and just outside of it (one pixel further
  from the border, in the same direction): above 1 there is a line along the border that neither side has.

A divisor below half a grey level counts as half a level, so that a plain picture has a seam error too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triptych.core.events import Pixels
from triptych.editing.distance import Bits

PLACES = 256
MAX_PAIRS = 20_000
LEAST = 0.5
_BAND = 512
_FIRST, _SECOND = 0.7548776662466927, 0.5698402909980532
"""The plastic number's inverse powers: a sequence of places that covers the plane evenly (Roberts 2018)."""

Coordinates = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Seam:
    """See the module. step: mean over the border pairs of the result, in grey levels. pairs: how many there are."""

    seam_error: float
    percentile: float
    local: float
    step: float
    pairs: int

    def as_json(self) -> dict[str, float]:
        return {
            "seam_error": round(self.seam_error, 4),
            "seam_percentile": round(self.percentile, 1),
            "seam_local": round(self.local, 4),
            "seam_step": round(self.step, 3),
            "seam_pairs": self.pairs,
        }


def seam(result: Pixels, mask: Bits, source: Pixels) -> Seam:
    """The seam along the mask's border. result, source: uint8 (H, W, 3 or 4), mask (H, W), all of one size.

    A mask without a border (nothing or everything selected) has no seam: all figures are 0.
    """
    inside, outside, pairs = _border(mask)
    if not pairs:
        return Seam(0.0, 0.0, 0.0, 0.0, 0)
    across = float(_steps(result, inside, outside).mean())
    usual = mean_step(source)
    elsewhere = _elsewhere(source, inside, outside)
    percentile = 100 * float((elsewhere < across).mean()) if len(elsewhere) else 0.0
    beside = _beside(result, inside, outside)
    return Seam(across / max(usual, LEAST), percentile, across / max(beside, LEAST), across, pairs)


def mean_step(picture: Pixels) -> float:
    """Mean step of all neighbouring pairs, in grey levels; 0 for a single pixel."""
    total, count = 0.0, 0
    height = picture.shape[0]
    for top in range(0, height, _BAND):
        band = picture[top : top + _BAND + 1, :, :3].astype(np.int16)
        rows = min(_BAND, height - top)
        across, down = np.abs(np.diff(band[:rows], axis=1)), np.abs(np.diff(band, axis=0))
        total += float(across.sum(dtype=np.int64)) + float(down.sum(dtype=np.int64))
        count += across.size + down.size
    return total / count if count else 0.0


def _border(mask: Bits) -> tuple[Coordinates, Coordinates, int]:
    """Border pairs: (y, x) of the pixels inside and of those outside, each (N, 2), and how many there are in all.

    N is at most about MAX_PAIRS: of more, every k-th is taken, which is enough for a mean and bounds time and memory.
    """
    crossings = [np.flatnonzero(mask[:-1] != mask[1:]), np.flatnonzero(mask[:, :-1] != mask[:, 1:])]
    pairs = sum(map(len, crossings))
    every = max(-(-pairs // MAX_PAIRS), 1)
    inside: list[Coordinates] = []
    outside: list[Coordinates] = []
    for axis, places in enumerate(crossings):
        columns = mask.shape[1] - axis
        first = np.stack(np.divmod(places[::every], max(columns, 1)), axis=1)
        second = first + np.array([1 - axis, axis])
        starts_inside = mask[first[:, 0], first[:, 1]][:, None]
        inside.append(np.where(starts_inside, first, second))
        outside.append(np.where(starts_inside, second, first))
    return np.concatenate(inside), np.concatenate(outside), pairs


def _steps(picture: Pixels, first: Coordinates, second: Coordinates) -> npt.NDArray[np.float32]:
    a = picture[first[:, 0], first[:, 1], :3].astype(np.float32)
    b = picture[second[:, 0], second[:, 1], :3].astype(np.float32)
    return np.abs(a - b).mean(axis=1)


def _elsewhere(source: Pixels, inside: Coordinates, outside: Coordinates) -> npt.NDArray[np.float64]:
    """Mean step of the border at other places of the source; pairs that the wrapping tears apart are left out."""
    height, width = source.shape[:2]
    size = np.array([height, width])
    keep = np.linspace(0, len(inside) - 1, min(len(inside), 2000)).astype(np.int64)
    first, second = inside[keep], outside[keep]
    means: list[float] = []
    for place in range(1, PLACES + 1):
        shift = np.array([int(place * _FIRST % 1 * height), int(place * _SECOND % 1 * width)])
        a, b = (first + shift) % size, (second + shift) % size
        whole = np.abs(a - b).sum(axis=1) == 1
        if whole.any():
            means.append(float(_steps(source, a[whole], b[whole]).mean()))
    return np.array(means)


def _beside(picture: Pixels, inside: Coordinates, outside: Coordinates) -> float:
    """Mean step of the pairs that follow the border pairs on both sides, as far as the picture reaches."""
    size = np.array(picture.shape[:2])
    found: list[npt.NDArray[np.float32]] = []
    for near, far in ((inside, outside), (outside, inside)):
        beyond = 2 * near - far
        there = ((beyond >= 0) & (beyond < size)).all(axis=1)
        found.append(_steps(picture, near[there], beyond[there]))
    steps = np.concatenate(found)
    return float(steps.mean()) if len(steps) else 0.0
