"""What reference pictures say of the plan: how large things are (`scale`) and where they stand (`layout`).

A plan says both exactly, for every family, and can be seen before anything is painted; so these two roles act through
it and not through the painter's eyes. What is in a reference the readers tell. For `identity` a plan may also name what
the plan writer never heard of (a face): a known noun of about its shape stands in while the plan is written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from triptych.core.asset import Asset
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import PLANNED_ROLES, Reference
from triptych.core.plan import Box, Plan, PlanObject
from triptych.core.request import Request
from triptych.evals.readers.decode import PRESENT
from triptych.evals.reading import Detection, Reading
from triptych.scenes.nouns import NOUNS

STRANGER = 0.5
"""A place where a thing of another noun stands counts as so much further away, in widths of the picture."""

Read = Callable[[Asset], Reading]


def planned(request: Request) -> list[Reference]:
    """The references that act through the plan."""
    return [one for one in request.references if one.role in PLANNED_ROLES]


def seen(one: Reference, read: Read) -> tuple[Detection, ...]:
    """The things in a reference, the largest first; `InvalidRequest` where the readers see none."""
    things = [thing for thing in read(one.asset).things if thing.score >= PRESENT]
    if not things:
        name = one.asset.name or "the picture"
        raise InvalidRequest("references", f"nothing that is known is seen in {name!r}, so it tells no {one.role}")
    return tuple(sorted(things, key=lambda thing: -_area(thing.box)))


def referred(plan: Plan, request: Request, read: Read) -> Plan:
    """The plan with its things where references of role `layout` have theirs, and as large as in those of `scale`."""
    for one in sorted(planned(request), key=lambda one: PLANNED_ROLES.index(one.role), reverse=True):
        things = seen(one, read)
        plan = laid_out(plan, things) if one.role == "layout" else scaled(plan, things)
    return plan


def laid_out(plan: Plan, things: Sequence[Detection]) -> Plan:
    """Each object takes the place of one thing: of its own noun if there is one, else the nearest, so that what the
    words say of left and right still holds where it can. Objects beyond the things stay.
    """
    order = _matched(plan.objects, things)
    objects = [
        item if k is None else _at(item, things[k].box, _centre(things[k].box))
        for item, k in zip(plan.objects, order, strict=True)
    ]
    return plan.model_copy(update={"objects": tuple(objects)})


def scaled(plan: Plan, things: Sequence[Detection]) -> Plan:
    """Objects as large as things of their noun; where no noun is shared, the largest object as the largest thing."""
    by_noun = {thing.noun: thing for thing in reversed(things)}
    if not any(item.noun in by_noun for item in plan.objects) and plan.objects:
        by_noun = {max(plan.objects, key=lambda item: _area(item.box)).noun: things[0]}
    objects = [_standing(item, by_noun[item.noun].box) if item.noun in by_noun else item for item in plan.objects]
    return plan.model_copy(update={"objects": tuple(objects)})


@dataclass(frozen=True)
class StandIns:
    """A prompt that the plan writer can read, and what its stand-ins mean."""

    prompt: str
    meaning: Mapping[str, str]

    def named(self, plan: Plan) -> Plan:
        """The plan with every stand-in called what it stands for, in no colour of its own."""
        objects = [
            item.model_copy(update={"noun": self.meaning[item.noun], "colour": None})
            if item.noun in self.meaning
            else item
            for item in plan.objects
        ]
        return plan.model_copy(update={"objects": tuple(objects)})


def stand_ins(prompt: str, meanings: Mapping[str, str], known: Sequence[str]) -> StandIns:
    """Nouns of the world that are not `known` to the plan writer, each replaced by an unused known one of its shape.

    meanings: every word for a thing -> its noun.
    """
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", prompt)]
    named = {meanings.get(word, word) for word in words}
    free = [NOUNS[noun] for noun in known if noun in NOUNS and noun not in named]
    found: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        word = match[0].lower()
        noun = meanings.get(word, word)
        if noun not in NOUNS or noun in known:
            return match[0]
        if noun not in found and free:
            wanted = NOUNS[noun]
            like = min(free, key=lambda one: (one.flies != wanted.flies, abs(math.log(one.aspect / wanted.aspect))))
            free.remove(like)
            found[noun] = like.name
        if noun not in found:
            return match[0]
        return NOUNS[found[noun]].plural if word == NOUNS[noun].plural else found[noun]

    readable = re.sub(r"[A-Za-z]+", replace, prompt)
    return StandIns(readable, {stand_in: noun for noun, stand_in in found.items()})


def _matched(objects: Sequence[PlanObject], things: Sequence[Detection]) -> list[int | None]:
    """For each object the number of its thing, or None: swapped until no swap brings objects nearer to their places."""
    slots: list[int | None] = [*range(len(things)), *[None] * max(len(objects) - len(things), 0)]

    def cost(item: PlanObject, slot: int | None) -> float:
        if slot is None:
            return 0.0
        thing = things[slot]
        return math.dist(_centre(item.box), _centre(thing.box)) + STRANGER * (thing.noun != item.noun)

    def gain(i: int, j: int) -> float:
        before, after = cost(objects[i], slots[i]), cost(objects[i], slots[j])
        if j < len(objects):
            before, after = before + cost(objects[j], slots[j]), after + cost(objects[j], slots[i])
        # An object may not lose its place to nobody while a place is free.
        kept = (slots[i] is None) == (slots[j] is None) or j < len(objects)
        return before - after if kept else 0.0

    swapped = True
    while swapped:
        swapped = False
        for i in range(len(objects)):
            for j in range(i + 1, len(slots)):
                if gain(i, j) > 1e-9:
                    slots[i], slots[j] = slots[j], slots[i]
                    swapped = True
    return slots[: len(objects)]


def _at(item: PlanObject, like: Box, centre: tuple[float, float]) -> PlanObject:
    """The object in its own proportions, on as large a share of the picture as the box `like`, around a centre."""
    width, height = item.box[2] - item.box[0], item.box[3] - item.box[1]
    ratio = math.sqrt(_area(like) / (width * height))
    ratio = min(ratio, 1 / width, 1 / height)
    width, height = width * ratio, height * ratio
    x = min(max(centre[0], width / 2), 1 - width / 2)
    y = min(max(centre[1], height / 2), 1 - height / 2)
    return item.model_copy(update={"box": (x - width / 2, y - height / 2, x + width / 2, y + height / 2)})


def _standing(item: PlanObject, like: Box) -> PlanObject:
    """As large as `like`, its foot where it was."""
    x0, _, x1, foot = item.box
    grown = _at(item, like, _centre(item.box))
    height = grown.box[3] - grown.box[1]
    return _at(item, like, ((x0 + x1) / 2, foot - height / 2))


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
