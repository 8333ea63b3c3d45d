"""One plan for a picture whose parts have prompts of their own.

Each region's plan was written for a picture of its own; its things are laid into the region. Things of the prompt for
the whole that would stand in a region give way to what is free beside the regions. Knows no picture or model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Region
from triptych.core.plan import MAX_OBJECTS, Box, Plan
from triptych.planning.fit import into_box

COVERED = 0.25
"""A thing of the whole's prompt gives way if more of it would stand in regions."""
LEAST_FREE = 0.12
"""A free rectangle of less of the picture is no place to go to; things then stay where they are."""
INSIDE = 128
"""Grey levels of a mask from here up are inside."""
_GRID = 24


def merged(base: Plan | None, parts: Sequence[tuple[Plan, Box]], unit: tuple[float, float]) -> Plan:
    """The plan of the whole: background and light of base, then its things, then those of the regions in front.

    Without a base, the background is the first region's. parts: plan and box of each region, in fractions of the
    picture. unit: width and height of the model's own picture in the same fractions, in which things have the size
    that they are planned with.
    """
    base = base or Plan(background=parts[0][0].background if parts else "")
    boxes = [box for _, box in parts]
    stay = [item for item in base.objects if _covered(item.box, boxes) <= COVERED]
    move = [item for item in base.objects if _covered(item.box, boxes) > COVERED]
    room = largest_free([*boxes, *(item.box for item in stay)]) if move else None
    moved = move if room is None else into_box(move, room, unit)
    own = [item for plan, box in parts for item in into_box(plan.objects, box, unit)]
    around = [*stay, *moved][: max(MAX_OBJECTS - len(own), 0)]
    light = base.light or next((plan.light for plan, _ in parts if plan.light), None)
    return Plan(background=base.background, light=light, objects=(*around, *own[:MAX_OBJECTS]))


def extent(region: Region) -> Box:
    """The smallest box around a region, in fractions of the picture."""
    if region.box is not None or region.mask is None:
        return region.box or (0.0, 0.0, 1.0, 1.0)
    inside = region.mask.rgb.max(axis=2) >= INSIDE
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        raise InvalidRequest("regions", "a mask selects nothing: no pixel of it is white")
    height, width = inside.shape
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def largest_free(boxes: Sequence[Box]) -> Box | None:
    """The largest rectangle of the picture that no box enters, on a grid of 24 x 24; None if all are small."""
    taken = np.zeros((_GRID, _GRID), bool)
    for x0, y0, x1, y1 in boxes:
        columns = slice(max(int(np.floor(x0 * _GRID)), 0), max(int(np.ceil(x1 * _GRID)), 0))
        rows = slice(max(int(np.floor(y0 * _GRID)), 0), max(int(np.ceil(y1 * _GRID)), 0))
        taken[rows, columns] = True
    best: tuple[int, Box] = (0, (0.0, 0.0, 0.0, 0.0))
    for top in range(_GRID):
        free = np.ones(_GRID, bool)
        for bottom in range(top, _GRID):
            free &= ~taken[bottom]
            start, length = _longest(free)
            area = length * (bottom + 1 - top)
            if area > best[0]:
                best = area, (start / _GRID, top / _GRID, (start + length) / _GRID, (bottom + 1) / _GRID)
    return best[1] if best[0] >= LEAST_FREE * _GRID * _GRID else None


def _longest(free: np.ndarray) -> tuple[int, int]:
    """Start and length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], free.astype(np.int8), [0]))))
    runs = [(int(stop - start), -int(start)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    if not runs:
        return 0, 0
    length, start = max(runs)
    return -start, length


def _covered(box: Box, others: Sequence[Box]) -> float:
    """The largest share of a box that lies in one of the others."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    shares = (
        max(min(box[2], other[2]) - max(box[0], other[0]), 0) * max(min(box[3], other[3]) - max(box[1], other[1]), 0)
        for other in others
    )
    return max(shares, default=0.0) / area
