"""Where the words of an edit put a thing: at a place of the picture, in a direction, or as it stands to another thing.

Each finds the free place that fits the words (`instruct.room`), or says that there is none. Knows no pixels.
"""

from __future__ import annotations

from functools import partial

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Box, Plan, PlanObject
from triptych.editing.instruct.program import Edit, Spot
from triptych.editing.instruct.room import CROWDED, EDGE, Floats, area, common, free_place, middle
from triptych.scenes.nouns import NOUNS

STEP = 0.28
"""How far "to the left" is, in shares of the picture; the free place nearest to that is taken."""
LEAST_STEP = 0.1
ASIDE = 0.12
"""So far from a straight step a thing may be put; three times as far where it would cover another."""
HIDDEN = 0.32
"""Of the narrower of two things, so much of its width is hidden where one stands in front of the other."""
CENTRES = {"left": 0.22, "right": 0.78, "top": 0.24, "bottom": 0.76}


def moved(plan: Plan, edit: Edit) -> tuple[Plan, tuple[int, ...]]:
    """Things put elsewhere, one by one. Raises `InvalidRequest` where there is no room."""
    chosen = edit.select.things if edit.select else ()
    spot = edit.spot
    if spot is None:
        raise InvalidRequest("instruction", "where to is not said")
    anchor = anchor_of(plan, spot)
    for i in chosen:
        things = list(plan.objects)
        thing = things.pop(i)
        if thing == anchor:
            raise InvalidRequest("instruction", f"the {thing.noun} cannot be moved {spot.words()}: that is itself")
        rest = plan.model_copy(update={"objects": tuple(things)})
        x0, y0, x1, y1 = thing.box
        box, place = _placed(rest, thing.noun, (x1 - x0, y1 - y0), spot, anchor, now=thing.box)
        if place is None:
            things.insert(i, thing.model_copy(update={"box": box}))
        else:  # its place in the order counts
            things.insert(place, thing.model_copy(update={"box": box}))
            chosen = tuple(place if k == i else k for k in chosen)
        plan = plan.model_copy(update={"objects": tuple(things)})
    return plan, tuple(sorted(chosen))


def anchor_of(plan: Plan, spot: Spot | None) -> PlanObject | None:
    """The thing that a relation is held against; of several the first."""
    if spot is None or spot.anchor is None:
        return None
    return plan.objects[spot.anchor.things[0]]


def added(
    plan: Plan,
    noun: str,
    colour: str | None,
    sides: tuple[float, float],
    spot: Spot | None,
    anchor: PlanObject | None = None,
    *,
    near: tuple[float, float] | None = None,
) -> tuple[Plan, int]:
    """The plan with one more thing, and its number there. near: where it should be, if the words say nothing."""
    if spot is None:
        box = free_place(plan, noun, sides, near or (0.5, 0.35 if _flies(noun) else 0.66), weights=(0.6, 1.0))
        if box is None:
            raise InvalidRequest("instruction", f"there is no room for a {noun}")
        place = None
    else:
        box, place = _placed(plan, noun, sides, spot, anchor, now=None)
    things = list(plan.objects)
    place = len(things) if place is None else place
    things.insert(place, PlanObject(noun=noun, colour=colour, box=box))
    return plan.model_copy(update={"objects": tuple(things)}), place


def _placed(
    plan: Plan, noun: str, sides: tuple[float, float], spot: Spot, anchor: PlanObject | None, *, now: Box | None
) -> tuple[Box, int | None]:
    """A box where the spot says, and a place in the order where that matters. now: where it stands."""
    kind, _, name = spot.way.partition(":")
    if anchor is not None:
        if name in ("in front of", "behind"):
            return _overlapping(plan, noun, sides, anchor, name)
        box = _beside(plan, noun, sides, anchor.box, name)
    elif kind == "at":
        box = _at(plan, noun, sides, name)
    elif now is not None:
        box = _towards(plan, noun, sides, now, name)
    else:  # "add it to the left"
        box = _at(plan, noun, sides, {"up": "top", "down": "bottom"}.get(name, name))
    if box is None:
        raise InvalidRequest("instruction", f"there is no room for the {noun} {spot.words()}")
    return box, None


def _flies(noun: str) -> bool:
    return noun in NOUNS and NOUNS[noun].flies


def _at(plan: Plan, noun: str, sides: tuple[float, float], place: str) -> Box | None:
    """Near the middle of that part of the picture, and with its own middle in it."""
    words = place.split()
    x = next((CENTRES[word] for word in words if word in ("left", "right")), 0.5)
    y = next((CENTRES[word] for word in words if word in ("top", "bottom")), 0.5)
    sideways, upright = any(w in words for w in ("left", "right")), any(w in words for w in ("top", "bottom"))
    if place == "centre":
        sideways = upright = True
    if not upright:
        y = 0.35 if _flies(noun) else 0.66

    def allowed(left: Floats, top: Floats, width: float, height: float):
        cx, cy = left + width / 2, top + height / 2
        if place == "centre":
            return (abs(cx - 0.5) < 0.16) & (abs(cy - 0.5) < 0.16)
        fits = cx == cx
        for word in words:
            fits &= {"left": cx < 0.44, "right": cx > 0.56, "top": cy < 0.44, "bottom": cy > 0.56}[word]
        return fits

    weights = (1.0 if sideways else 0.5, 1.0 if upright else 0.6)
    return free_place(plan, noun, sides, (x, y), allowed=allowed, grounded=not upright, weights=weights)


def _towards(plan: Plan, noun: str, sides: tuple[float, float], now: Box, direction: str) -> Box | None:
    """A step in that direction, at the same height or in the same column; aside from it where others are in the way."""
    x, y = middle(now)
    dx, dy = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}[direction]

    def allowed(aside: float, left: Floats, top: Floats, width: float, height: float):
        along = (left + width / 2 - x) * dx + (top + height / 2 - y) * dy
        across = abs(left + width / 2 - x) * abs(dy) + abs(top + height / 2 - y) * abs(dx)
        return (along >= LEAST_STEP) & (across <= aside)

    weights, wanted = (1.0, 3.0) if dx else (3.0, 1.0), (x + STEP * dx, y + STEP * dy)
    box: Box | None = None
    for aside in (ASIDE, 3 * ASIDE):
        box = free_place(
            plan, noun, sides, wanted, allowed=partial(allowed, aside), grounded=False, weights=weights, least=0.85
        )
        if box is not None and not any(common(box, other.box) / area(box) > CROWDED for other in plan.objects):
            break
    return box


def _beside(plan: Plan, noun: str, sides: tuple[float, float], anchor: Box, relation: str) -> Box | None:
    """Left of, right of, above, below or next to another thing, near to it; smaller where there is too little room."""
    if relation == "next to":
        ways = [_beside(plan, noun, sides, anchor, name) for name in ("right of", "left of")]
        found = [box for box in ways if box is not None]
        # The side where it can be larger, and covers less.
        return max(found, key=lambda box: area(box) - 3 * sum(common(box, t.box) for t in plan.objects), default=None)
    x = middle(anchor)[0]
    foot = anchor[3] - sides[1] / 2

    def allowed(left: Floats, top: Floats, width: float, height: float):
        return {
            "left of": left + width <= anchor[0] + 0.03,
            "right of": left >= anchor[2] - 0.03,
            "above": top + height <= anchor[1] + 0.03,
            "below": top >= anchor[3] - 0.03,
        }[relation] & (abs(left + width / 2 - x) < 1)

    wanted = {
        "left of": (anchor[0] - sides[0] / 2 - EDGE, foot),
        "right of": (anchor[2] + sides[0] / 2 + EDGE, foot),
        "above": (x, anchor[1] - sides[1] / 2 - EDGE),
        "below": (x, anchor[3] + sides[1] / 2 + EDGE),
    }[relation]
    return free_place(plan, noun, sides, wanted, allowed=allowed, grounded=relation in ("left of", "right of"))


def _overlapping(
    plan: Plan, noun: str, sides: tuple[float, float], anchor: PlanObject, relation: str
) -> tuple[Box, int]:
    """Half beside and half over another thing: lower and later in the order in front, else higher and earlier."""
    x0, _, x1, y1 = anchor.box
    width, height = sides
    hidden = HIDDEN * min(width, x1 - x0)
    front = relation == "in front of"
    foot = y1 + 0.06 if front else y1 - 0.06
    top = min(max(foot - height, EDGE), 1 - EDGE - height)
    options = [x1 - hidden, x0 + hidden - width]
    lefts = [min(max(left, EDGE), 1 - EDGE - width) for left in options]
    others = [thing for thing in plan.objects if thing is not anchor]

    def cost(left: float) -> float:
        box = (left, top, left + width, top + height)
        own = common(box, anchor.box) / min(area(box), area(anchor.box))
        return abs(own - HIDDEN) + 4 * sum(common(box, thing.box) / area(box) for thing in others)

    left = min(lefts, key=cost)
    box = (left, top, left + width, top + height)
    if common(box, anchor.box) <= 0:
        raise InvalidRequest("instruction", f"there is no room for the {noun} {relation} the {anchor.noun}")
    place = plan.objects.index(anchor)
    return box, place + 1 if front else place
