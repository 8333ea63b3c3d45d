"""How far each pixel is from a set of pixels, exactly, up to a limit: what growing and feathering a mask rest on.

The squared Euclidean distance is separable (Felzenszwalb & Huttenlocher 2012, section 3): first along each column, then
the least over the columns within reach. With a limit the second step is one array operation per column of reach.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

_BAND_PIXELS = 1 << 20
"""So many pixels are worked on at once, so that memory does not follow the picture's size."""


def distance(targets: Bits, limit: int) -> Floats:
    """Distance in pixels (H, W) from each pixel to the nearest True one; beyond `limit` it reads limit + 1."""
    height, width = targets.shape
    far = limit + 1
    down = _along_columns(targets, far)
    result = np.empty((height, width), np.float32)
    rows = max(_BAND_PIXELS // max(width, 1), 1)
    for top in range(0, height, rows):
        band = down[top : top + rows].astype(np.int32) ** 2
        best = band.copy()
        for reach in range(1, min(limit, width - 1) + 1):
            step = reach * reach
            np.minimum(best[:, reach:], band[:, :-reach] + step, out=best[:, reach:])
            np.minimum(best[:, :-reach], band[:, reach:] + step, out=best[:, :-reach])
        result[top : top + rows] = np.sqrt(best, dtype=np.float32)
    return np.minimum(result, np.float32(far), out=result)


def _along_columns(targets: Bits, far: int) -> npt.NDArray[np.int32]:
    """Distance to the nearest True pixel of the same column, at most `far`."""
    height = targets.shape[0]
    rows = np.arange(height, dtype=np.int32)[:, None]
    above = np.maximum.accumulate(np.where(targets, rows, np.int32(-far)), axis=0)
    below = np.minimum.accumulate(np.where(targets, rows, np.int32(height + far))[::-1], axis=0)[::-1]
    nearest = np.minimum(rows - above, below - rows)
    return np.minimum(nearest, np.int32(far))
