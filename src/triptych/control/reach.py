"""Connected parts of masks, in numpy: a front of pixels that grows step by step. It knows arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]


def components(mask: Bools) -> list[Bools]:
    """The connected parts, diagonals included, in the order of their first pixels."""
    left = mask.copy()
    found: list[Bools] = []
    while left.any():
        seed = np.zeros(mask.shape, bool)
        seed.ravel()[left.ravel().argmax()] = True
        part = reached(left, seed)
        found.append(part)
        left &= ~part
    return found


def reached(free: Bools, start: Bools) -> Bools:
    """The pixels of `free` that a path through it, diagonals included, joins to `start`."""
    H, W = free.shape
    open_ = np.pad(free & ~start, 1).ravel()
    found = np.pad(start, 1).ravel()
    front = np.flatnonzero(found)
    steps = np.array([dy * (W + 2) + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
    while front.size:
        near = (front[:, None] + steps).ravel()
        front = np.unique(near[open_[near]])
        open_[front] = False
        found[front] = True
    return found.reshape(H + 2, W + 2)[1:-1, 1:-1]
