"""The pixels of things, cut out of a picture by what it would look like without them.

Whoever can paint hands in the same picture with the things taken away; where both differ, and not by a shadow alone,
a thing is. So nothing has to be known of how things look. What is cut out is kept to the last bit while everything
around it is painted anew. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.editing.distance import Bits
from triptych.editing.instruct.reach import grown as grown_box
from triptych.editing.instruct.reach import union_of
from triptych.editing.masks import grown

DIFFERS = 24
"""In grey levels of the channel that differs most."""
SHADOW = (0.5, 1.0)
"""A shadow darkens what it falls on to such a share, all channels alike up to EVEN."""
EVEN = 0.12
ROOM = 0.02
"""Things are looked for in their boxes, grown by this share of the picture."""
LEAST = 0.2
"""A thing of whose box less is found is not cut out: the two pictures are too alike there."""


def cut_out(picture: Pixels, without: Pixels, boxes: Sequence[Box]) -> tuple[Bits, list[int]]:
    """The pixels (H, W) of the things in these boxes, and which of them were found well enough.

    picture, without: uint8 (H, W, 3), with the things and without them; apart from that they are alike. boxes: in
    fractions of the picture.
    """
    height, width = picture.shape[:2]
    size = (width, height)
    before, after = picture.astype(np.float32), without.astype(np.float32)
    differs = np.abs(before - after).max(axis=2) > DIFFERS
    ratio = (before + 8) / (after + 8)
    darker = ratio.mean(axis=2)
    shadow = (darker > SHADOW[0]) & (darker < SHADOW[1]) & (ratio.max(axis=2) - ratio.min(axis=2) < EVEN)
    found = _whole(differs & ~shadow & union_of([grown_box(box, ROOM) for box in boxes], size), max(width, height))
    mask = np.zeros((height, width), np.bool_)
    known: list[int] = []
    for number, box in enumerate(boxes):
        own = union_of([box], size)
        if own.any() and float(found[own].mean()) >= LEAST:
            known.append(number)
            mask |= found & union_of([grown_box(box, ROOM)], size)
    return mask, known


def _whole(mask: Bits, longest: int) -> Bits:
    """Without specks and without holes; the sizes of both follow that of the picture."""
    radius = max(round(longest / 128), 1)
    mask = grown(grown(mask, -radius), radius)
    mask = grown(grown(mask, 2 * radius), -2 * radius)
    return ~_reached(~mask)


def _reached(free: Bits) -> Bits:
    """The free pixels that can be reached from the border through free ones."""
    reach = np.zeros_like(free)
    reach[0], reach[-1], reach[:, 0], reach[:, -1] = free[0], free[-1], free[:, 0], free[:, -1]
    while True:
        before = int(reach.sum())
        for axis in (0, 1):  # sweep in all four directions, so that few rounds are needed
            for backwards in (False, True):
                rows = np.moveaxis(reach, axis, 0)
                open_rows = np.moveaxis(free, axis, 0)
                order = range(len(rows) - 2, -1, -1) if backwards else range(1, len(rows))
                step = 1 if backwards else -1
                for i in order:
                    rows[i] |= rows[i + step] & open_rows[i]
        if int(reach.sum()) == before:
            return reach
