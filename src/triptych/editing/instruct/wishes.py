"""One edit in words: an operation that can be done to this very plan, and a sentence that asks for it.

`instruct.pairs` draws sources and instructions; here is what each operation needs of a plan, which thing it takes, and
which wording of `instruct.phrases` says it. Everything is chance from the `Draw` that is handed in. Knows no scene,
network or pixel.
"""

from __future__ import annotations

from typing import Literal

from triptych.core.plan import Plan
from triptych.editing.instruct import phrases
from triptych.editing.instruct.program import Edit, Select, Spot
from triptych.editing.instruct.refer import Named, noun_word, refer, shown
from triptych.planning.edit_tokens import DIRECTIONS, NUMBERS, RELATIONS
from triptych.scenes import wording
from triptych.scenes.draw import Draw
from triptych.scenes.heldout import is_heldout
from triptych.scenes.levels import PLACES, Level
from triptych.scenes.nouns import NOUNS
from triptych.scenes.signs import draw_word

Split = Literal["train", "phrasing", "combination"]
"""training; wordings that training never uses; a noun with a colour that training never asks for."""


def fails(edit: Edit) -> bool:
    """Whether the edit names nothing, or several things that it does not tell apart."""
    return any(select.unclear or not select.things for select in edit.selects)


Made = tuple[str, Edit] | None


def one_edit(
    op: str, plan: Plan, level: Level, split: Split, draw: Draw, touched: tuple[int, ...], form: str | None
) -> Made:
    """Words and edit of one operation, or None if this plan has no such edit. form: the wording, if it is settled."""
    match op:
        case "recolour":
            return _recolour(plan, level, split, draw, touched, form)
        case "remove":
            the = refer(plan, level, draw, touched=touched)
            return worded("remove", split, draw, form, the=the.words), Edit("remove", the.select)
        case "replace":
            return _replace(plan, level, split, draw)
        case "move":
            return _move(plan, level, split, draw, touched)
        case "resize":
            size = draw.pick(("larger", "smaller", "larger", "smaller", "large", "small"))
            the = refer(plan, level, draw, touched=touched)
            return worded(size, split, draw, the=the.words), Edit("resize", the.select, size=size)
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
            return worded("light", split, draw, **words), Edit("light", light=light)
        case _:
            return _text(plan, level, split, draw) if "sign" in level.nouns else None


def _recolour(plan: Plan, level: Level, split: Split, draw: Draw, touched: tuple[int, ...], form: str | None) -> Made:
    the = refer(plan, level, draw, touched=touched)
    chosen = [plan.objects[i] for i in the.select.things]
    if any(not NOUNS[thing.noun].recolourable for thing in chosen):
        return None
    plainly = form is None and split != "combination" and chosen and all(thing.colour for thing in chosen)
    if plainly and draw.chance(0.08):
        return worded("natural", split, draw, the=the.words), Edit("recolour", the.select)
    colour = _new_colour([thing.noun for thing in chosen], level, split, draw)
    if colour is None or any(shown(thing) == colour for thing in chosen):
        return None
    return worded("recolour", split, draw, form, the=the.words, c=colour), Edit("recolour", the.select, colour=colour)


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
    new = new_thing(noun, colour, 1, None, draw, many=many)
    return worded("replace", split, draw, the=the.words, new=new), Edit("replace", the.select, noun=noun, colour=colour)


def _colour_of(noun: str, level: Level, split: Split, draw: Draw) -> str | None:
    if not NOUNS[noun].recolourable or (split != "combination" and draw.chance(0.6)):
        return None
    return _new_colour([noun], level, split, draw)


def new_thing(noun: str, colour: str | None, number: int, size: str | None, draw: Draw, *, many: bool = False) -> str:
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
        words = worded(table, split, draw, the=the.words, way=draw.pick(phrases.WAYS[way]))
        return words, Edit("move", the.select, spot=Spot(f"by:{way}"))
    if fate < 0.7 or len(plan.objects) < 2:
        place = draw.pick(PLACES)
        words = worded("to", split, draw, the=the.words, to=draw.pick(phrases.TO_PLACES[place]))
        return words, Edit("move", the.select, spot=Spot(f"at:{place}"))
    relation, anchor = draw.pick(RELATIONS), refer(plan, level, draw, one=True)
    if set(anchor.select.things) & set(the.select.things):
        return None
    to = f"{draw.pick(phrases.RELATION_WORDS[relation])} {anchor.words}"
    words = worded("to", split, draw, the=the.words, to=to)
    return words, Edit("move", the.select, spot=Spot(f"rel:{relation}", anchor.select))


def _swap(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    if len(plan.objects) < 2:
        return None
    the, other = refer(plan, level, draw, one=True), refer(plan, level, draw, one=True)
    if set(the.select.things) & set(other.select.things):
        return None
    words = worded("swap", split, draw, the=the.words, other=other.words)
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
    new = new_thing(noun, colour, number, size, draw)
    there = any(thing.noun == noun for thing in plan.objects)
    if there and form is None:  # "there should be two foxes" would count the one that is there
        if split == "phrasing":
            return None
        form = draw.pick(phrases.ADD_MORE)
    if size is None and number == 1 and (spot or not there) and draw.chance(0.06):
        new = new.replace(new.split()[0], "another", 1)
    words = worded("add", split, draw, form, new=new, spot=where)
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
        text = worded("more", split, draw, more=draw.pick(forms))
    elif mode == "fewer":
        number = draw.integer(1, max(have - 1, 1))
        if have < 2:
            return None
        text = worded("fewer", split, draw, n=NUMBERS[number - 1], many=many, fewer=name if number == 1 else many)
    else:
        number = draw.pick([n for n in range(1, 6) if n != have])
        counted = f"{draw.pick((NUMBERS[number - 1], str(number)))} {name if number == 1 else many}"
        before = NUMBERS[have - 1] if have <= len(NUMBERS) else "those"
        text = worded("set", split, draw, counted=counted, many=many, n=NUMBERS[number - 1], before=before)
    return text, Edit("count", noun=noun, colour=colour, mode=mode, number=number)


def _counted(noun: str, colour: str | None, draw: Draw, number: int) -> str:
    return " ".join(filter(None, (colour, noun_word(noun, draw, many=number > 1))))


def _background(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    name = draw.pick([name for name in level.backgrounds if name != plan.background])
    edit = Edit("background", background=name)
    if split != "phrasing" and name in phrases.SPECIAL and draw.chance(0.35):
        return draw.pick(phrases.SPECIAL[name]), edit
    at = draw.pick(wording.BACKGROUND_PHRASES[name])
    return worded("background", split, draw, place=draw.pick(phrases.PLACES[name]), at=at), edit


def _text(plan: Plan, level: Level, split: Split, draw: Draw) -> Made:
    signs = [i for i, thing in enumerate(plan.objects) if thing.noun == "sign"]
    word = draw_word(draw, heldout=False)
    the = refer(plan, level, draw) if signs else Named("the sign", Select("sign"))
    if the.select.noun != "sign":
        return None
    quote = f'"{word}"' if draw.chance(0.8) else f"'{word.lower()}'"
    return worded("text", split, draw, the=the.words, quote=quote), Edit("text", the.select, text=word)


def worded(table: str, split: Split, draw: Draw, form: str | None = None, **blanks: str) -> str:
    source = phrases.HELD_OUT if split == "phrasing" else phrases.TRAIN
    return (form or draw.pick(source[table])).format(**blanks).replace(" a orange", " an orange")
