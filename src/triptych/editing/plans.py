"""The plan of an edit: what stands around the selection as it was seen, and what the words want in it.

A painter that paints from plans has to be told the whole of what it looks at. The surroundings are what a reader found,
or what the picture's own recipe says; the new things are planned from the words and fitted into the selection. Knows no
reader and no planner: both hand in plans.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from triptych.core.plan import Box, Plan, PlanObject

COVERED = 0.5
"""A thing of which more lies in the selection's box is taken to be replaced."""
ROOM = 0.04
"""Free share of the selection's box on each side of the new things."""
LEAST = 0.02
"""A thing that shows less than this share of the picture's side in the window is left out."""

_NOTHING = re.compile(
    r"((there is|with|just|only) )*"
    r"(nothing|empty|emptiness|((the|an?) )?((plain|empty) )?background)"
    r"( (there|here|at all))?",
    re.IGNORECASE,
)


def asks_for_nothing(instruction: str) -> bool:
    """Whether the words for a selection ask for what lies behind it: "nothing", "empty", "just the background"."""
    return _NOTHING.fullmatch(instruction.strip().rstrip(".!")) is not None


def seen_through(plan: Plan, window: Box) -> Plan:
    """A plan of a whole picture, as it looks through a window of it (fractions of the picture)."""
    x0, y0, x1, y1 = window
    things: list[PlanObject] = []
    for thing in plan.objects:
        a, b, c, d = thing.box
        box = ((a - x0) / (x1 - x0), (b - y0) / (y1 - y0), (c - x0) / (x1 - x0), (d - y0) / (y1 - y0))
        shown = (min(box[2], 1) - max(box[0], 0), min(box[3], 1) - max(box[1], 0))
        if min(shown) > LEAST:
            things.append(thing.model_copy(update={"box": _held(box)}))
    return plan.model_copy(update={"objects": tuple(things)})


def plan_for(around: Plan, wanted: Plan, place: Box, *, most: int | None = None) -> Plan | None:
    """The plan of a window with something new in it; None if nothing is known of either.

    around: what is seen in the window. wanted: the plan of the words alone; its background and light count where
    nothing is seen. place: the box of the selection, in fractions of the window. most: so many things at most; of the
    surroundings those nearest to the selection stay.
    """
    new = fitted(wanted.objects, place)
    kept = [thing for thing in around.objects if _covered(thing.box, place) <= COVERED]
    if most is not None and len(kept) + len(new) > most:
        nearest = sorted(kept, key=lambda thing: _gap(thing.box, place))[: max(most - len(new), 0)]
        kept = [thing for thing in kept if thing in nearest]
    background, light = around.background or wanted.background, around.light or wanted.light
    if not kept and not new and not background:
        return None
    return Plan(background=background, light=light, objects=(*kept, *new))


def fitted(things: Sequence[PlanObject], place: Box) -> tuple[PlanObject, ...]:
    """Things moved and scaled together, in their own proportions, to fill the place; they stand on its lower edge."""
    if not things:
        return ()
    x0, y0 = min(thing.box[0] for thing in things), min(thing.box[1] for thing in things)
    x1, y1 = max(thing.box[2] for thing in things), max(thing.box[3] for thing in things)
    left, top, right, bottom = place
    room_x, room_y = (right - left) * (1 - 2 * ROOM), (bottom - top) * (1 - 2 * ROOM)
    scale = min(room_x / (x1 - x0), room_y / (y1 - y0))
    dx = (left + right) / 2 - scale * (x0 + x1) / 2
    dy = bottom - (bottom - top) * ROOM - scale * y1
    moved = []
    for thing in things:
        a, b, c, d = thing.box
        box = (scale * a + dx, scale * b + dy, scale * c + dx, scale * d + dy)
        moved.append(thing.model_copy(update={"box": _held(box)}))
    return tuple(moved)


def _held(box: Box) -> Box:
    """Within what a plan allows: half a picture beyond each side, and with some area."""
    x0, y0 = (min(max(side, -0.5), 1.49) for side in box[:2])
    x1, y1 = (min(max(side, -0.49), 1.5) for side in box[2:])
    return x0, y0, max(x1, x0 + 0.005), max(y1, y0 + 0.005)


def _covered(box: Box, place: Box) -> float:
    """The share of a box that lies in the place."""
    width = min(box[2], place[2]) - max(box[0], place[0])
    height = min(box[3], place[3]) - max(box[1], place[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(width, 0) * max(height, 0) / area


def _gap(box: Box, place: Box) -> float:
    """Distance between two boxes; 0 where they overlap."""
    return math.hypot(*(max(max(box[k], place[k]) - min(box[k + 2], place[k + 2]), 0) for k in (0, 1)))
