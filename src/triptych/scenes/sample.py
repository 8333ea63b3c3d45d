"""Drawing a scene of a level: which things, how many, in which colour, where, in what light.

It knows nothing of pixels or wording. The scene depends on (level, seed, index, split) alone.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

from triptych.core.errors import InvalidRequest, one_of
from triptych.scenes.backgrounds import BACKGROUNDS, VARIANTS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import RELATIONS, Group, Relation, Scene, SceneObject
from triptych.scenes.heldout import is_heldout
from triptych.scenes.identity import draw_identity
from triptych.scenes.layout import lay_out
from triptych.scenes.levels import Level, level_of
from triptych.scenes.nouns import NOUNS
from triptych.scenes.signs import draw_word

Split = Literal["train", "heldout"]

_STREAM = 0x5CE7E
_COLOUR_SHARE = 0.5  # of the groups; the others keep their natural colour
_PLACE_SHARE = 0.3  # of the scenes with one group
_SIZE_SHARE = 0.25
_LIGHT_SHARE = 0.5


def sample_scene(level: str | Level, seed: int, index: int, split: Split = "train") -> Scene:
    """Scene `index` of the endless series `seed`. Raises `InvalidRequest` for an unknown level or split.

    The training split never holds a held-out combination (`triptych.scenes.heldout`); in every scene of the held-out
    split, the first group is one.
    """
    world = level_of(level)
    one_of("split", split, ("train", "heldout"))
    draw = Draw(seed, index, _STREAM if split == "train" else ~_STREAM)
    background = draw.pick(world.backgrounds)
    light = draw.pick(world.lights) if draw.chance(_LIGHT_SHARE) else None
    variant = draw.integer(0, VARIANTS - 1)
    counts = _draw_counts(world, draw)
    nouns = draw.sample(world.sprites, len(counts))
    groups: list[Group] = []
    for i, (noun, count) in enumerate(zip(nouns, counts, strict=True)):
        if split == "heldout" and i == 0:
            groups.append(_draw_heldout_group(world, count, background, draw))
        else:
            groups.append(_draw_group(world, noun, count, background, draw))
    groups = _without_twins(groups, world, background, draw)
    if len(groups) == 1 and draw.chance(_PLACE_SHARE):
        groups[0] = _with_place(groups[0], world, draw)
    relations = _draw_relations(tuple(groups), draw)
    placed = lay_out(tuple(groups), relations, background, draw)
    objects = tuple(_thing(item.group, groups[item.group], item.box) for item in placed)
    return Scene(world.name, seed, index, background, light, variant, tuple(groups), objects, relations)


def _thing(index: int, group: Group, box: tuple[float, float, float, float]) -> SceneObject:
    return SceneObject(index, group.noun, group.colour, box, group.kind, group.text, group.face)


def _draw_counts(world: Level, draw: Draw) -> tuple[int, ...]:
    """Of each kind how many: 45 % one thing, 25 % several of a kind, 30 % two or three kinds."""
    fate = draw.unit()
    if fate < 0.45 or world.max_things == 1:
        return (1,)
    if fate < 0.70 or world.max_kinds == 1:
        return (draw.integer(2, world.max_things),)
    if fate < 0.92 or world.max_kinds == 2 or world.max_things == 2:
        pairs = [pair for pair in ((1, 1), (1, 2), (2, 1), (2, 2)) if sum(pair) <= world.max_things]
        return draw.weighted(pairs, (6, 1, 1, 1)[: len(pairs)])
    return (1, 1, 1)


def _draw_group(world: Level, noun: str, count: int, background: str, draw: Draw) -> Group:
    """A group that may be trained on and that can be seen on the background."""
    fate = draw.unit()
    if fate < world.sign_share:
        return _draw_sign(world, draw, heldout=False)
    if fate < world.sign_share + world.face_share:
        return Group("face", kind="face", face=draw_identity(draw))
    size = draw.pick([s for s in world.sizes if s != "normal"]) if draw.chance(_SIZE_SHARE) else "normal"
    hides = BACKGROUNDS[background].hides
    while NOUNS[noun].natural in hides and not NOUNS[noun].recolourable:
        noun = draw.pick(world.sprites)
    must = NOUNS[noun].natural in hides
    colour = None
    if NOUNS[noun].recolourable and (must or draw.chance(_COLOUR_SHARE)):
        allowed = [c for c in world.colours if c not in hides and not is_heldout(noun, c, count)]
        colour = draw.pick(allowed) if allowed else None
    return Group(noun, colour, count, size)


def _draw_heldout_group(world: Level, count: int, background: str, draw: Draw) -> Group:
    """A group that is never trained on: noun x colour, colour x count, or a sign's word."""
    if draw.chance(world.sign_share):
        return _draw_sign(world, draw, heldout=True)
    hides = BACKGROUNDS[background].hides
    pairs = [
        (noun, colour)
        for noun in world.sprites
        for colour in world.colours
        if NOUNS[noun].recolourable and colour not in hides and is_heldout(noun, colour, count)
    ]
    if not pairs:
        raise InvalidRequest("level", f"{world.name} holds nothing that is kept from training")
    noun, colour = draw.pick(pairs)
    return Group(noun, colour, count)


def _draw_sign(world: Level, draw: Draw, *, heldout: bool) -> Group:
    word = draw_word(draw, heldout=heldout)
    colours = [colour for colour in world.colours if not is_heldout("sign", colour, 1)]
    colour = draw.pick(colours) if draw.chance(_COLOUR_SHARE) else None
    return Group("sign", colour, kind="sign", text=word)


def _without_twins(groups: list[Group], world: Level, background: str, draw: Draw) -> list[Group]:
    """Two groups of one noun would be one group to a reader: give the later one another noun."""
    for i in range(1, len(groups)):
        while groups[i].noun in {group.noun for group in groups[:i]}:
            groups[i] = _draw_group(world, draw.pick(world.sprites), groups[i].count, background, draw)
    return groups


def _with_place(group: Group, world: Level, draw: Draw) -> Group:
    """State the place of a group small enough to be somewhere in particular."""
    if group.count > 2:
        return group
    size = "normal" if group.size == "large" else group.size
    places = [place for place in world.places if place != "centre" or group.count == 1]
    return dataclasses.replace(group, size=size, place=draw.pick(places))


def _draw_relations(groups: tuple[Group, ...], draw: Draw) -> tuple[Relation, ...]:
    if len(groups) < 2:
        return ()
    if len(groups) == 3:
        first = Relation(0, draw.pick(("left of", "right of")), 1)
        kind = draw.pick((first.kind, "above", "below"))
        return first, Relation(1, kind, 2) if kind == first.kind else Relation(2, kind, 0)
    alone = groups[0].count == groups[1].count == 1
    return (Relation(0, draw.pick(RELATIONS if alone else RELATIONS[:4]), 1),)
