"""Pairs to learn edits from: a scene, an instruction in many wordings, and the scene as it is after that.

A pair is drawn program first: a scene of the built-in world, edits that fit it, words for each. What the edits do is
what `instruct.apply` does, so the second scene, and with it which pixels may differ (`instruct.reach`), is exact. The
held-out split words its edits as training never does, or asks for a noun in a colour that training never asks for.
Everything is a function of (level, seed, index, split). Knows no network and no pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan
from triptych.editing.instruct import phrases
from triptych.editing.instruct.apply import Applied, apply, difference
from triptych.editing.instruct.program import Edit
from triptych.editing.instruct.refer import Named, refer
from triptych.editing.instruct.wishes import Split, fails, new_thing, one_edit, worded
from triptych.scenes import caption, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import Group, Scene, SceneObject
from triptych.scenes.heldout import is_heldout
from triptych.scenes.levels import LEVELS, Level
from triptych.scenes.nouns import NOUNS

_STREAMS = {"train": 0xED17, "phrasing": 0xED18, "combination": 0xED19}
MOST_EDITS = 3
_LIST_SHARE = 0.2
_KEEP_SHARE = 0.12
MOST_THINGS = 8
_TRIES = 40
_WEIGHTS = {
    "recolour": 16, "remove": 12, "replace": 11, "move": 17, "resize": 9, "swap": 3, "add": 17, "count": 9,
    "background": 10, "light": 5, "text": 3, "unread": 5,
}  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """What the editor sees before one edit, and the edit. touched: what the edit before it made or changed."""

    plan: Plan
    done: int
    touched: tuple[int, ...]
    edit: Edit


@dataclass(frozen=True)
class Pair:
    """source: the scene that is edited. instruction: words for `program`. applied: what became of the scene's plan.

    turns: the edits one by one as the editor learns to write them; the last one is "done", or "unread".
    """

    source: Scene
    instruction: str
    turns: tuple[Turn, ...]
    applied: Applied

    @property
    def program(self) -> tuple[Edit, ...]:
        return tuple(turn.edit for turn in self.turns[:-1])

    @property
    def readable(self) -> bool:
        return self.turns[-1].edit.op == "done"


def draw_pair(level: str | Level, seed: int, index: int, split: Split = "train", *, only: str | None = None) -> Pair:
    """Pair `index` of the endless series `seed`. only: the operation of a pair with a single edit."""
    world = LEVELS[level] if isinstance(level, str) else level
    draw = Draw(seed, index, _STREAMS[split])
    source = _source(world, seed, index, draw)
    plan = source.plan() if draw.chance(0.5) else source.plan().model_copy(update={"light": None})
    for _ in range(_TRIES):
        made = _pair(world, source, plan, split, draw, only)
        if made is not None:
            return made
    raise InvalidRequest("level", f"{world.name}: nothing can be edited in scene {seed}/{index}")


def draw_edit(
    plan: Plan, level: str | Level, seed: int, index: int, ops: Sequence[str], *, most: int = MOST_THINGS
) -> tuple[str, Edit, Plan]:
    """An edit of this very plan that can be done: words, edit, and the plan after it. most: so many things at most."""
    world, draw = LEVELS[level] if isinstance(level, str) else level, Draw(seed, index, _STREAMS["train"] + 16)
    for _ in range(4 * _TRIES):
        made = one_edit(draw.pick(ops), plan, world, "train", draw, (), None)
        if made is None or fails(made[1]):
            continue
        try:
            after, _ = apply(plan, made[1])
        except InvalidRequest:
            continue
        if after != plan and 1 <= len(after.objects) <= most:
            return *made, after
    raise InvalidRequest("ops", f"none of {', '.join(ops)} can be done to this plan")


def scene_of(plan: Plan, like: Scene) -> Scene:
    """A scene that looks as a plan says, with the arrangement of another one's background."""
    known = {(thing.noun, thing.text): thing for thing in like.objects}
    groups: list[Group] = []
    objects: list[SceneObject] = []
    for number, thing in enumerate(plan.objects):
        old = known.get((thing.noun, thing.text)) or known.get((thing.noun, None))
        kind = "sign" if thing.text else "face" if thing.noun == "face" and old else "sprite"
        face = old.face if old else None
        groups.append(Group(thing.noun, thing.colour, kind=kind, text=thing.text, face=face))
        objects.append(SceneObject(number, thing.noun, thing.colour, thing.box, kind, thing.text, face))
    return replace(like, background=plan.background, light=plan.light, groups=tuple(groups), objects=tuple(objects),
                   relations=())  # fmt: skip


def _source(level: Level, seed: int, index: int, draw: Draw) -> Scene:
    """A scene with more alike things than the world's own: they are what words have to tell apart."""
    scene = sample_scene(level, seed, index)
    things = list(scene.objects)
    if len(things) > 1 and draw.chance(0.25):  # one more of a kind
        i, j = draw.sample(range(len(things)), 2)
        if things[i].kind == things[j].kind == "sprite":
            things[i] = replace(things[i], noun=things[j].noun, colour=things[j].colour)
    for i, thing in enumerate(things):
        hides = BACKGROUNDS[scene.background].hides
        if thing.kind == "sprite" and NOUNS[thing.noun].recolourable and draw.chance(0.2):
            allowed = [c for c in level.colours if c not in hides and not is_heldout(thing.noun, c, 1)
                       and c != NOUNS[thing.noun].natural]  # fmt: skip
            things[i] = replace(thing, colour=draw.pick(allowed))
    groups = tuple(Group(t.noun, t.colour, kind=t.kind, text=t.text, face=t.face) for t in things)
    objects = tuple(replace(thing, group=number) for number, thing in enumerate(things))
    return replace(scene, groups=groups, objects=objects, relations=())


def _pair(level: Level, source: Scene, plan: Plan, split: Split, draw: Draw, only: str | None) -> Pair | None:
    """One try: None if the edits do not fit the scene."""
    fate = draw.unit()
    count = 1 if only or fate < 0.72 else 2 if fate < 0.94 else MOST_EDITS
    turns: list[Turn] = []
    texts: list[str] = []
    now, touched = plan, ()
    several = count > 1 and split != "combination" and draw.chance(_LIST_SHARE)
    listed = draw.pick(tuple(phrases.LISTED)) if several else None
    for done in range(count):
        op = only or listed or draw.weighted(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))
        if split == "combination":
            op = draw.pick(("recolour", "add", "replace"))
        if op == "unread":
            if done or (only is None and not draw.chance(0.9)):
                return None
            return _unread(level, source, plan, split, draw)
        form = None
        if listed is not None:  # "paint the fox blue and the cat red": the verb is said once
            form = phrases.LISTED[listed][1]
            form = form if done else f"{draw.pick(phrases.LISTED[listed][0])} {form}"
        made = one_edit(op, now, level, split, draw, touched if listed is None else (), form)
        if made is None:
            return None
        text, edit = made
        turns.append(Turn(now, done, touched, edit))
        texts.append(text)
        if fails(edit):
            break
        try:
            after, touched = apply(now, edit)
        except InvalidRequest:
            return None
        if after == now or len(after.objects) > MOST_THINGS:
            return None
        now = after
    instruction = _joined(texts, draw, listed=listed is not None)
    if not any(fails(turn.edit) for turn in turns):
        if draw.chance(_KEEP_SHARE):
            instruction, turns = _keeping(instruction, turns, now, touched, level, split, draw)
            touched = turns[-1].edit.select.things if turns[-1].edit.select else ()
        turns.append(Turn(now, len(turns), touched if turns[-1].edit.op != "keep" else (), Edit("done")))
    else:
        turns.append(Turn(now, len(turns), (), Edit("done")))
    return Pair(source, _framed(instruction, draw), tuple(turns), difference(plan, now))


def _keeping(
    instruction: str, turns: list[Turn], plan: Plan, touched: tuple[int, ...], level: Level, split: Split, draw: Draw
) -> tuple[str, list[Turn]]:
    """The instruction with a clause that says what is to stay, before or after the rest."""
    aspect = draw.pick(("thing", "thing", "background", "light", "rest", "colour", "place", "size"))
    first = draw.chance(0.35) and aspect != "rest"
    seen, last = (turns[0].plan, ()) if first else (plan, touched)
    named: Named | None = None
    if aspect in phrases.KEPT_WHOLE:
        what = draw.pick(phrases.KEPT_WHOLE[aspect])
    else:
        named = refer(seen, level, draw)
        if named.select.unclear or not named.select.things:
            return instruction, turns
        what = named.words if aspect == "thing" else draw.pick(phrases.KEPT_OF[aspect]).format(the=named.words)
    edit = Edit("keep", named.select if named else None, aspect=aspect)
    words = worded("keep", split, draw, what=what)
    if first:
        moved = [replace(turn, done=turn.done + 1) for turn in turns]
        moved[0] = replace(moved[0], touched=named.select.things if named else ())
        return words + draw.pick(phrases.KEEP_JOINTS) + instruction, [Turn(seen, 0, (), edit), *moved]
    return instruction + draw.pick(phrases.KEEP_JOINTS) + words, [*turns, Turn(seen, len(turns), last, edit)]


def _unread(level: Level, source: Scene, plan: Plan, split: Split, draw: Draw) -> Pair:
    """Words that ask for nothing that can be done: other wishes, questions, and captions of scenes."""
    if draw.chance(0.3):
        text = caption(sample_scene(level, source.seed + 1, source.index))
    else:
        the = refer(plan, level, draw)
        noun = draw.pick(level.sprites)
        blanks = {"the": the.words, "new": new_thing(noun, None, 1, None, draw), "many": NOUNS[noun].plural,
                  "odd": phrases.ODD}  # fmt: skip
        text = worded("unread", split, draw, **blanks)
    return Pair(source, _framed(text, draw), (Turn(plan, 0, (), Edit("unread")),), difference(plan, plan))


def _joined(texts: list[str], draw: Draw, *, listed: bool) -> str:
    """Several wishes in one sentence, or several."""
    text = texts[0]
    for each in texts[1:]:
        text += draw.pick((" and ", " and ", ", ") if listed else phrases.JOINTS) + each
    return f"first {text}" if len(texts) > 1 and draw.chance(0.08) else text


def _framed(text: str, draw: Draw) -> str:
    """With a word of politeness now and then, and a capital, neither of which means anything."""
    fate = draw.unit()
    if fate < 0.12:
        text = draw.pick(phrases.PREFIXES) + text
    elif fate < 0.22:
        text += draw.pick(phrases.SUFFIXES)
    return text[0].upper() + text[1:] if draw.chance(0.3) else text
