"""The pixels of things, cut out of a picture by what it would look like without them.

Whoever can paint hands in the same picture with the things taken away; where both differ, and not by a shadow alone,
a thing is. So nothing has to be known of how things look. What is cut out is kept to the last bit while everything
around it is painted anew. Knows no model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.editing.distance import Bits, Floats
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
SLIP = 0.07
"""A horizon may be painted again so much of the height higher or lower."""
SAMPLES = 48
"""So many pixels of a row that lie outside of all boxes are what its ground looks like."""
LONGEST = 192
"""Larger pictures are looked at smaller: what painters of our size paint is no finer."""


def cut_out(picture: Pixels, without: Pixels, boxes: Sequence[Box]) -> tuple[Bits, list[int]]:
    """The pixels (H, W) of the things in these boxes, and which of them were found well enough.

    picture, without: uint8 (H, W, 3), with the things and without them; apart from that they are alike. boxes: in
    fractions of the picture.
    """
    height, width = picture.shape[:2]
    scale = max(max(height, width) / LONGEST, 1.0)
    size = (max(round(width / scale), 1), max(round(height / scale), 1))
    before, after = (np.asarray(Image.fromarray(each).resize(size), np.float32) for each in (picture, without))
    inside = union_of([grown_box(box, ROOM) for box in boxes], size)
    found = _whole(inside & _foreign(before, after, inside), max(size))
    mask = np.zeros_like(found)
    known: list[int] = []
    for number, box in enumerate(boxes):
        own = union_of([box], size)
        if own.any() and float(found[own].mean()) >= LEAST:
            known.append(number)
            mask |= found & union_of([grown_box(box, ROOM)], size)
    if scale > 1:
        smooth = Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
        mask = np.asarray(smooth) >= 0.5
    return mask, known


def _foreign(before: Floats, after: Floats, inside: Bits) -> Bits:
    """The pixels that are neither the ground as painted again, a little higher or lower, nor that of their row, nor one
    of both in shadow.
    """
    differs = ~_alike(before, after)
    for step in range(1, max(round(SLIP * len(before)), 1) + 1):
        differs[step:] &= ~_alike(before[step:], after[:-step])
        differs[:-step] &= ~_alike(before[:-step], after[step:])
    for y in np.flatnonzero((differs & inside).any(axis=1)):
        ground = before[y][~inside[y]]
        if not len(ground):
            continue
        ground = ground[np.linspace(0, len(ground) - 1, min(SAMPLES, len(ground))).astype(int)]
        columns = np.flatnonzero(differs[y] & inside[y])
        own = before[y][columns]
        differs[y, columns] = ~_alike(own[:, None], ground[None]).any(axis=1)
    return differs


def _alike(first: Floats, second: Floats) -> Bits:
    """Nearly the same colour, or the same in shadow."""
    ratio = (first + 8) / (second + 8)
    darker = ratio.mean(axis=-1)
    shadow = (darker > SHADOW[0]) & (darker < SHADOW[1]) & (ratio.max(axis=-1) - ratio.min(axis=-1) < EVEN)
    return shadow | (np.abs(first - second).max(axis=-1) <= DIFFERS)


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
