"""How a person names things of a picture: "the fox", "the left car", "both cats", "the blue one near the house", "it".

Given a plan, draws what is meant with the words for it, and what the editor should understand by them: one thing, all,
several that the words do not tell apart, or none. Knows no operation and no pixels.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct import phrases
from triptych.editing.instruct.program import Select
from triptych.editing.instruct.room import area, middle
from triptych.scenes.colours import COLOUR_SYNONYMS
from triptych.scenes.draw import Draw
from triptych.scenes.levels import Level
from triptych.scenes.nouns import NOUNS

APART = 0.08
"""Two things whose middles differ by less are not told apart by left and right."""
BIGGER = 1.35
_SYNONYM_SHARE = 0.08


@dataclass(frozen=True)
class Named:
    """Words for something, and what is understood by them. many: the words are plural."""

    words: str
    select: Select
    many: bool = False


def shown(thing: PlanObject) -> str | None:
    """The colour that a thing shows, its own or the natural one."""
    return thing.colour or NOUNS[thing.noun].natural


def refer(plan: Plan, level: Level, draw: Draw, *, touched: Sequence[int] = (), one: bool = False) -> Named:
    """What is meant, in words. one: a single thing is needed, as to hold another one against it."""
    things = plan.objects
    if not things or draw.chance(0.03):
        return _absent(plan, level, draw)
    if not one and len(touched) == 1 and draw.chance(0.5):
        return Named("it", Select(None, None, (touched[0],)))
    if not one and len(things) == 1 and draw.chance(0.12):
        return Named("it", Select(None, None, (0,)))
    if not one and draw.chance(0.04):
        return Named(draw.pick(phrases.ALL_THINGS), Select(None, None, tuple(range(len(things)))), many=True)
    if not one and not touched and len(things) > 1 and draw.chance(0.02):
        return Named("it", Select(None, None, (), unclear=True))
    target = draw.integer(0, len(things) - 1)
    noun: str | None = things[target].noun
    if len(things) > 1 and draw.chance(0.06):
        noun = None  # "the left one"
    colour = shown(things[target])
    same = [i for i, thing in enumerate(things) if noun in (None, thing.noun)]
    alike = [i for i in same if shown(things[i]) == colour]
    said = colour if colour is not None and draw.chance(0.55 if len(alike) < len(same) else 0.12) else None
    fitting = alike if said else same
    if noun is None and said is None and len(fitting) == 1:
        noun = things[target].noun
    if len(fitting) > 1 and not one and draw.chance(0.3) and noun is not None:
        return _several(noun, said, fitting, draw)
    if len(fitting) > 1:
        return _singled(plan, noun, said, fitting, target, draw, one=one)
    if noun is not None and draw.chance(0.05):
        told = _told_apart(plan, same, target, draw)
        if told:
            return Named(told.format(name=_name(noun, said, draw)), Select(noun, said, (target,)))
    article = "the" if draw.chance(0.94) else draw.pick(("a", "that", "this"))
    return Named(f"{article} {_name(noun, said, draw)}", Select(noun, said, (target,)))


def _absent(plan: Plan, level: Level, draw: Draw) -> Named:
    """Something that is not there: another noun, or a noun of the picture in a colour that none has."""
    things = plan.objects
    if things and draw.chance(0.3):
        thing = draw.pick(things)
        taken = {shown(other) for other in things if other.noun == thing.noun}
        colour = draw.pick([colour for colour in level.colours if colour not in taken])
        return Named(f"the {_name(thing.noun, colour, draw)}", Select(thing.noun, colour))
    there = {thing.noun for thing in things}
    noun = draw.pick([name for name in level.nouns if name not in there])
    colour = draw.pick(level.colours) if draw.chance(0.2) else None
    many = draw.chance(0.2)
    return Named(f"the {_name(noun, colour, draw, many=many)}", Select(noun, colour), many)


def _several(noun: str, said: str | None, fitting: Sequence[int], draw: Draw) -> Named:
    options = phrases.BOTH_WORDS if len(fitting) == 2 and draw.chance(0.4) else phrases.ALL_WORDS
    words = draw.pick(options).format(many=_name(noun, said, draw, many=True), name=_name(noun, said, draw))
    return Named(words, Select(noun, said, tuple(fitting)), many="every" not in words and "each" not in words)


def _singled(
    plan: Plan, noun: str | None, said: str | None, fitting: Sequence[int], target: int, draw: Draw, *, one: bool
) -> Named:
    """One of several: by its side, size, number or neighbour; or not told apart at all."""
    name = _name(noun, said, draw)
    if not one and draw.chance(0.16):
        return Named(f"the {name}", Select(noun, said, (), unclear=True))
    fate = draw.unit()
    if fate < 0.16 and len(fitting) > 2:
        order = sorted(fitting, key=lambda i: middle(plan.objects[i].box)[0])
        if _spread([middle(plan.objects[i].box)[0] for i in order]):
            number = min(draw.integer(0, len(order) - 1), len(phrases.ORDINALS) - 1)
            ending = draw.pick((" from the left", " from the left", ""))
            return Named(f"the {phrases.ORDINALS[number]} {name}{ending}", Select(noun, said, (order[number],)))
    if fate < 0.3:
        beside = _by_neighbour(plan, fitting, target, draw)
        if beside:
            return Named(f"the {name} {beside}", Select(noun, said, (target,)))
    for i in draw.sample(list(fitting), len(fitting)):
        told = _told_apart(plan, fitting, i, draw)
        if told:
            return Named(told.format(name=name), Select(noun, said, (i,)))
    return Named(f"the {name}", Select(noun, said, (), unclear=True))


def _told_apart(plan: Plan, fitting: Sequence[int], target: int, draw: Draw) -> str | None:
    """Words by which the target is at one end of the fitting things, clearly."""
    boxes = [plan.objects[i].box for i in fitting]
    own = fitting.index(target)
    options: list[tuple[int, int]] = []
    for axis in (0, 1, 2):
        values = [area(box) if axis == 2 else middle(box)[axis] for box in boxes]
        others = [value for k, value in enumerate(values) if k != own]
        for way in (-1, 1):
            if not others:  # alone, it may be called after where it stands
                if axis < 2 and (values[own] - 0.5) * way > 0.12:
                    options.append((axis, way))
                continue
            nearest = max(others) if way > 0 else min(others)
            clear = values[own] * BIGGER**-way if axis == 2 else values[own] - way * APART
            if (clear - nearest) * way > 0:
                options.append((axis, way))
    return draw.pick(phrases.SIDE_WORDS[draw.pick(options)]) if options else None


def _spread(values: Sequence[float]) -> bool:
    return all(b - a > APART for a, b in itertools.pairwise(values))


def _by_neighbour(plan: Plan, fitting: Sequence[int], target: int, draw: Draw) -> str | None:
    """Words for the thing of another noun that the target alone stands nearest to."""
    nouns = [thing.noun for thing in plan.objects]
    others = [i for i, noun in enumerate(nouns) if i not in fitting and nouns.count(noun) == 1]
    if not others:
        return None
    other = draw.pick(others)
    x, y = middle(plan.objects[other].box)

    def away(i: int) -> float:
        a, b = middle(plan.objects[i].box)
        return ((a - x) ** 2 + (b - y) ** 2) ** 0.5

    if any(i != target and away(i) < 1.4 * away(target) for i in fitting):
        return None
    return f"{draw.pick(phrases.RELATION_WORDS['next to'])} the {_name(nouns[other], None, draw)}"


def _name(noun: str | None, colour: str | None, draw: Draw, *, many: bool = False) -> str:
    """As in "blue fox", "foxes", "red one"."""
    colour_word = colour
    if colour in COLOUR_SYNONYMS and draw.chance(_SYNONYM_SHARE / 2):
        colour_word = draw.pick(COLOUR_SYNONYMS[colour])
    return " ".join(filter(None, (colour_word, noun_word(noun, draw, many=many))))


def noun_word(noun: str | None, draw: Draw, *, many: bool = False) -> str:
    """A noun or another word for it; "one" for whatever it is."""
    if noun is None:
        return draw.pick(("ones", "things")) if many else draw.pick(phrases.THAT_ONE)
    known = NOUNS[noun]
    if known.synonyms and draw.chance(_SYNONYM_SHARE):
        word = draw.pick(known.synonyms)
        return _plural(word) if many else word
    return known.plural if many else known.name


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word[:-1] + "ies" if word.endswith("y") and word[-2] not in "aeiou" else word + "s"
