"""A thing turned to the other side by turning its own pixels: nothing is painted, so it stays the same thing.

Its box is mirrored and the border matched to what lies around (`editing.blend`). A shadow that reaches beyond the box
stays where it fell. Knows no model.
"""

from __future__ import annotations

import numpy as np

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.editing.blend import harmonised
from triptych.editing.distance import Bits
from triptych.editing.instruct.reach import PAD, grown, union_of


def mirrored(source: Pixels, box: Box) -> tuple[Pixels, Bits]:
    """The picture with that box turned left to right, and the pixels that this may have changed (H, W).

    source: uint8 (H, W, 3 or 4); box: of the thing, in fractions of the picture. Alpha stays as it was.
    """
    height, width = source.shape[:2]
    mask = union_of([grown(box, PAD)], (width, height))
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    turned = source.copy()
    turned[part][:, :, :3] = source[part][:, ::-1, :3]
    result = source.copy()
    result[:, :, :3] = harmonised(np.ascontiguousarray(source[:, :, :3]), np.ascontiguousarray(turned[:, :, :3]), mask)
    result[:, :, :3][~mask] = source[:, :, :3][~mask]
    return result, mask
