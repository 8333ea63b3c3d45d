"""An edit program: what an instruction was read as, as data that a person can read, save and do again.

A program is a list of edits; each says what is done, to which things of the plan as the edits before it left it, and
with what. `planning.edit_tokens` has the grammar of its symbols. Knows no network and no picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.plan import Plan
from triptych.editing.instruct.describe import where
from triptych.planning.edit_tokens import (
    ALL,
    ANY,
    NONE,
    NUMBERS,
    OF_THINGS,
    THING,
    WHICH,
    Seen,
    Symbol,
    fitting_things,
)  # fmt: skip
from triptych.scenes.nouns import NOUNS


@dataclass(frozen=True)
class Select:
    """What is meant. noun, colour: as the words say, None where they do not. things: their numbers in the plan.

    unclear: several fit, and the words do not tell them apart. With no things and nothing unclear, none fits.
    """

    noun: str | None = None
    colour: str | None = None
    things: tuple[int, ...] = ()
    unclear: bool = False

    def symbols(self) -> tuple[Symbol, ...]:
        what = (self.noun or THING, self.colour or ANY)
        if self.unclear:
            return (*what, WHICH)
        return (*what, ALL) if len(self.things) > 1 else (*what, *(self.things or (NONE,)))

    def words(self, plan: Plan | None = None) -> str:
        """What is meant, as in "the blue fox"; with the plan, which one of several alike: "the fox (left)"."""
        if self.noun is None:
            name = "things" if len(self.things) > 1 else "thing"
        else:
            name = NOUNS[self.noun].plural if len(self.things) > 1 else self.noun
        words = " ".join(filter(None, ("the", self.colour, name)))
        if plan is None or len(self.things) != 1:
            return words
        own = plan.objects[self.things[0]]
        if self.noun is None:
            words = f"the {own.noun}"
        alike = sum(
            thing.noun == own.noun and self.colour in (None, thing.colour or NOUNS[thing.noun].natural)
            for thing in plan.objects
        )
        return f"{words} ({where(own)})" if alike > 1 else words


@dataclass(frozen=True)
class Spot:
    """Where to: a way ("by:left", "at:top left", "rel:above") and, for a relation, what it is held against."""

    way: str
    anchor: Select | None = None

    def symbols(self) -> tuple[Symbol, ...]:
        return (self.way, *(self.anchor.symbols() if self.anchor else ()))

    def words(self, plan: Plan | None = None) -> str:
        kind, _, name = self.way.partition(":")
        if kind == "by":
            return {"left": "to the left", "right": "to the right", "up": "upwards", "down": "downwards"}[name]
        if kind == "at":
            return f"to the {name}"
        return f"{name} {self.anchor.words(plan) if self.anchor else 'it'}"


@dataclass(frozen=True)
class Edit:
    """One edit. Which fields count depends on `op` (`planning.edit_tokens`).

    select, other: what is meant, and for a swap with what. noun, colour, number, size: of what comes. mode: of a count.
    aspect: what is to be kept of what is selected, or of the whole picture. text: what a sign shall say.
    """

    op: str
    select: Select | None = None
    other: Select | None = None
    noun: str | None = None
    colour: str | None = None
    number: int = 1
    size: str | None = None
    spot: Spot | None = None
    mode: str | None = None
    background: str | None = None
    light: str | None = None
    aspect: str | None = None
    text: str | None = None

    def symbols(self) -> tuple[Symbol, ...]:
        """The edit as the editor writes it."""
        chosen = self.select.symbols() if self.select else ()
        colour, number = self.colour or ANY, NUMBERS[self.number - 1]
        match self.op:
            case "recolour":
                rest: tuple[Symbol, ...] = (*chosen, colour)
            case "replace":
                rest = (*chosen, colour, self.noun or THING)
            case "move":
                rest = (*chosen, *self._spot())
            case "resize":
                rest = (*chosen, f"size:{self.size}")
            case "swap":
                rest = (*chosen, *(self.other.symbols() if self.other else ()))
            case "add":
                size = f"size:{self.size}" if self.size else ANY
                rest = (number, size, colour, self.noun or THING, *self._spot())
            case "count":
                rest = (self.noun or THING, colour, f"mode:{self.mode}", number)
            case "background":
                rest = (self.background or "",)
            case "light":
                rest = (f"light:{self.light}",)
            case "keep":
                rest = (f"keep:{self.aspect}", *(chosen if self.aspect in OF_THINGS else ()))
            case _:
                rest = chosen
        return (f"op:{self.op}", *rest)

    def _spot(self) -> tuple[Symbol, ...]:
        return self.spot.symbols() if self.spot else (ANY,)

    @property
    def selects(self) -> tuple[Select, ...]:
        """Everything that the edit points at."""
        anchor = self.spot.anchor if self.spot else None
        return tuple(each for each in (self.select, self.other, anchor) if each is not None)

    def words(self, plan: Plan | None = None) -> str:
        """For people: "recolour the fox -> blue". plan: what the edit is about, to say which of several is meant."""
        chosen = self.select.words(plan) if self.select else ""
        match self.op:
            case "recolour":
                return f"recolour {chosen} -> {self.colour or 'its natural colour'}"
            case "remove":
                return f"remove {chosen}"
            case "replace":
                return f"replace {chosen} -> {self._new()}"
            case "move":
                return f"move {chosen} {self.spot.words(plan) if self.spot else ''}".rstrip()
            case "resize":
                return f"resize {chosen} -> {self.size}"
            case "swap":
                return f"swap {chosen} and {self.other.words(plan) if self.other else ''}"
            case "add":
                return f"add {self._new()} {self.spot.words(plan) if self.spot else ''}".rstrip()
            case "count":
                what = " ".join(filter(None, (self.colour, NOUNS[self.noun].plural if self.noun else "")))
                return f"count of {what} -> {self.number}" + ("" if self.mode == "set" else f" {self.mode}")
            case "background":
                return f"background -> {self.background}"
            case "light":
                return f"light -> from {'the ' if self.light in ('left', 'right') else ''}{self.light}"
            case "text":
                return f'text of {chosen} -> "{self.text}"'
            case "keep":
                if self.aspect not in OF_THINGS:
                    return "keep everything else" if self.aspect == "rest" else f"keep the {self.aspect}"
                return f"keep {chosen}" if self.aspect == "thing" else f"keep the {self.aspect} of {chosen}"
            case _:
                return self.op

    def _new(self) -> str:
        name = (NOUNS[self.noun].plural if self.number > 1 else self.noun) if self.noun else ""
        count = NUMBERS[self.number - 1] if self.number > 1 else ""
        return " ".join(filter(None, (count, self.size, self.colour, name)))

    def as_json(self) -> dict[str, Any]:
        """The fields that say something, for the settings of a recipe's step."""
        plain = dataclasses.asdict(self)
        return {name: value for name, value in plain.items() if value is not None and (name, value) != ("number", 1)}


def from_symbols(symbols: Sequence[Symbol], seen: Sequence[Seen], *, text: str | None = None) -> Edit:
    """The edit of symbols that follow the grammar.

    seen: the things of the plan that it is about. text: the words in quotes, for an edit that needs them.
    """
    left = iter(symbols)
    op = str(next(left)).removeprefix("op:")
    edit = Edit(op)
    if op in ("recolour", "remove", "replace", "move", "resize", "swap", "text"):
        edit = dataclasses.replace(edit, select=_select(left, seen))
    match op:
        case "recolour":
            return dataclasses.replace(edit, colour=_named(next(left)))
        case "replace":
            return dataclasses.replace(edit, colour=_named(next(left)), noun=str(next(left)))
        case "move":
            return dataclasses.replace(edit, spot=_spot(left, seen))
        case "resize":
            return dataclasses.replace(edit, size=str(next(left)).removeprefix("size:"))
        case "swap":
            return dataclasses.replace(edit, other=_select(left, seen))
        case "add":
            number, size = NUMBERS.index(str(next(left))) + 1, _named(next(left))
            colour, noun = _named(next(left)), str(next(left))
            size = size.removeprefix("size:") if size else None
            return dataclasses.replace(edit, number=number, size=size, colour=colour, noun=noun, spot=_spot(left, seen))
        case "count":
            noun, colour = str(next(left)), _named(next(left))
            mode, number = str(next(left)).removeprefix("mode:"), NUMBERS.index(str(next(left))) + 1
            return dataclasses.replace(edit, noun=noun, colour=colour, mode=mode, number=number)
        case "background":
            return dataclasses.replace(edit, background=str(next(left)))
        case "light":
            return dataclasses.replace(edit, light=str(next(left)).removeprefix("light:"))
        case "keep":
            aspect = str(next(left)).removeprefix("keep:")
            return dataclasses.replace(edit, aspect=aspect, select=_select(left, seen) if aspect in OF_THINGS else None)
        case "text":
            return dataclasses.replace(edit, text=text)
        case _:
            return edit


def _named(symbol: Symbol) -> str | None:
    return None if symbol == ANY else str(symbol)


def _select(left: Iterator[Symbol], seen: Sequence[Seen]) -> Select:
    noun, colour, chosen = str(next(left)), str(next(left)), next(left)
    if isinstance(chosen, int):
        things: tuple[int, ...] = (chosen,)
    else:
        things = tuple(fitting_things(seen, noun, colour)) if chosen == ALL else ()
    return Select(None if noun == THING else noun, _named(colour), things, chosen == WHICH)


def _spot(left: Iterator[Symbol], seen: Sequence[Seen]) -> Spot | None:
    way = next(left)
    if way == ANY:
        return None
    return Spot(str(way), _select(left, seen) if str(way).startswith("rel:") else None)


def parse(data: Any) -> tuple[Edit, ...]:
    """The program of a recipe's settings; `FileProblem` if it cannot be one."""
    try:
        return tuple(_edit(each) for each in data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FileProblem(f"the recipe is damaged: its edit program cannot be read ({error})") from None


def _edit(data: dict[str, Any]) -> Edit:
    fields = dict(data)
    for name in ("select", "other"):
        if fields.get(name) is not None:
            fields[name] = _selected(fields[name])
    if fields.get("spot") is not None:
        spot = fields["spot"]
        fields["spot"] = Spot(str(spot["way"]), _selected(spot["anchor"]) if spot.get("anchor") else None)
    return Edit(**fields)


def _selected(data: dict[str, Any]) -> Select:
    return Select(data.get("noun"), data.get("colour"), tuple(int(i) for i in data["things"]), bool(data["unclear"]))
