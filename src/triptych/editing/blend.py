"""The border of an edit made invisible: what the new picture is off by along the border is taken back inside.

The difference between old and new picture is known outside of the selection. It is continued into the selection as a
membrane (Laplace's equation with that difference as its border values) and added to the new picture, which leaves the
gradients of the new one and meets the old one at the border: Poisson image editing, Perez, Gangnet & Blake 2003,
equations 2 and 3 (with Laplace's equation for the difference, as in equation 5 of Georgiev 2005).

The equation is solved from coarse to fine (cascadic multigrid, Bornemann & Deuflhard 1996): each level starts from the
coarser level's answer and smooths it, more often the coarser it is. Knows no model; works on one plane at a time.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triptych.core.events import Pixels
from triptych.editing.distance import Bits, Floats, distance
from triptych.editing.masks import box_of

SWEEPS = 6
"""Relaxations on the finest level; each coarser one has twice as many, up to MAX_SWEEPS."""
MAX_SWEEPS = 200
OMEGA = 1.8
"""Over-relaxation: with differences of +-35 levels the answer is within 1 of the exact one, with 1.0 within 2.6."""
SMALLEST = 6
"""Levels are halved until a side would be shorter than this."""
OUTLIERS = 3.0
"""Border differences further than so many median absolute deviations from their median are held there: where a thing
is cut by the border, old and new differ by their content, which is not to be spread inside."""
LEAST_SPREAD = 4.0
"""In grey levels: differences within this of the median are never cut for being outliers."""
MOST = 24.0
"""In grey levels: so far does a painter's tone drift; what differs by more is another content, and stays."""
REACH = 3
"""Border values are means over the known pixels within so many pixels, so that single ones do not leave streaks."""


def harmonised(source: Pixels, painted: Pixels, mask: Bits) -> Pixels:
    """The new picture with its border matched to the old one.

    source, painted: uint8 (h, w, 3), the same window of the old and new picture. mask: (h, w), True where the new one
    will be taken; outside of it the result is the new picture as it was. Unchanged if the mask has no border here.
    """
    ring = (distance(mask, REACH) <= REACH) & ~mask
    if not ring.any():
        return painted
    around = ring | mask
    x0, y0, x1, y1 = box_of(around)
    part = np.s_[y0:y1, x0:x1]
    inside, border = mask[part], ring[part]
    result = painted.copy()
    for k in range(painted.shape[2]):
        difference = np.subtract(source[part][:, :, k], painted[part][:, :, k], dtype=np.float32)
        fill = membrane(_calmed(difference, border), inside)
        fill += painted[part][:, :, k]
        np.rint(fill, out=fill).clip(0, 255, out=fill)
        np.copyto(result[part][:, :, k], fill.astype(np.uint8), where=inside)
    return result


def _calmed(difference: Floats, ring: Bits) -> Floats:
    """The differences of the ring, without outliers and averaged with their neighbours of the ring."""
    values = difference[ring]
    middle = np.median(values)
    spread = max(OUTLIERS * 1.4826 * float(np.median(np.abs(values - middle))), LEAST_SPREAD)
    low, high = (float(np.clip(middle + side, -MOST, MOST)) for side in (-spread, spread))
    held = np.where(ring, np.clip(difference, low, high), np.float32(0))
    count = _box_sum(ring.astype(np.float32), REACH)
    return (_box_sum(held.astype(np.float32), REACH) / np.maximum(count, 1)).astype(np.float32, copy=False)


def _box_sum(plane: Floats, reach: int) -> Floats:
    """Sums over squares of side 2 reach + 1, cut at the borders."""
    for axis in (0, 1):
        total = plane.copy()
        for step in range(1, min(reach, plane.shape[axis] - 1) + 1):
            ahead, behind = [slice(None)] * 2, [slice(None)] * 2
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            total[tuple(behind)] += plane[tuple(ahead)]
            total[tuple(ahead)] += plane[tuple(behind)]
        plane = total
    return plane


def membrane(values: npt.NDArray[np.floating], unknown: Bits) -> Floats:
    """The plane whose unknown part is harmonic and continuous with the known part.

    values: (h, w), read where `unknown` is False, which has to be somewhere. At the array's own border the membrane is
    free (its normal derivative is zero). Raises ValueError where nothing is known.
    """
    if unknown.all():
        raise ValueError("a membrane needs a border: nothing is known")
    plane = np.where(unknown, np.float32(0), values).astype(np.float32)
    return _solved(plane, unknown, SWEEPS)


def _solved(plane: Floats, unknown: Bits, sweeps: int) -> Floats:
    """plane: known values, zero elsewhere."""
    if not unknown.any():
        return plane
    if min(plane.shape) >= 2 * SMALLEST:
        coarse = _solved(*_halved(plane, unknown), min(2 * sweeps, MAX_SWEEPS))
        np.copyto(plane, _doubled(coarse, plane.shape), where=unknown)
    else:
        plane[unknown] = plane[~unknown].mean()
        sweeps = MAX_SWEEPS
    return _relaxed(plane, unknown, sweeps)


def _halved(plane: Floats, unknown: Bits) -> tuple[Floats, Bits]:
    """Means of the known pixels of each 2 x 2 block; a block is unknown if all of it is."""
    height, width = plane.shape
    pad = ((0, height % 2), (0, width % 2))
    known = np.pad(~unknown, pad)
    total = np.pad(plane, pad)
    known_count = known[0::2, 0::2].astype(np.float32)
    sums = total[0::2, 0::2].copy()
    for i, j in ((0, 1), (1, 0), (1, 1)):
        known_count += known[i::2, j::2]
        sums += total[i::2, j::2]
    return (sums / np.maximum(known_count, 1)).astype(np.float32, copy=False), known_count == 0


def _doubled(coarse: Floats, shape: tuple[int, ...]) -> Floats:
    """Bilinear, with the sample points of `_halved`: weights 3/4 and 1/4 in each direction."""
    for axis in (0, 1):
        padded = np.pad(coarse, [(1, 1) if k == axis else (0, 0) for k in (0, 1)], mode="edge")
        middle, before, after = (
            np.take(padded, range(start, start + coarse.shape[axis]), axis=axis) for start in (1, 0, 2)
        )
        pair = np.stack((0.75 * middle + 0.25 * before, 0.75 * middle + 0.25 * after), axis=axis + 1)
        wide = [2 * side if k == axis else side for k, side in enumerate(coarse.shape)]
        coarse = pair.reshape(wide).astype(np.float32, copy=False)
    return coarse[: shape[0], : shape[1]]


def _relaxed(plane: Floats, unknown: Bits, sweeps: int) -> Floats:
    """Successive over-relaxation in red and black, in place: each unknown pixel goes past its neighbours' mean."""
    height, width = plane.shape
    neighbours = np.full((height, width), 4, np.float32)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        neighbours[edge] -= 1
    weight = OMEGA / np.maximum(neighbours, 1)
    checks = (np.add.outer(np.arange(height), np.arange(width)) % 2).astype(np.bool_)
    colours = (unknown & checks, unknown & ~checks)
    mean = np.empty_like(plane)
    for _ in range(sweeps):
        for colour in colours:
            mean[:] = 0
            mean[1:] += plane[:-1]
            mean[:-1] += plane[1:]
            mean[:, 1:] += plane[:, :-1]
            mean[:, :-1] += plane[:, 1:]
            mean *= weight
            mean += (1 - OMEGA) * plane
            np.copyto(plane, mean, where=colour)
    return plane
