"""Series of pictures that share what no word says: who it is, how it is drawn, how it stands.

Any picture of a series can be the reference of any other: its role says what the two have in common, and everything
else (place, light, arrangement, company) differs and is told by caption and plan. In a joint series the first picture
has two such things, and each of the others shows one of them. It knows nothing of models.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from triptych.core.plan import Plan
from triptych.scenes.captions import caption, named_order
from triptych.scenes.draw import Draw
from triptych.scenes.dressing import ByteImage, Dressed, Look, Style, draw_pose, draw_style, draw_tint
from triptych.scenes.graph import Group, Relation, Scene, SceneObject
from triptych.scenes.heldout import is_heldout
from triptych.scenes.identity import draw_identity
from triptych.scenes.layout import lay_out
from triptych.scenes.levels import Level, level_of
from triptych.scenes.nouns import NOUNS
from triptych.scenes.render import render
from triptych.scenes.sample import sample_scene
from triptych.scenes.sprites import Sprites

SHOTS = 3
"""Pictures of a series."""
Kind = Literal["face", "tint", "style", "pose", "two tints", "tint and style"]
SHARES: Mapping[Kind, float] = {
    "face": 0.32, "tint": 0.22, "style": 0.16, "pose": 0.14, "two tints": 0.09, "tint and style": 0.07,
}  # fmt: skip
_STREAM = 0x5E21E5
_ALONE = 0.6
"""So many pictures of a face or thing show nothing else, as references mostly do."""


@dataclass(frozen=True)
class Shot:
    """One picture. text: true of it, and silent about what the series shares."""

    scene: Scene
    text: str
    looks: Mapping[str, Look] = field(default_factory=dict[str, Look])
    style: Style | None = None

    @property
    def plan(self) -> Plan:
        return self.scene.plan(named_order(self.scene, self.text))

    def picture(self, size: int, sprites: Sprites) -> ByteImage:
        """(size, size, 3) uint8."""
        pixels = render(self.scene, size, Dressed(sprites, self.looks) if self.looks else sprites)
        return pixels if self.style is None else self.style.on(pixels)


@dataclass(frozen=True)
class Series:
    """Of a joint kind only the first picture may be the one that is made; both others are its references."""

    kind: Kind
    shots: tuple[Shot, ...]


ROLES: Mapping[Kind, tuple[str, ...]] = {
    "face": ("identity",) * SHOTS,
    "tint": ("identity",) * SHOTS,
    "style": ("style",) * SHOTS,
    "pose": ("pose",) * SHOTS,
    "two tints": ("identity",) * SHOTS,
    "tint and style": ("identity", "identity", "style"),
}
"""What each picture of a series is good for as a reference."""
JOINT: tuple[Kind, ...] = ("two tints", "tint and style")


def kind_of(seed: int, index: int) -> Kind:
    """Of series `index`, without drawing it."""
    return Draw(seed, index, _STREAM).weighted(tuple(SHARES), tuple(SHARES.values()))


def draw_series(level: str | Level, seed: int, index: int, kind: Kind | None = None) -> Series:
    """Series `index` of the endless row `seed`; of one kind, or of any in the shares of `SHARES`."""
    world = level_of(level)
    draw = Draw(seed, index, _STREAM)
    kind = kind or draw.weighted(tuple(SHARES), tuple(SHARES.values()))
    maker = _Maker(world, seed, index, draw)
    shots = maker.joint(kind) if kind in JOINT else maker.single(kind)
    return Series(kind, shots)


@dataclass
class _Maker:
    world: Level
    seed: int
    index: int
    draw: Draw

    def single(self, kind: Kind) -> tuple[Shot, ...]:
        draw = self.draw
        if kind == "style":
            style = draw_style(draw)
            return tuple(self._shot(self._scene(k), style=style) for k in range(SHOTS))
        if kind == "face":
            who = Group("face", kind="face", face=draw_identity(draw))
            return tuple(self._shot(self._with(k, who)) for k in range(SHOTS))
        noun = self._noun()
        if kind == "tint":
            looks = {noun: Look(tint=draw_tint(draw))}
            return tuple(self._shot(self._with(k, Group(noun)), looks) for k in range(SHOTS))
        looks = {noun: draw_pose(draw)}
        return tuple(self._shot(self._with(k, self._coloured(noun)), looks) for k in range(SHOTS))

    def joint(self, kind: Kind) -> tuple[Shot, ...]:
        draw = self.draw
        first, second = draw.sample([noun for noun in self.world.sprites if NOUNS[noun].recolourable], 2)
        looks = {first: Look(tint=draw_tint(draw))}
        if kind == "tint and style":
            style = draw_style(draw)
            target = self._shot(self._with(0, Group(first)), looks, style)
            other = self._shot(self._scene(2), style=style)
            return target, self._shot(self._with(1, Group(first)), looks), other
        looks[second] = Look(tint=draw_tint(draw))
        pair = (Group(first), Group(second))
        relation = Relation(0, draw.pick(("left of", "right of", "above", "below")), 1)
        target = self._shot(self._placed(self._scene(0), pair, (relation,)), looks)
        rest = (self._shot(self._with(k, Group(noun)), looks) for k, noun in ((1, first), (2, second)))
        return target, *rest

    def _shot(self, scene: Scene, looks: Mapping[str, Look] | None = None, style: Style | None = None) -> Shot:
        """With a caption that leaves a face's traits out."""
        groups = tuple(dataclasses.replace(group, face=None) for group in scene.groups)
        text = caption(dataclasses.replace(scene, groups=groups), self.draw.integer(0, 2**16))
        return Shot(scene, text, looks or {}, style)

    def _noun(self) -> str:
        return self.draw.pick([noun for noun in self.world.sprites if NOUNS[noun].recolourable])

    def _coloured(self, noun: str) -> Group:
        """In any colour that may be trained on, so that a pose is not told by it."""
        allowed = [colour for colour in self.world.colours if not is_heldout(noun, colour, 1)]
        return Group(noun, self.draw.pick(allowed) if self.draw.chance(0.7) else None)

    def _scene(self, number: int) -> Scene:
        return sample_scene(self.world, self.seed, self.index * SHOTS + number)

    def _with(self, number: int, group: Group) -> Scene:
        """A scene whose first group is this one: alone and large, or in the company that the scene has anyway."""
        scene, draw = self._scene(number), self.draw
        others = scene.groups[1:]
        if group.kind == "face":  # a small one shows nobody in particular
            group = dataclasses.replace(group, size="large")
        if draw.chance(_ALONE) or any(other.noun == group.noun for other in others):
            alone = dataclasses.replace(group, size=draw.pick(("normal", "large")))
            return self._placed(scene, (alone,), ())
        return self._placed(scene, (group, *others), scene.relations)

    def _placed(self, scene: Scene, groups: tuple[Group, ...], relations: tuple[Relation, ...]) -> Scene:
        objects = tuple(
            SceneObject(item.group, one.noun, one.colour, item.box, one.kind, one.text, one.face)
            for item in lay_out(groups, relations, scene.background, self.draw)
            for one in (groups[item.group],)
        )
        return dataclasses.replace(scene, groups=groups, relations=relations, objects=objects)
