"""What comes around a picture: its edges drawn out, to start from, and painted pixels that meet its own at the border.

As in `editing.blend` the difference along the border is spread over the new as a membrane; here the new lies around the
old and may be much larger than it. Knows no model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image

from triptych.core.events import Pixels
from triptych.editing.blend import REACH, harmonised
from triptych.editing.distance import Bits, Floats, distance

LARGEST = 1536
"""Larger results are brought to meet at a smaller size: colours that differ over a distance need no single pixels."""

Place = tuple[slice, slice]
"""Rows and columns of the old in the whole."""


EDGE = 6
"""So many pixels along an edge tell what goes on beyond it."""
SHORT = 0.22
"""What takes less than this share of an edge is a thing that the edge cuts, and does not go on."""


def drawn_out(canvas: Pixels, place: Place, things: Bits) -> Pixels:
    """The picture at `place` of a canvas with its edges drawn out to the canvas' own: rows to the sides, then columns.

    canvas: uint8 (H, W, 3); things: (H, W), True where something stands that shall not go on. What stands at an edge is
    left out of it, as far as anything else is there to go on with.
    """
    result, rows, columns = canvas.copy(), *place
    result[rows, : columns.start] = _edge(canvas, things, rows, columns.start, 1)[:, None]
    result[rows, columns.stop :] = _edge(canvas, things, rows, columns.stop, -1)[:, None]
    turned, hidden = result.swapaxes(0, 1), things.copy()
    hidden[:, : columns.start] = hidden[:, columns.stop :] = False
    every = slice(0, canvas.shape[1])
    turned[:, : rows.start] = _edge(turned, hidden.T, every, rows.start, 1)[:, None]
    turned[:, rows.stop :] = _edge(turned, hidden.T, every, rows.stop, -1)[:, None]
    return result


def _edge(picture: Pixels, things: Bits, rows: slice, column: int, inward: int) -> Pixels:
    """The colour of each of the rows at a column, (n, 3): the mean over the first pixels inward without things."""
    span = slice(column, column + EDGE) if inward > 0 else slice(column - EDGE, column)
    strip, free = picture[rows, span].astype(np.float32), ~things[rows, span]
    if not free.any():
        free[:] = True
    seen = free.any(axis=1)
    colours = (strip * free[..., None]).sum(axis=1) / np.maximum(free.sum(axis=1), 1)[:, None]
    at, known = np.arange(len(strip)), np.flatnonzero(seen)
    filled = np.stack([np.interp(at, known, colours[known, k]) for k in range(3)], axis=1)
    return np.rint(_without_small(filled)).astype(np.uint8)


def _without_small(line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A line of colours (n, 3) without what is short: a running median, which leaves a horizon where it is."""
    half = max(round(len(line) * SHORT), 1)
    padded = np.pad(line, ((half, half), (0, 0)), mode="symmetric")
    return np.median(sliding_window_view(padded, 2 * half + 1, axis=0), axis=2)


def faded(whole: Pixels, source: Pixels, place: Place, depth: tuple[float, float]) -> None:
    """Lead from the source into the new, in place: mirrored beyond its edges, it fades over so many rows and columns.

    whole, source: uint8 with at least three channels, of which three are changed. What comes first after an edge is
    the edge's own pixel, so there is no line; what differs further on dissolves.
    """
    height, width = source.shape[:2]
    rows, columns = place
    reach = [
        (min(int(far), span.start), min(int(far), side - span.stop))
        for far, span, side in zip(depth, place, whole.shape[:2], strict=True)
    ]
    (top, bottom), (left, right) = reach
    mirrored = np.pad(source[:, :, :3], (*reach, (0, 0)), mode="symmetric")
    down, across = (
        np.concatenate((np.arange(before, 0, -1), np.zeros(side), np.arange(1, after + 1))) / max(far, 1.0)
        for (before, after), side, far in zip(reach, (height, width), depth, strict=True)
    )
    part = whole[rows.start - top : rows.stop + bottom, columns.start - left : columns.stop + right, :3]
    for k, line in enumerate(part):  # row by row: a large picture needs no floats of its own size
        share = 0.5 + 0.5 * np.cos(np.pi * np.minimum(np.hypot(down[k], across), 1.0))[:, None]
        line[:] = np.rint(line + share * (mirrored[k].astype(np.float32) - line)).astype(np.uint8)


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
