"""A prompt of the table with its exact truth: what the words ask for, and a scene that shows it.

Everything is a function of (row, split, index): texts, seeds, and the scenes that stand for a right answer. It knows
nothing of readers, rules or models.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from triptych.core.plan import Box
from triptych.scenes import Group, Level, Relation, Scene, SceneObject
from triptych.scenes.backgrounds import BACKGROUNDS, VARIANTS
from triptych.scenes.draw import Draw
from triptych.scenes.layout import lay_out
from triptych.scenes.nouns import NOUNS

Split = Literal["report", "development"]
SPLITS: tuple[Split, ...] = ("report", "development")

_STREAM = 0x7AB1E
_CELLS = 64
_TRIES = 16  # layouts of an occlusion, of which the one that hides about so much is taken:
_HIDDEN = 0.4
_LIGHT_SHARE = 0.5  # as in the scenes that models are trained on


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt. `rule` names the rule of `triptych.evals.judge` that decides whether a picture shows it.

    groups, relations, light, background: what the words state; a background or light of None is left to the model.
    absent: nouns that must not be there. case: a subset of the row that is told apart ("seen", "3 facts").
    pair: prompts with the same number belong together. scene: where the words are a caption, the scene it is of.
    """

    row: str
    split: Split
    index: int
    text: str
    rule: str
    groups: tuple[Group, ...] = ()
    relations: tuple[Relation, ...] = ()
    background: str | None = None
    light: str | None = None
    absent: tuple[str, ...] = ()
    case: str = ""
    pair: int | None = None
    scene: Scene | None = None

    def seed(self, k: int) -> int:
        """The seed of picture k: even in the report, odd in development, so that no picture is ever in both."""
        word = f"{self.split}/{self.row}/{self.index}/{k}".encode()
        number = int.from_bytes(hashlib.sha256(word).digest()[:4]) & 0x7FFFFFFE
        return number | (self.split == "development")


def truth(prompt: Prompt, level: Level, k: int = 0) -> Scene:
    """Scene k that satisfies the prompt: what the words leave open is drawn as training scenes draw it."""
    if prompt.scene is not None:
        return prompt.scene
    draw = Draw(prompt.seed(k), k, _STREAM)
    background = prompt.background or draw.pick(visible_on(prompt.groups, level, prompt.absent))
    light = prompt.light or (draw.pick(level.lights) if draw.chance(_LIGHT_SHARE) else None)
    relations = prompt.relations
    if len(prompt.groups) > 1 and not relations:
        relations = (Relation(0, draw.pick(("left of", "right of", "above", "below")), 1),)
    variant = draw.integer(0, VARIANTS - 1)
    hiding = bool(relations) and relations[0].kind in ("in front of", "behind")
    tries = [_objects(prompt.groups, relations, background, draw) for _ in range(_TRIES if hiding else 1)]
    objects = min(tries, key=lambda each: abs(_hidden(each) - _HIDDEN)) if hiding else tries[0]
    return Scene(level.name, prompt.seed(k), k, background, light, variant, prompt.groups, objects, relations)


def visible_on(groups: tuple[Group, ...], level: Level, absent: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The backgrounds on which every group can be seen, and which show nothing that may pass for an absent thing."""
    colours = {group.colour or NOUNS[group.noun].natural for group in groups}
    return tuple(
        name
        for name in level.backgrounds
        if not colours & set(BACKGROUNDS[name].hides) and not set(absent) & set(BACKGROUNDS[name].shows)
    )


def _objects(
    groups: tuple[Group, ...], relations: tuple[Relation, ...], background: str, draw: Draw
) -> tuple[SceneObject, ...]:
    placed = [(each, groups[each.group]) for each in lay_out(groups, relations, background, draw)]
    return tuple(
        SceneObject(each.group, group.noun, group.colour, each.box, group.kind, group.text, group.face)
        for each, group in placed
    )


def _hidden(objects: tuple[SceneObject, ...]) -> float:
    """The share of the back thing that the front one hides, both taken as the ellipses in their boxes.

    Things have round corners: boxes that overlap by a tenth may hide nothing.
    """
    back, front = (_inside(thing.box) for thing in objects)
    return float((back & front).sum() / back.sum())


def _inside(box: Box) -> npt.NDArray[np.bool_]:
    """The cells of a grid over the picture that lie in the box's ellipse."""
    x0, y0, x1, y1 = box
    steps = (np.arange(_CELLS) + 0.5) / _CELLS
    x, y = (2 * steps - x0 - x1) / (x1 - x0), (2 * steps - y0 - y1) / (y1 - y0)
    return x[None, :] ** 2 + y[:, None] ** 2 <= 1
