"""Pairs to learn edits from: a scene, an instruction in many wordings, and the scene as it is after that.

A pair is drawn program first: a scene of the built-in world, edits that fit it, words for each. What the edits do is
what `instruct.apply` does, so the second scene, and with it which pixels may differ (`instruct.reach`), is exact. The
held-out split words its edits as training never does, or asks for a noun in a colour that training never asks for.
Everything is a function of (level, seed, index, split). Knows no network and no pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan
from triptych.editing.instruct import phrases
from triptych.editing.instruct.apply import Applied, apply, difference
from triptych.editing.instruct.program import Edit, Select, Spot
from triptych.editing.instruct.refer import Named, noun_word, refer, shown
from triptych.planning.edit_tokens import DIRECTIONS, NUMBERS, RELATIONS
from triptych.scenes import caption, sample_scene, wording
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import Group, Scene, SceneObject
from triptych.scenes.heldout import is_heldout
from triptych.scenes.levels import LEVELS, PLACES, Level
from triptych.scenes.nouns import NOUNS
from triptych.scenes.signs import draw_word

Split = Literal["train", "phrasing", "combination"]
"""training; wordings that training never uses; a noun with a colour that training never asks for."""
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
        made = _edit(draw.pick(ops), plan, world, "train", draw, (), None)
        if made is None or _fails(made[1]):
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
        made = _edit(op, now, level, split, draw, touched if listed is None else (), form)
        if made is None:
            return None
        text, edit = made
        turns.append(Turn(now, done, touched, edit))
        texts.append(text)
        if _fails(edit):
            break
        try:
            after, touched = apply(now, edit)
        except InvalidRequest:
            return None
        if after == now or len(after.objects) > MOST_THINGS:
            return None
        now = after
    instruction = _joined(texts, draw, listed=listed is not None)
    if not any(_fails(turn.edit) for turn in turns):
        if draw.chance(_KEEP_SHARE):
            instruction, turns = _keeping(instruction, turns, now, touched, level, split, draw)
            touched = turns[-1].edit.select.things if turns[-1].edit.select else ()
        turns.append(Turn(now, len(turns), touched if turns[-1].edit.op != "keep" else (), Edit("done")))
    else:
        turns.append(Turn(now, len(turns), (), Edit("done")))
    return Pair(source, _framed(instruction, draw), tuple(turns), difference(plan, now))


def _fails(edit: Edit) -> bool:
    """Whether the edit names nothing, or several things that it does not tell apart."""
    return any(select.unclear or not select.things for select in edit.selects)


Made = tuple[str, Edit] | None


def _edit(
    op: str, plan: Plan, level: Level, split: Split, draw: Draw, touched: tuple[int, ...], form: str | None
) -> Made:
    """Words and edit of one operation, or None if this plan has no such edit. form: the wording, if it is settled."""
    match op:
        case "recolour":
            return _recolour(plan, level, split, draw, touched, form)
        case "remove":
            the = refer(plan, level, draw, touched=touched)
            return _worded("remove", split, draw, form, the=the.words), Edit("remove", the.select)
        case "replace":
            return _replace(plan, level, split, draw)
        case "move":
            return _move(plan, level, split, draw, touched)
        case "resize":
            size = draw.pick(("larger", "smaller", "larger", "smaller", "large", "small"))
            the = refer(plan, level, draw, touched=touched)
            return _worded(size, split, draw, the=the.words), Edit("resize", the.select, size=size)
        case "swap":
            return _swap(plan, level, split, draw)
        case "add":
            return _add(plan, level, split, draw, form)
        case "count":
            return _count(plan, level, split, draw)
        case "background":
            return _background(plan, level, split, draw)
        case "light":
            light = draw.pick([name for name in level.lights if name != plan.light])
            words = {"from": draw.pick(phrases.FROM[light]), "lit": draw.pick(phrases.LIT[light])}
            return _worded("light", split, draw, **words), Edit("light", light=light)
        case _:
            return _text(plan, level, split, draw) if "sign" in level.nouns else None


def _recolour(plan: Plan, level: Level, split: Split, draw: Draw, touched: tuple[int, ...], form: str | None) -> Made:
    the = refer(plan, level, draw, touched=touched)
    chosen = [plan.objects[i] for i in the.select.things]
    if any(not NOUNS[thing.noun].recolourable for thing in chosen):
        return None
    plainly = form is None and split != "combination" and chosen and all(thing.colour for thing in chosen)
    if plainly and draw.chance(0.08):
        return _worded("natural", split, draw, the=the.words), Edit("recolour", the.select)
    colour = _new_colour([thing.noun for thing in chosen], level, split, draw)
    if colour is None or any(shown(thing) == colour for thing in chosen):
        return None
    return _worded("recolour", split, draw, form, the=the.words, c=colour), Edit("recolour", the.select, colour=colour)


def _new_colour(nouns: list[str], level: Level, split: Split, draw: Draw) -> str | None:
    """A colour that these nouns may be asked for in: never a held-out one in training, only such ones in that test."""
    kept = [c for c in level.colours if any(is_heldout(noun, c, 1) for noun in nouns)]
    if split == "combination":
        return draw.pick(kept) if kept else None
    return draw.pick([c for c in level.colours if c not in kept])


def _replace(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    the = refer(plan, level, draw)
    noun = draw.pick([name for name in level.sprites if name not in {t.noun for t in plan.objects}])
    colour = _colour_of(noun, level, split, draw)
    if split == "combination" and colour is None:
        return None
    many = len(the.select.things) > 1 and the.many
    new = _new(noun, colour, 1, None, draw, many=many)
    return _worded("replace", split, draw, the=the.words, new=new), Edit(
        "replace", the.select, noun=noun, colour=colour
    )


def _colour_of(noun: str, level: Level, split: Split, draw: Draw) -> str | None:
    if not NOUNS[noun].recolourable or (split != "combination" and draw.chance(0.6)):
        return None
    return _new_colour([noun], level, split, draw)


def _new(noun: str, colour: str | None, number: int, size: str | None, draw: Draw, *, many: bool = False) -> str:
    """What comes: "a small blue bird", "three foxes"."""
    words: list[str] = []
    if size:
        words.append(draw.pick(phrases.SIZE_WORDS[size]))
    if colour:
        words.append(colour)
    words.append(noun_word(noun, draw, many=many or number > 1))
    text = " ".join(words)
    if number > 1:
        return f"{draw.pick(wording.NUMBERS[number])} {text}"
    if many:
        return text
    return f"{article(text)} {text}"


def article(text: str) -> str:
    return "an" if text[0] in "aeio" or text.startswith(("umb", "upp")) else "a"


def _move(plan: Plan, level: Level, split: Split, draw: Draw, touched: tuple[int, ...]) -> Made:
    the = refer(plan, level, draw, touched=touched)
    fate = draw.unit()
    if fate < 0.4:
        way = draw.pick(DIRECTIONS)
        table = way if way in ("up", "down") and draw.chance(0.5) else "by"
        words = _worded(table, split, draw, the=the.words, way=draw.pick(phrases.WAYS[way]))
        return words, Edit("move", the.select, spot=Spot(f"by:{way}"))
    if fate < 0.7 or len(plan.objects) < 2:
        place = draw.pick(PLACES)
        words = _worded("to", split, draw, the=the.words, to=draw.pick(phrases.TO_PLACES[place]))
        return words, Edit("move", the.select, spot=Spot(f"at:{place}"))
    relation, anchor = draw.pick(RELATIONS), refer(plan, level, draw, one=True)
    if set(anchor.select.things) & set(the.select.things):
        return None
    to = f"{draw.pick(phrases.RELATION_WORDS[relation])} {anchor.words}"
    words = _worded("to", split, draw, the=the.words, to=to)
    return words, Edit("move", the.select, spot=Spot(f"rel:{relation}", anchor.select))


def _swap(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    if len(plan.objects) < 2:
        return None
    the, other = refer(plan, level, draw, one=True), refer(plan, level, draw, one=True)
    if set(the.select.things) & set(other.select.things):
        return None
    words = _worded("swap", split, draw, the=the.words, other=other.words)
    return words, Edit("swap", the.select, other.select)


def _add(plan: Plan, level: Level, split: Split, draw: Draw, form: str | None) -> Made:
    number = draw.weighted((1, 2, 3), (12, 2, 1))
    noun = draw.pick(level.sprites)
    colour = _colour_of(noun, level, split, draw)
    if split == "combination" and colour is None:
        return None
    size = draw.pick(("large", "small")) if draw.chance(0.15) else None
    spot, where = None, ""
    fate = draw.unit()
    if fate < 0.4 and plan.objects:
        relation, anchor = draw.pick(RELATIONS), refer(plan, level, draw, one=True)
        if noun == anchor.select.noun:
            return None
        spot = Spot(f"rel:{relation}", anchor.select)
        where = f" {draw.pick(phrases.RELATION_WORDS[relation])} {anchor.words}"
    elif fate < 0.65:
        place = draw.pick(PLACES)
        spot, where = Spot(f"at:{place}"), f" {draw.pick(phrases.TO_PLACES[place])}"
    new = _new(noun, colour, number, size, draw)
    there = any(thing.noun == noun for thing in plan.objects)
    if there and form is None:  # "there should be two foxes" would count the one that is there
        if split == "phrasing":
            return None
        form = draw.pick(phrases.ADD_MORE)
    if size is None and number == 1 and (spot or not there) and draw.chance(0.06):
        new = new.replace(new.split()[0], "another", 1)
    words = _worded("add", split, draw, form, new=new, spot=where)
    return words, Edit("add", number=number, size=size, colour=colour, noun=noun, spot=spot)


def _count(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    """More, fewer or so many of what is there."""
    if not plan.objects:
        return None
    thing = draw.pick(plan.objects)
    if thing.noun in ("sign", "face"):
        return None
    noun = thing.noun
    alike = [other for other in plan.objects if other.noun == noun]
    mixed = len({shown(other) for other in alike}) > 1
    colour = shown(thing) if mixed and shown(thing) and draw.chance(0.6) else None
    have = sum(colour in (None, shown(other)) for other in alike)
    mode = draw.pick(("more", "fewer", "set"))
    name, many = _counted(noun, colour, draw, 1), _counted(noun, colour, draw, 2)
    if mode == "more":
        number = draw.integer(1, 3)
        word = draw.pick(("one", "another", "one")) if number == 1 else NUMBERS[number - 1]
        forms = (f"{word} {name}",) if word == "another" else (f"{word} more {name if number == 1 else many}",)
        text = _worded("more", split, draw, more=draw.pick(forms))
    elif mode == "fewer":
        number = draw.integer(1, max(have - 1, 1))
        if have < 2:
            return None
        text = _worded("fewer", split, draw, n=NUMBERS[number - 1], many=many, fewer=name if number == 1 else many)
    else:
        number = draw.pick([n for n in range(1, 6) if n != have])
        counted = f"{draw.pick((NUMBERS[number - 1], str(number)))} {name if number == 1 else many}"
        before = NUMBERS[have - 1] if have <= len(NUMBERS) else "those"
        text = _worded("set", split, draw, counted=counted, many=many, n=NUMBERS[number - 1], before=before)
    return text, Edit("count", noun=noun, colour=colour, mode=mode, number=number)


def _counted(noun: str, colour: str | None, draw: Draw, number: int) -> str:
    return " ".join(filter(None, (colour, noun_word(noun, draw, many=number > 1))))


def _background(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    name = draw.pick([name for name in level.backgrounds if name != plan.background])
    edit = Edit("background", background=name)
    if split != "phrasing" and name in phrases.SPECIAL and draw.chance(0.35):
        return draw.pick(phrases.SPECIAL[name]), edit
    at = draw.pick(wording.BACKGROUND_PHRASES[name])
    return _worded("background", split, draw, place=draw.pick(phrases.PLACES[name]), at=at), edit


def _text(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    signs = [i for i, thing in enumerate(plan.objects) if thing.noun == "sign"]
    word = draw_word(draw, heldout=False)
    the = refer(plan, level, draw) if signs else Named("the sign", Select("sign"))
    if the.select.noun != "sign":
        return None
    quote = f'"{word}"' if draw.chance(0.8) else f"'{word.lower()}'"
    return _worded("text", split, draw, the=the.words, quote=quote), Edit("text", the.select, text=word)


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
    words = _worded("keep", split, draw, what=what)
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
        blanks = {"the": the.words, "new": _new(noun, None, 1, None, draw), "many": NOUNS[noun].plural,
                  "odd": phrases.ODD}  # fmt: skip
        text = _worded("unread", split, draw, **blanks)
    return Pair(source, _framed(text, draw), (Turn(plan, 0, (), Edit("unread")),), difference(plan, plan))


def _worded(table: str, split: Split, draw: Draw, form: str | None = None, **blanks: str) -> str:
    source = phrases.HELD_OUT if split == "phrasing" else phrases.TRAIN
    return (form or draw.pick(source[table])).format(**blanks).replace(" a orange", " an orange")


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
