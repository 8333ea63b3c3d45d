"""What the readers see in a picture: things with their boxes and colours, and a plan that a painter could take.

The readers know the built-in world only; in a photograph they find little, and say so by low scores. Faces and signs
are told as what they are, without who or what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from triptych.core import registry
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.events import Note, Pixels
from triptych.core.plan import MAX_OBJECTS, Plan, PlanObject
from triptych.editing.words import Thing
from triptych.evals.readers.decode import PRESENT
from triptych.scenes.nouns import NOUNS

if TYPE_CHECKING:
    from triptych.evals.readers.load import Readers
    from triptych.evals.reading import Reading

SURE_OF_PLACE = 0.5
"""A background counts as seen from this probability on."""


@dataclass(frozen=True)
class Seen:
    """things: by falling score. plan: the same with the background, back to front. notes: where nobody could look."""

    things: tuple[Thing, ...] = ()
    plan: Plan = field(default_factory=Plan)
    notes: tuple[Note, ...] = ()


def readers() -> Readers:
    """The readers of the package, loaded once; `FileProblem` where they are missing."""
    return _loaded(registry.builtin_folder() / "readers")


@cache
def _loaded(folder: Path) -> Readers:
    from triptych.evals.readers.load import Readers

    return Readers.load(folder)


def see(pixels: Pixels, capabilities: Capabilities | None = None) -> Seen:
    """What is in a picture, uint8 (H, W, 3). With capabilities, the plan holds only nouns that the model knows.

    Without readers in the package nothing is seen, and noted.
    """
    try:
        reading = readers().read([pixels])[0]
    except FileProblem as error:
        return Seen(notes=(Note("plan", "note", f"nobody can look at the picture: {error}"),))
    return seen(reading, capabilities)


def seen(reading: Reading, capabilities: Capabilities | None = None) -> Seen:
    """A reading as things and plan. A thing in its noun's own colour has no colour in the plan, as plans have it."""
    known = capabilities.nouns if capabilities else ()
    found = [thing for thing in reading.things if thing.score >= PRESENT]
    things = tuple(Thing(thing.noun, thing.box, thing.colour, thing.score) for thing in found)
    objects = [
        PlanObject(noun=thing.noun, colour=_named(thing.noun, thing.colour), box=_within(thing.box))
        for thing in things[:MAX_OBJECTS]
        if not known or thing.noun in known
    ]
    # What hides others is seen whole: the less visible a thing, the further back it stands.
    visible = {thing.box: thing.visible for thing in found}
    order = sorted(range(len(objects)), key=lambda i: visible.get(things[i].box, 1.0))
    shares = reading.backgrounds or {}
    place = reading.background if reading.background and shares[reading.background] >= SURE_OF_PLACE else ""
    return Seen(things, Plan(background=place, objects=tuple(objects[i] for i in order)))


def _named(noun: str, colour: str | None) -> str | None:
    drawing = NOUNS[noun]
    return colour if drawing.recolourable and colour != drawing.natural else None


def _within(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (min(max(side, -0.5), 1.5) for side in box)
    return x0, y0, max(x1, x0 + 0.01), max(y1, y0 + 0.01)
