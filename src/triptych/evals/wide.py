"""Reading pictures that are larger or of another shape than the readers': through square windows, put together.

The short side of the picture becomes the readers' side; along the long one they look through overlapping squares. A
thing that a window's inner edge cuts is left to the neighbour that sees it whole, and one that several see is counted
once. A square picture is read in one piece, as ever. Knows no network: who reads is handed in.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.evals.readers.decode import iou
from triptych.evals.reading import Detection, Reading

Read = Callable[[Sequence[Pixels]], list[Reading]]
STEP = 0.25
"""Windows begin so many sides apart: whatever is shorter than three quarters of one is whole in some window."""
INNER = 0.02
"""A box within so much of a window's inner edge is taken to be cut."""
SAME = 0.4
"""Boxes of one noun that overlap by more (intersection over union) are one thing."""


def read_wide(read: Read, picture: Pixels) -> Reading:
    """The reading of a picture of any shape, uint8 (H, W, 3)."""
    height, width = picture.shape[:2]
    side = min(height, width)
    places = windows(width, height)
    if len(places) == 1:
        return read([picture])[0]
    readings = read([np.ascontiguousarray(picture[y : y + side, x : x + side]) for x, y in places])
    things: list[Detection] = []
    for (x, y), reading in zip(places, readings, strict=True):
        for thing in reading.things:
            if not _cut(thing.box, (x, y), side, (width, height)):
                x0, y0, x1, y1 = thing.box
                box = (
                    (x + x0 * side) / width,
                    (y + y0 * side) / height,
                    (x + x1 * side) / width,
                    (y + y1 * side) / height,
                )
                things.append(dataclasses.replace(thing, box=box))
    kept: list[Detection] = []
    for thing in sorted(things, key=lambda each: -each.score):
        if not any(thing.noun == other.noun and iou(thing.box, other.box) > SAME for other in kept):
            kept.append(thing)
    return Reading(tuple(kept), _mean([reading.backgrounds or {} for reading in readings]))


def windows(width: int, height: int) -> list[tuple[int, int]]:
    """Left and top of the squares, in pixels, evenly spread from one end to the other."""
    side = min(width, height)
    room = max(width, height) - side
    count = int(np.ceil(room / (side * STEP)))
    along = [round(room * number / count) for number in range(count + 1)] if count else [0]
    return [(place, 0) if width >= height else (0, place) for place in along]


def _cut(box: Box, place: tuple[int, int], side: int, size: tuple[int, int]) -> bool:
    low = [box[k] < INNER and place[k] > 0 for k in (0, 1)]
    high = [box[k + 2] > 1 - INNER and place[k] + side < size[k] for k in (0, 1)]
    return any(low) or any(high)


def _mean(shares: Sequence[dict[str, float]]) -> dict[str, float] | None:
    names = {name for share in shares for name in share}
    return {name: sum(share.get(name, 0.0) for share in shares) / len(shares) for name in sorted(names)} or None
