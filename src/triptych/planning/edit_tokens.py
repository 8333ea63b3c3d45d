"""The language of edits: the symbols that an instruction becomes, and the grammar that every program obeys.

One vocabulary serves the words of an instruction, the things of a plan and the program that is written: the word "fox",
the noun of a thing and the noun in "remove fox" are one symbol. A program is one edit at a time:

    recolour SELECT colour | remove SELECT | replace SELECT colour noun | move SELECT SPOT | resize SELECT size |
    swap SELECT SELECT | add number size colour noun SPOT | count noun colour mode number | background name |
    light side | text SELECT | keep ASPECT [SELECT] | unread | done

    SELECT = noun colour (<none> | <which> | <all> | @i)      what is meant, then which things of the plan these are
    SPOT   = any | by DIRECTION | at PLACE | RELATION SELECT

A pointer @i can only name a thing that has the noun and the colour that were written before it, so a program never
points at something else than it says. <none>: nothing in the plan fits. <which>: several do and the words do not tell
them apart. <all>: all that fit, which are several. Knows no noun or colour of any world: the names are handed in.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from triptych.core.errors import FileProblem
from triptych.core.plan import Plan

PAD, START, UNKNOWN, QUOTE, MANY, COMMA, ALL, NONE, WHICH, ANY, THING = (
    "<pad>", "<start>", "<?>", "<quote>", "+s", ",", "<all>", "<none>", "<which>", "<any>", "<thing>",
)  # fmt: skip
MARKS = (PAD, START, UNKNOWN, QUOTE, MANY, COMMA, ALL, NONE, WHICH, ANY, THING)
OPS = (
    "recolour", "remove", "replace", "move", "resize", "swap", "add", "count", "background", "light", "text", "keep",
    "unread", "done",
)  # fmt: skip
DIRECTIONS = ("left", "right", "up", "down")
RELATIONS = ("left of", "right of", "above", "below", "in front of", "behind", "next to")
SIZES = ("larger", "smaller", "large", "small")
MODES = ("set", "more", "fewer")
ASPECTS = ("thing", "colour", "place", "size", "background", "light", "rest")
OF_THINGS = ("thing", "colour", "place", "size")
"""Aspects that say of which things; the others are of the whole picture."""
NUMBERS = ("one", "two", "three", "four", "five", "six")

Symbol = str | int
"""A name of the vocabulary, or the number of a thing in the plan."""


def marked(kind: str, names: Iterable[str]) -> tuple[str, ...]:
    """Names that are no words of instructions, such as operations: `op:remove` is not the word "remove"."""
    return tuple(f"{kind}:{name}" for name in names)


@dataclass(frozen=True)
class Seen:
    """A thing of the plan as the grammar knows it. colour: the one that it shows, None where it has none to name."""

    noun: str
    colour: str | None


class EditTokens:
    """The vocabulary of instructions and programs over one world.

    natural: noun -> the colour that its own drawing has, where a person would name one. words: what instructions are
    made of besides; a word that is none of them is UNKNOWN.
    """

    def __init__(
        self,
        nouns: Sequence[str],
        colours: Sequence[str],
        backgrounds: Sequence[str],
        lights: Sequence[str],
        places: Sequence[str],
        natural: Mapping[str, str],
        words: Sequence[str],
    ) -> None:
        self.nouns, self.colours, self.backgrounds = tuple(nouns), tuple(colours), tuple(backgrounds)
        self.lights, self.places, self.natural = tuple(lights), tuple(places), dict(natural)
        self.words = tuple(words)
        own = (
            *marked("op", OPS), *marked("by", DIRECTIONS), *marked("at", self.places), *marked("rel", RELATIONS),
            *marked("size", SIZES), *marked("mode", MODES), *marked("keep", ASPECTS), *marked("light", self.lights),
        )  # fmt: skip
        things = (*NUMBERS, *self.nouns, *self.colours, *self.backgrounds)
        self.names = tuple(dict.fromkeys((*MARKS, *own, *things, *self.words)))
        self.ids = {name: place for place, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self.ids

    def id(self, name: str | None) -> int:
        """The id of a name; of UNKNOWN for one that is not of this world, of ANY for None."""
        return self.ids.get(ANY if name is None else name, self.ids[UNKNOWN])

    def seen(self, plan: Plan) -> tuple[Seen, ...]:
        """The plan's things with the colours that they show."""
        return tuple(Seen(thing.noun, thing.colour or self.natural.get(thing.noun)) for thing in plan.objects)

    def as_json(self) -> dict[str, Any]:
        """What is stored beside the weights."""
        names = ("nouns", "colours", "backgrounds", "lights", "places", "words")
        return {"kind": "edit-tokens", "natural": self.natural, **{name: list(getattr(self, name)) for name in names}}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The vocabulary that `as_json` described; `FileProblem` if it is of another kind."""
        if not isinstance(data, dict) or data.get("kind") != "edit-tokens":
            raise FileProblem("the vocabulary beside the weights is not one of an editor")
        names = ("nouns", "colours", "backgrounds", "lights", "places", "natural", "words")
        return cls(*(data[name] for name in names))


Walk = Generator[tuple[Symbol, ...], Symbol, None]
"""Yields what may come next, is sent what came."""


def walk(tokens: EditTokens, things: Sequence[Seen]) -> Walk:
    """The grammar of one edit of a plan with these things."""
    op = str((yield marked("op", OPS))).removeprefix("op:")
    if op in ("recolour", "remove", "replace", "move", "resize", "swap", "text"):
        yield from _select(tokens, things)
    if op == "swap":
        yield from _select(tokens, things)
    if op == "add":
        yield NUMBERS
        yield (ANY, *marked("size", SIZES[2:]))
    if op == "count":
        yield tokens.nouns
    if op in ("recolour", "replace", "add", "count"):
        yield (ANY, *tokens.colours)
    if op in ("replace", "add"):
        yield tokens.nouns
    if op in ("move", "add"):
        yield from _spot(tokens, things, free=op == "add")
    if op == "resize":
        yield marked("size", SIZES)
    if op == "count":
        yield marked("mode", MODES)
        yield NUMBERS
    if op == "background":
        yield tokens.backgrounds
    if op == "light":
        yield marked("light", tokens.lights)
    if op == "keep":
        aspect = str((yield marked("keep", ASPECTS))).removeprefix("keep:")
        if aspect in OF_THINGS:
            yield from _select(tokens, things)


def _select(tokens: EditTokens, things: Sequence[Seen]) -> Walk:
    noun = yield (THING, *tokens.nouns)
    colour = yield (ANY, *tokens.colours)
    fitting = fitting_things(things, str(noun), str(colour))
    if len(fitting) > 1:
        yield (WHICH, ALL, *fitting)
    else:
        yield tuple(fitting) or (NONE,)


def fitting_things(things: Sequence[Seen], noun: str, colour: str) -> list[int]:
    """The numbers of the things that a noun (or THING) and a colour (or ANY) fit."""
    return [i for i, thing in enumerate(things) if noun in (THING, thing.noun) and colour in (ANY, thing.colour)]


def _spot(tokens: EditTokens, things: Sequence[Seen], *, free: bool) -> Walk:
    ways = (*marked("by", DIRECTIONS), *marked("at", tokens.places), *marked("rel", RELATIONS))
    way = yield (ANY, *ways) if free else ways
    if str(way).startswith("rel:"):
        yield from _select(tokens, things)


def follows(tokens: EditTokens, things: Sequence[Seen], symbols: Sequence[Symbol]) -> bool:
    """Whether the symbols are exactly one edit of a plan with these things."""
    grammar = walk(tokens, things)
    allowed: tuple[Symbol, ...] = next(grammar)
    for number, symbol in enumerate(symbols):
        if symbol not in allowed:
            return False
        try:
            allowed = grammar.send(symbol)
        except StopIteration:
            return number == len(symbols) - 1
    return False
