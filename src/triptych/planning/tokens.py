"""The token form of a plan, and the grammar that every well-formed one obeys.

    background light (noun colour x0 y0 x1 y1 [TEXT letter+ END_TEXT])* END

Each field has its own tokens, so that a token tells by itself which field it fills. Sides of boxes are
counted on a lattice of `bins` points over the picture, both edges included; what lies outside the picture is
drawn to its edge. Knows no noun or colour of any world: the names are handed in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.plan import MAX_OBJECTS, MAX_SIGN_LETTERS, Plan, PlanObject

PAD, START, END, TEXT, END_TEXT = range(5)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !?&'-."
SIDES = ("x0", "y0", "x1", "y1")

Field = Literal["background", "light", "noun", "colour", "x0", "y0", "x1", "y1", "letter"]
"""What the next token says. `noun` includes END and, after a box, TEXT; `letter` includes END_TEXT."""


@dataclass(frozen=True)
class Choice:
    """The field that comes next and the token ids that may fill it, ascending."""

    field: Field
    allowed: tuple[int, ...]


class PlanTokens:
    """The vocabulary of plans over one world.

    nouns, colours, backgrounds, lights: the names; "natural colour" and "light not stated" (None in a plan)
    and "no background" ("" in a plan) have tokens of their own. signs: the nouns that bear text.
    """

    def __init__(
        self,
        nouns: Sequence[str],
        colours: Sequence[str],
        backgrounds: Sequence[str],
        lights: Sequence[str],
        *,
        signs: Iterable[str] = ("sign",),
        bins: int = 32,
        max_objects: int = MAX_OBJECTS,
    ) -> None:
        if bins < 2:
            raise ValueError(f"bins is {bins}; a box needs at least two points on each axis")
        self.bins = bins
        self.max_objects = min(max_objects, MAX_OBJECTS)
        self.nouns = tuple(dict.fromkeys(nouns))
        self.colours = tuple(dict.fromkeys(colours))
        self.backgrounds = tuple(dict.fromkeys(background for background in backgrounds if background))
        self.lights = tuple(dict.fromkeys(lights))
        self.signs = tuple(noun for noun in self.nouns if noun in set(signs))
        names: list[tuple[str, str | None]] = [("mark", m) for m in ("pad", "start", "end", "text", "end text")]
        names += [("letter", letter) for letter in LETTERS]
        names += [(side, str(place)) for side in SIDES for place in range(bins)]
        names += [("background", name) for name in ("", *self.backgrounds)]
        names += [("light", name) for name in (None, *self.lights)]
        names += [("colour", name) for name in (None, *self.colours)]
        names += [("noun", name) for name in self.nouns]
        self._names = names
        self._ids = {name: token for token, name in enumerate(names)}
        self._of_field = {
            field: tuple(token for token, (kind, _) in enumerate(names) if kind == field)
            for field in ("letter", *SIDES, "background", "light", "colour", "noun")
        }

    def __len__(self) -> int:
        return len(self._names)

    @property
    def max_length(self) -> int:
        """The most tokens `encode` can give: every object a sign of the greatest length."""
        per_object = 6 + (MAX_SIGN_LETTERS + 2 if self.signs else 0)
        return 2 + self.max_objects * per_object + 1

    def encode(self, plan: Plan) -> list[int]:
        """Ids from background to END, without START or padding; `InvalidRequest` for what this world does not
        know.
        """
        if len(plan.objects) > self.max_objects:
            raise InvalidRequest("plan", f"{len(plan.objects)} objects are more than the {self.max_objects} allowed")
        ids = [self._id("background", plan.background), self._id("light", plan.light)]
        for item in plan.objects:
            ids += [self._id("noun", item.noun), self._id("colour", item.colour), *self._box_ids(item)]
            if item.text:
                if item.noun not in self.signs:
                    raise InvalidRequest("plan", f"{item.noun!r} bears no text (only {', '.join(self.signs)})")
                ids += [TEXT, *(self._id("letter", letter) for letter in item.text.upper()), END_TEXT]
        return [*ids, END]

    def padded(self, plan: Plan, length: int) -> list[int]:
        """`encode`, filled with PAD to exactly `length`; `InvalidRequest` if the plan is longer."""
        ids = self.encode(plan)
        if len(ids) > length:
            raise InvalidRequest("plan", f"it takes {len(ids)} tokens, more than {length}")
        return ids + [PAD] * (length - len(ids))

    def decode(self, ids: Sequence[int]) -> Plan:
        """The plan of ids that follow the grammar (START and PAD are skipped); ValueError for any other."""
        walk = Grammar(self)
        for token in ids:
            if token not in (START, PAD):
                walk.take(token)
        if not walk.done:
            raise ValueError("the plan's tokens stop before END")
        return walk.plan()

    def side(self, place: int) -> float:
        """Lattice point to fraction of the picture."""
        return place / (self.bins - 1)

    def field(self, token: int) -> tuple[str, str | None]:
        """The field and the name that a token stands for; lattice points as numerals."""
        return self._names[token]

    def ids_of(self, field: str) -> tuple[int, ...]:
        """All ids of one field, ascending; those of a side in the order of the lattice."""
        return self._of_field[field]

    def _id(self, field: str, name: str | None) -> int:
        try:
            return self._ids[field, name]
        except KeyError:
            raise InvalidRequest("plan", f"the {field} {name!r} is not in this model's world") from None

    def _box_ids(self, item: PlanObject) -> list[int]:
        """Nearest lattice points, at least one step apart."""
        last = self.bins - 1
        places = [min(last, max(0, math.floor(side * last + 0.5))) for side in item.box]
        for low, high in ((0, 2), (1, 3)):
            if places[high] <= places[low]:
                middle = (item.box[low] + item.box[high]) / 2 * last
                places[low] = min(last - 1, max(0, math.floor(middle)))
                places[high] = places[low] + 1
        return [self._of_field[side][place] for side, place in zip(SIDES, places, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """What is stored beside the weights."""
        return {
            "kind": "plan-tokens",
            "nouns": list(self.nouns),
            "colours": list(self.colours),
            "backgrounds": list(self.backgrounds),
            "lights": list(self.lights),
            "signs": list(self.signs),
            "letters": LETTERS,
            "bins": self.bins,
            "max_objects": self.max_objects,
        }

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The vocabulary that `as_json` described; `FileProblem` if it is of another kind."""
        if not isinstance(data, dict) or data.get("kind") != "plan-tokens" or data.get("letters") != LETTERS:
            raise FileProblem("the plan vocabulary beside the weights is not one that this version reads")
        names = ("nouns", "colours", "backgrounds", "lights")
        options = {name: data[name] for name in ("signs", "bins", "max_objects")}
        return cls(*(data[name] for name in names), **options)


class Grammar:
    """The finite-state machine of well-formed plans: what may come next, and the plan so far."""

    def __init__(self, tokens: PlanTokens) -> None:
        self._tokens = tokens
        self._head: list[str | None] = []
        self._objects: list[PlanObject] = []
        self._item: list[str | None] = []
        self._places: list[int] = []
        self._letters: str | None = None
        self.done = False

    def choice(self) -> Choice:
        """The next field with the ids that keep the plan well formed; never empty until `done`."""
        known = self._tokens
        if self.done:
            raise ValueError("the plan has ended")
        if len(self._head) < 2:
            field: Field = "light" if self._head else "background"
            return Choice(field, known.ids_of(field))
        if self._letters is not None:
            more = len(self._letters) < MAX_SIGN_LETTERS
            return Choice(
                "letter", (*((END_TEXT,) if self._letters else ()), *(known.ids_of("letter") if more else ()))
            )
        if not self._item:
            return Choice("noun", self._after_object())
        if len(self._item) == 1:
            return Choice("colour", known.ids_of("colour"))
        side = SIDES[len(self._places)]
        lattice = known.ids_of(side)
        if side in ("x0", "y0"):
            return Choice(side, lattice[:-1])
        return Choice(side, lattice[self._places[len(self._places) - 2] + 1 :])

    def _after_object(self) -> tuple[int, ...]:
        allowed = [END]
        last = self._objects[-1] if self._objects else None
        if last is not None and last.text is None and last.noun in self._tokens.signs:
            allowed.append(TEXT)
        if len(self._objects) < self._tokens.max_objects:
            allowed += self._tokens.ids_of("noun")
        return tuple(allowed)

    def take(self, token: int) -> None:
        """Move on by one token; ValueError if it is not one of `choice().allowed`."""
        choice = self.choice()
        if token not in choice.allowed:
            raise ValueError(f"token {token} cannot be the plan's next {choice.field}")
        _, name = self._tokens.field(token)
        if choice.field in ("background", "light"):
            self._head.append(name)
        elif token == END:
            self.done = True
        elif token == TEXT:
            self._letters = ""
        elif token == END_TEXT:
            self._objects[-1] = self._objects[-1].model_copy(update={"text": self._letters})
            self._letters = None
        elif choice.field == "letter":
            self._letters = (self._letters or "") + (name or "")
        elif choice.field in ("noun", "colour"):
            self._item.append(name)
        else:
            self._places.append(int(name or 0))
            if len(self._places) == len(SIDES):
                self._close_object()

    def _close_object(self) -> None:
        noun, colour = self._item
        x0, y0, x1, y1 = (self._tokens.side(place) for place in self._places)
        self._objects.append(PlanObject(noun=noun or "", colour=colour, box=(x0, y0, x1, y1)))
        self._item, self._places = [], []

    def plan(self) -> Plan:
        """The plan as far as its objects are complete."""
        background, light = (*self._head, None, None)[:2]
        return Plan(background=background or "", light=light, objects=tuple(self._objects))
