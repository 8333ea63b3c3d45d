"""A scene as a typed graph: groups of like things, where each thing stands, and how the groups relate.

The caption and the picture are two renderings of it, and `facts` its exact truth. It knows nothing of pixels or
wording.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from triptych.core.plan import Box, Plan, PlanObject
from triptych.scenes.backgrounds import detail_of
from triptych.scenes.identity import Face

Kind = Literal["sprite", "sign", "face"]
FactKind = Literal[
    "presence", "count", "colour", "size", "place", "relation", "background", "light", "text", "detail", "trait"
]  # fmt: skip

RELATIONS: tuple[str, ...] = ("left of", "right of", "above", "below", "in front of", "behind")
INVERSE = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "in front of": "behind",
    "behind": "in front of",
}


@dataclass(frozen=True, slots=True)
class Group:
    """Things that a caption names in one breath: "three red foxes". `colour` is None for the natural one.

    `place` is set only where the caption may state it. `text` is what a sign says, `face` who a face is.
    """

    noun: str
    colour: str | None = None
    count: int = 1
    size: str = "normal"
    place: str | None = None
    kind: Kind = "sprite"
    text: str | None = None
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class SceneObject:
    """One thing. `group` is its index in `Scene.groups`; the box is x0, y0, x1, y1 in fractions of the picture."""

    group: int
    noun: str
    colour: str | None
    box: Box
    kind: Kind = "sprite"
    text: str | None = None
    face: Face | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """Group `subject` stands `kind` group `object`: "left of", "in front of", ..., as the viewer sees it."""

    subject: int
    kind: str
    object: int


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is true of a scene.

    `about` is a noun, "scene", a background's detail (value 1 or 0) or a face's trait. A relation names its
    second noun in `other`.
    """

    kind: FactKind
    about: str
    value: str | int
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything there is to know of a picture. `objects` go from back to front: a later one hides an earlier one.

    `variant` chooses the background's arrangement; `light` is None where it has no direction.
    """

    level: str
    seed: int
    index: int
    background: str
    light: str | None
    variant: int
    groups: tuple[Group, ...] = ()
    objects: tuple[SceneObject, ...] = ()
    relations: tuple[Relation, ...] = ()

    @property
    def detail(self) -> tuple[str, bool] | None:
        """What the background may or may not hold ("clouds", "trees"), and whether it does here."""
        return detail_of(self.background, self.variant)

    def plan(self, named: Sequence[int] = ()) -> Plan:
        """The plan that a planner should write for this scene's caption.

        Things that hide one another come from back to front. Where nothing does, any order paints the same picture,
        and the order is that of the words: group by group, from left to right, which is the easiest to learn. named:
        the groups in the order in which a caption names them; without it, in their own.
        """
        things = self.objects
        if not any(_overlap(a.box, b.box) for a, b in itertools.combinations(things, 2)):
            rank = {group: place for place, group in enumerate(named or range(len(self.groups)))}
            things = tuple(sorted(things, key=lambda thing: (rank[thing.group], thing.box[0], thing.box[1])))
        return Plan(
            background=self.background,
            light=self.light,
            objects=tuple(
                PlanObject(noun=thing.noun, colour=thing.colour, box=thing.box, text=thing.text) for thing in things
            ),
        )

    def facts(self) -> tuple[Fact, ...]:
        """The exact truth, one atom at a time."""
        facts = [Fact("background", "scene", self.background)]
        detail = self.detail
        if detail is not None:
            facts.append(Fact("detail", detail[0], int(detail[1])))
        if self.light is not None:
            facts.append(Fact("light", "scene", self.light))
        for group in self.groups:
            facts.append(Fact("presence", group.noun, 1))
            facts.append(Fact("count", group.noun, group.count))
            if group.colour is not None:
                facts.append(Fact("colour", group.noun, group.colour))
            if group.size != "normal":
                facts.append(Fact("size", group.noun, group.size))
            if group.place is not None:
                facts.append(Fact("place", group.noun, group.place))
            if group.text is not None:
                facts.append(Fact("text", group.noun, group.text))
            if group.face is not None:
                facts += [Fact("trait", trait, value) for trait, value in group.face.traits().items()]
        for relation in self.relations:
            subject, other = self.groups[relation.subject], self.groups[relation.object]
            facts.append(Fact("relation", subject.noun, relation.kind, other.noun))
        return tuple(facts)

    def without_objects(self) -> Scene:
        """The empty place: same background, same light."""
        return dataclasses.replace(self, groups=(), objects=(), relations=())


def _overlap(first: Box, second: Box) -> bool:
    """Whether two boxes share more than an edge."""
    return all(max(first[k], second[k]) < min(first[k + 2], second[k + 2]) for k in (0, 1))
