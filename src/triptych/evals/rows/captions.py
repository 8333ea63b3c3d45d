"""Rows whose prompts are captions of sampled scenes: many facts at once, faces, and signs. Knows no rule."""

from __future__ import annotations

import functools

from triptych.evals.rows.prompt import Prompt
from triptych.evals.rows.words import opening, phrase
from triptych.scenes import Fact, Group, Level, Scene, SceneObject, caption, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.identity import draw_identity
from triptych.scenes.layout import lay_out
from triptych.scenes.signs import draw_word

ATOMICITY = tuple(range(3, 11))
"""GenEval 2's range: so many facts a prompt."""

_SEED = 0x7AB1E5CE  # far from the seeds that training draws from
_KEPT = 40  # scenes of each atomicity: both splits and some to spare
_SEARCHED = 60_000


def facts_of(scene: Scene) -> tuple[Fact, ...]:
    """The facts that a dense caption states: all but the background's detail."""
    return tuple(fact for fact in scene.facts() if fact.kind != "detail")


def atomicity(scene: Scene) -> int:
    """How many facts count as atoms: the "a" of a single thing is judged but, as in GenEval 2, not counted."""
    return sum(not (fact.kind == "count" and fact.value == 1) for fact in facts_of(scene))


def complex_(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """A dense caption with 3 to 10 facts, by turns."""
    found = _by_atomicity(level)
    sizes = [size for size in ATOMICITY if found[size]]
    size = sizes[n % len(sizes)]
    if n // len(sizes) >= len(found[size]):
        return []
    scene = found[size][n // len(sizes)]
    return [_caption("complex", "facts", scene, draw, f"{size} facts")]


def text(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """'a sign that says "OPEN"': a word that training scenes may hold, and one that none does"""
    start = opening(draw)
    pair: list[Prompt] = []
    for known in ("seen", "never seen"):
        word = draw_word(draw, heldout=known == "never seen")
        group = Group("sign", kind="sign", text=word)
        case = f"{known}, {'1-4' if len(word) <= 4 else '5-10'} letters"
        pair.append(Prompt("text", "report", 0, start + phrase(group), "text", (group,), case=case))
    return pair


def face(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """A caption of one face, with every trait that words can tell."""
    group = Group("face", kind="face", face=draw_identity(draw))
    background = draw.pick(level.backgrounds)
    box = lay_out((group,), (), background, draw)[0].box
    thing = SceneObject(0, "face", None, box, "face", None, group.face)
    scene = Scene(level.name, _SEED, n, background, None, draw.integer(0, 3), (group,), (thing,))
    return [_caption("face", "face", scene, draw)]


def diversity(level: Level, n: int, draw: Draw) -> list[Prompt]:
    """A prompt that leaves place, size, background and light open: "a fox", "two birds"."""
    noun = level.sprites[n % len(level.sprites)]
    group = Group(noun, count=1 + (n // len(level.sprites)) % 2)
    if group.count > level.max_things:
        return []
    return [Prompt("diversity", "report", 0, opening(draw) + phrase(group), "geneval", (group,))]


def _caption(row: str, rule: str, scene: Scene, draw: Draw, case: str = "") -> Prompt:
    words = caption(scene, draw.integer(0, 2**20), "dense")
    return Prompt(
        row, "report", 0, words, rule, scene.groups, scene.relations, scene.background, scene.light,
        case=case, scene=scene,
    )  # fmt: skip


@functools.cache
def _by_atomicity(level: Level) -> dict[int, list[Scene]]:
    """Scenes of the level by how many facts they have, from a series of its own."""
    found: dict[int, list[Scene]] = {size: [] for size in ATOMICITY}
    plain = frozenset(level.sprites)
    for index in range(_SEARCHED):
        scene = sample_scene(level, _SEED, index)
        size = atomicity(scene)
        if size in found and len(found[size]) < _KEPT and _all_can_be_seen(scene, plain):
            found[size].append(scene)
            if all(len(scenes) == _KEPT for scenes in found.values()):
                break
    return found


def _all_can_be_seen(scene: Scene, plain: frozenset[str]) -> bool:
    """No sign or face, which have rows of their own, and where a light is stated, something that casts a shadow."""
    horizon = BACKGROUNDS[scene.background].horizon
    casts = scene.light is None or any(thing.box[3] > horizon for thing in scene.objects)
    return casts and all(group.noun in plain for group in scene.groups)
