"""What was painted around a picture, in colours that meet the picture's at the border.

As in `editing.blend` the difference along the border is spread over the new as a membrane; here the new lies around the
old and may be much larger than it. Knows no model.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from triptych.core.events import Pixels
from triptych.editing.blend import REACH, harmonised
from triptych.editing.distance import Bits, Floats, distance

LARGEST = 1536
"""Larger results are brought to meet at a smaller size: colours that differ over a distance need no single pixels."""

Place = tuple[slice, slice]
"""Rows and columns of the old in the whole."""


def meeting(known: Pixels, painted: Pixels, new: Bits, place: Place) -> Pixels:
    """The painted picture, with its colours brought to meet the known ones along the border of the new.

    known: uint8 (H, W, 3), read where it is not new; painted: the same; new: (H, W), all but the rectangle `place`.
    """
    height, width = new.shape
    step = -(-max(width, height) // LARGEST)
    painted = _folded(painted, place, (REACH + 1) * step)
    if step == 1:
        return _spread(known, painted, new)
    size = -(-width // step), -(-height // step)
    small_known, small = (
        np.asarray(Image.fromarray(each).resize(size, Image.Resampling.BOX)) for each in (known, painted)
    )
    # Where old and new share a small pixel, it is new: the border values are then the old one's alone.
    share = Image.fromarray(new.astype(np.uint8) * np.uint8(255)).resize(size, Image.Resampling.BOX)
    small_new = np.asarray(share) > 0
    shift = _spread(small_known, small, small_new).astype(np.float32) - small
    # Only the new has a shift: weights keep the old's zeros out of what is between.
    weight = _enlarged(small_new.astype(np.float32), (width, height))
    result = painted.copy()
    for k in range(3):
        # Half a level is lost by the 8 bits of each plane, which a membrane over a large picture can bear.
        plane = _enlarged(np.where(small_new, shift[:, :, k], np.float32(0)), (width, height))
        moved = plane / np.maximum(weight, np.float32(1e-3)) + painted[:, :, k]
        result[:, :, k] = np.rint(moved).clip(0, 255).astype(np.uint8)
    return result


def _folded(painted: Pixels, place: Place, depth: int) -> Pixels:
    """The painted picture with its new part mirrored into the old one, so many pixels deep.

    What a membrane takes back is the difference between the two just outside of the new. The painter's idea of the old
    part is nearly the old part, so it would find none; what has to meet the old is the new.
    """
    folded = painted.copy()
    rows, columns = place
    depth = min(depth, rows.stop - rows.start, columns.stop - columns.start)
    for axis, span in enumerate(place):
        view = folded.swapaxes(0, axis)
        before, after = min(depth, span.start), min(depth, len(view) - span.stop)
        view[span.start : span.start + before] = view[span.start - before : span.start][::-1]
        view[span.stop - after : span.stop] = view[span.stop : span.stop + after][::-1]
    return folded


def _enlarged(plane: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR))


def _spread(known: Pixels, painted: Pixels, new: Bits) -> Pixels:
    """What is off along the border, spread into the new; and into the old as well, where nobody looks.

    The old has no difference of its own to give: were it held at none, that would seep into the new from coarse levels.
    """
    border = (distance(new, REACH) <= REACH) & ~new
    return harmonised(known, painted, ~border)
