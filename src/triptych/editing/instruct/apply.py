"""A program done to a plan: another plan, in which everything that no edit names is as it was, to the last bit.

Also tells where the two differ: the boxes of things before and after. Knows no pixels and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from triptych.core.errors import InvalidRequest
from triptych.core.plan import MAX_OBJECTS, Box, Plan, PlanObject
from triptych.editing.instruct import spots
from triptych.editing.instruct.program import Edit, Select
from triptych.editing.instruct.room import EDGE, free_place, middle, sides_for, usual_side
from triptych.scenes.nouns import NOUNS

LARGER = 1.4
"""Factor of a side for "bigger"; its inverse for "smaller"."""
LEAST_SIDE, MOST_SIDE = 0.08, 0.94


@dataclass(frozen=True)
class Applied:
    """plan: after the edits. touched: things of it that the last edit made or changed. before, after: the things that
    are no longer, and not yet, as they were, in either plan. everywhere: background or light changed.
    """

    plan: Plan
    touched: tuple[int, ...] = ()
    before: tuple[PlanObject, ...] = ()
    after: tuple[PlanObject, ...] = ()
    everywhere: bool = False


def applied(plan: Plan, program: Sequence[Edit]) -> Applied:
    """Edits one after another. Raises `InvalidRequest` for the first that cannot be done, and says why."""
    source, touched = plan, ()
    for edit in program:
        if edit.op != "keep":
            plan, touched = apply(plan, edit)
    return replace(difference(source, plan), touched=touched)


def difference(source: Plan, plan: Plan) -> Applied:
    """What differs between two plans. A thing that stands elsewhere in the order counts where it overlaps another."""
    gone, new = list(source.objects), list(plan.objects)
    for thing in source.objects:
        if thing in new:
            gone.remove(thing)
            new.remove(thing)
    everywhere = (source.background, source.light) != (plan.background, plan.light)
    kept_before = [thing for thing in source.objects if thing not in gone]
    kept_after = [thing for thing in plan.objects if thing not in new]
    if kept_before != kept_after:  # only the order changed: what was brought to the front
        moved = tuple(a for a, b in zip(kept_before, kept_after, strict=True) if a != b)
        gone, new = [*gone, *moved], [*new, *moved]
    return Applied(plan, (), tuple(gone), tuple(new), everywhere)


def apply(plan: Plan, edit: Edit) -> tuple[Plan, tuple[int, ...]]:
    """One edit: the new plan, and which things of it were made or changed. Raises `InvalidRequest`."""
    for select in edit.selects:
        _check(select, plan)
    match edit.op:
        case "recolour":
            return _each(plan, edit, lambda thing: thing.model_copy(update={"colour": named(thing.noun, edit.colour)}))
        case "remove":
            return _without(plan, _things(edit.select)), ()
        case "replace":
            return _each(plan, edit, lambda thing: _replaced(thing, edit))
        case "resize":
            return _in_turn(plan, _things(edit.select), lambda rest, thing: _resized(rest, thing, edit.size or ""))
        case "move":
            return spots.moved(plan, edit)
        case "swap":
            return _swapped(plan, edit)
        case "add":
            return _added(plan, edit)
        case "count":
            return _counted(plan, edit)
        case "background":
            return plan.model_copy(update={"background": edit.background}), ()
        case "light":
            return plan.model_copy(update={"light": edit.light}), ()
        case "text":
            return _each(plan, edit, lambda thing: _written(thing, edit.text))
        case _:
            raise InvalidRequest("instruction", f"{edit.words()!r} is nothing that can be done")


def plainly(plan: Plan) -> Plan:
    """The same plan with no colour where a thing has its natural one, as edits leave things."""
    things = [
        thing.model_copy(update={"colour": None})
        if thing.noun in NOUNS and thing.colour == NOUNS[thing.noun].natural
        else thing
        for thing in plan.objects
    ]
    return plan.model_copy(update={"objects": tuple(things)})


def named(noun: str, colour: str | None) -> str | None:
    """The colour as plans have it: None where it is the thing's natural one. `InvalidRequest` if it can take none."""
    known = NOUNS.get(noun)
    if colour is None or known is None:
        return colour
    if colour == known.natural:
        return None
    if not known.recolourable:
        raise InvalidRequest("instruction", f"a {noun} keeps its own colours: it would not be recognised in {colour}")
    return colour


def _check(select: Select, plan: Plan) -> None:
    if not select.things or max(select.things) >= len(plan.objects):
        raise InvalidRequest("instruction", f"{select.words()} is not in the picture")


def _things(select: Select | None) -> tuple[int, ...]:
    return select.things if select else ()


def _each(plan: Plan, edit: Edit, change) -> tuple[Plan, tuple[int, ...]]:
    chosen = _things(edit.select)
    things = tuple(change(thing) if i in chosen else thing for i, thing in enumerate(plan.objects))
    return plan.model_copy(update={"objects": things}), chosen


def _in_turn(plan: Plan, chosen: Sequence[int], change) -> tuple[Plan, tuple[int, ...]]:
    """Change things one by one, each with the plan of all the others."""
    for i in chosen:
        rest = _without(plan, (i,))
        things = list(plan.objects)
        things[i] = change(rest, things[i])
        plan = plan.model_copy(update={"objects": tuple(things)})
    return plan, tuple(chosen)


def _without(plan: Plan, chosen: Sequence[int]) -> Plan:
    return plan.model_copy(update={"objects": tuple(t for i, t in enumerate(plan.objects) if i not in chosen)})


def _replaced(thing: PlanObject, edit: Edit) -> PlanObject:
    """Another noun on the same foot, with the same longer side."""
    noun = edit.noun or thing.noun
    x0, y0, x1, y1 = thing.box
    width, height = sides_for(noun, max(x1 - x0, y1 - y0))
    box = on_foot(((x0 + x1) / 2, y1), width, height)
    return PlanObject(noun=noun, colour=named(noun, edit.colour), box=box)


def on_foot(foot: tuple[float, float], width: float, height: float) -> Box:
    """A box of these sides over the foot (x of its middle, y of its lower edge), pushed into the picture."""
    width, height = min(width, 1 - 2 * EDGE), min(height, 1 - 2 * EDGE)
    left = min(max(foot[0] - width / 2, EDGE), 1 - EDGE - width)
    top = min(max(foot[1] - height, EDGE), 1 - EDGE - height)
    return left, top, left + width, top + height


def _resized(rest: Plan, thing: PlanObject, size: str) -> PlanObject:
    """Larger or smaller on the same foot; where it would then cover others, the nearest place with room."""
    x0, y0, x1, y1 = thing.box
    side = max(x1 - x0, y1 - y0)
    low, high = usual_side(rest, "small"), usual_side(rest, "large")
    wanted = {
        "larger": side * LARGER,
        "smaller": side / LARGER,
        "large": max(high, side * 1.2),
        "small": min(low, side * 0.8),
    }[size]
    wanted = min(max(wanted, LEAST_SIDE), MOST_SIDE)
    if abs(wanted / side - 1) < 0.05:
        raise InvalidRequest("instruction", f"the {thing.noun} is as {'large' if wanted > 0.5 else 'small'} as can be")
    factor = wanted / side
    width, height = (x1 - x0) * factor, (y1 - y0) * factor
    stands = on_foot(((x0 + x1) / 2, y1), width, height)
    if factor < 1:
        return thing.model_copy(update={"box": stands})
    near = free_place(rest, thing.noun, (width, height), middle(stands), grounded=False, least=1.0)
    return thing.model_copy(update={"box": near or stands})


def _swapped(plan: Plan, edit: Edit) -> tuple[Plan, tuple[int, ...]]:
    first, second = _things(edit.select), _things(edit.other)
    if len(first) != 1 or len(second) != 1 or first == second:
        raise InvalidRequest("instruction", "to swap places, two single things are needed")
    i, j = first[0], second[0]
    things = list(plan.objects)
    a, b = things[i], things[j]
    things[i] = a.model_copy(update={"box": _moved_to(a.box, b.box)})
    things[j] = b.model_copy(update={"box": _moved_to(b.box, a.box)})
    return plan.model_copy(update={"objects": tuple(things)}), tuple(sorted((i, j)))


def _moved_to(box: Box, place: Box) -> Box:
    """A box of its own sides on the foot of another."""
    return on_foot(((place[0] + place[2]) / 2, place[3]), box[2] - box[0], box[3] - box[1])


def _added(plan: Plan, edit: Edit) -> tuple[Plan, tuple[int, ...]]:
    noun = edit.noun or ""
    colour = named(noun, edit.colour)
    made: list[int] = []
    longest = usual_side(plan, edit.size, edit.number)
    anchor = spots.anchor_of(plan, edit.spot)
    for _ in range(edit.number):
        _check_room(plan)
        plan, place = spots.added(plan, noun, colour, sides_for(noun, longest), edit.spot, anchor)
        made = [*(i + (i >= place) for i in made), place]
    return plan, tuple(sorted(made))


def _counted(plan: Plan, edit: Edit) -> tuple[Plan, tuple[int, ...]]:
    """More of a noun, fewer, or so many of it. New ones look like those that are there."""
    noun = edit.noun or ""
    shown = [thing.colour or NOUNS[noun].natural for thing in plan.objects if thing.noun == noun]
    there = [
        i
        for i, thing in enumerate(plan.objects)
        if thing.noun == noun and edit.colour in (None, thing.colour or NOUNS[noun].natural)
    ]
    wanted = {"set": edit.number, "more": len(there) + edit.number, "fewer": len(there) - edit.number}[edit.mode or ""]
    name = " ".join(filter(None, (edit.colour, NOUNS[noun].plural)))
    if wanted < 0:
        raise InvalidRequest("instruction", f"there are {len(there)} {name}; {edit.number} fewer cannot be")
    if wanted == len(there):
        raise InvalidRequest("instruction", f"there are {len(there)} {name} already")
    if wanted < len(there):
        # Those on the right go first: what is read first stays.
        order = sorted(there, key=lambda i: middle(plan.objects[i].box))
        return _without(plan, order[wanted:]), ()
    colour = named(noun, edit.colour)
    if edit.colour is None and shown and len(set(shown)) == 1:
        colour = next(thing.colour for thing in plan.objects if thing.noun == noun)
    side = usual_side(plan, None, wanted - len(there))
    if there:
        boxes = [plan.objects[i].box for i in there]
        side = float(np.median([max(box[2] - box[0], box[3] - box[1]) for box in boxes]))
    made: list[int] = []
    for _ in range(wanted - len(there)):
        _check_room(plan)
        near = middle(plan.objects[there[0]].box) if there else None
        plan, place = spots.added(plan, noun, colour, sides_for(noun, side), None, near=near)
        made.append(place)
    return plan, tuple(made)


def _check_room(plan: Plan) -> None:
    if len(plan.objects) >= MAX_OBJECTS:
        raise InvalidRequest("instruction", f"a picture holds at most {MAX_OBJECTS} things")


def _written(thing: PlanObject, text: str | None) -> PlanObject:
    if thing.noun != "sign":
        raise InvalidRequest("instruction", f"a {thing.noun} bears no words; a sign does")
    if not text:
        raise InvalidRequest("instruction", 'what the sign shall say has to stand in quotes: make the sign say "OPEN"')
    return thing.model_copy(update={"text": text.upper()})
