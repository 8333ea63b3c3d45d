"""Where the words of a mask point: "the fox", "the left car", "all red apples", "everything but the fox".

Whoever can look at a picture is handed in as things with a noun, a colour and a box; this file knows no reader. A word
for several things ("the fox" where three stand) is refused with the words that would tell them apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.core.plan import Box
from triptych.editing import masks
from triptych.editing.masks import PixelBox, Selection
from triptych.scenes import synonyms
from triptych.scenes.colours import COLOURS
from triptych.scenes.nouns import NOUNS

PAD = 0.08
"""A found box is widened by this share of its sides: a reader's box may cut an ear or a wheel."""
MAX_WORDS = 200


@dataclass(frozen=True)
class Thing:
    """What a reader found. box: fractions of the picture. colour: as it looks, None where nobody can say."""

    noun: str
    box: Box
    colour: str | None = None
    score: float = 1.0


_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "1st": 0, "2nd": 1, "3rd": 2, "4th": 3, "last": -1}
_SIDES: dict[str, Callable[[Thing], float]] = {
    "left": lambda thing: thing.box[0] + thing.box[2],
    "leftmost": lambda thing: thing.box[0] + thing.box[2],
    "right": lambda thing: -thing.box[0] - thing.box[2],
    "rightmost": lambda thing: -thing.box[0] - thing.box[2],
    "top": lambda thing: thing.box[1] + thing.box[3],
    "upper": lambda thing: thing.box[1] + thing.box[3],
    "bottom": lambda thing: -thing.box[1] - thing.box[3],
    "lower": lambda thing: -thing.box[1] - thing.box[3],
    "middle": lambda thing: abs(thing.box[0] + thing.box[2] - 1),
    "central": lambda thing: abs(thing.box[0] + thing.box[2] - 1),
    "largest": lambda thing: -_area(thing),
    "biggest": lambda thing: -_area(thing),
    "larger": lambda thing: -_area(thing),
    "large": lambda thing: -_area(thing),
    "big": lambda thing: -_area(thing),
    "smallest": lambda thing: _area(thing),
    "smaller": lambda thing: _area(thing),
    "small": lambda thing: _area(thing),
}
"""Word -> by which measure it picks one thing of several: the least."""
_ALL = {"all", "both", "every", "each"}
_REST = re.compile(r"^(?:everything|all|the rest)\s+(?:but|except|besides|without|apart from|other than)\s+(.+)$")
_BACKGROUND = {"background", "backdrop", "scenery", "surroundings"}
_THING = {"thing", "things", "object", "objects"}
_FILLER = {"the", "a", "an", "of", "in", "on", "at", "to", "this", "that", "one", "from", "side", "and", "with", "most"}


def from_words(words: str, things: Sequence[Thing], size: tuple[int, int]) -> Selection:
    """The selection of what the words name. size: (width, height) of the picture.

    Raises `InvalidRequest` for words that name nothing that was found, or more than one thing that they do not tell
    apart.
    """
    text = words.strip().lower()
    if not text or len(text) > MAX_WORDS:
        raise InvalidRequest("mask", f"has {len(text)} letters of words; 1 to {MAX_WORDS} are allowed")
    rest = _REST.match(text)
    if rest or (text.removeprefix("the ") in _BACKGROUND):
        kept = chosen(rest[1], things) if rest else list(things)
        mask = ~masks.of_boxes([_pixels(thing.box, size) for thing in kept], size)
        return Selection(mask, (Note("mask", "note", f"all but {_listed(kept)} is selected"),))
    found = chosen(text, things)
    notes = (Note("mask", "note", f"{words.strip()!r} is {_listed(found)}"),)
    return Selection(masks.of_boxes([_pixels(thing.box, size) for thing in found], size), notes)


def chosen(words: str, things: Sequence[Thing]) -> list[Thing]:
    """The things that the words name, in the order of `things`."""
    tokens = re.findall(r"[a-z0-9'-]+", words.lower())
    known = synonyms()
    noun = next((name for token in reversed(tokens) if (name := _noun(token, known))), None)
    colour = next((known.get(t, t) for t in tokens if known.get(t, t) in COLOURS), None)
    unknown = [t for t in tokens if not _understood(t, known)]
    if unknown:
        raise InvalidRequest("mask", f"the words {words!r} are not understood at {unknown[0]!r}; {_seen(things)}")
    fitting = [t for t in things if (noun is None or t.noun == noun) and (colour is None or t.colour == colour)]
    if (noun is None and colour is None and not any(t in _THING for t in tokens)) or not fitting:
        raise InvalidRequest("mask", f"{words!r} is not found in the picture; {_seen(things)}")
    if any(token in _ALL for token in tokens) or _plural(tokens, noun):
        return fitting
    measures = [_SIDES[token] for token in tokens if token in _SIDES]
    ordinal = next((_ORDINALS[token] for token in tokens if token in _ORDINALS), None)
    if ordinal is not None:
        ranked = sorted(fitting, key=measures[0] if measures else _SIDES["left"])
        if not -len(ranked) <= ordinal < len(ranked):
            raise InvalidRequest("mask", f"{words!r} is not there: only {_listed(ranked)} fit the other words")
        return [ranked[ordinal]]
    if len(fitting) == 1:
        return fitting
    if not measures:
        raise InvalidRequest(
            "mask",
            f"{words!r} may be any of {_listed(fitting)}; say which: left, right, top, bottom, largest, smallest, "
            "second, or all",
        )
    # "top left": both words count, each as the rank that it gives.
    ranks = [sum(sorted(map(m, fitting)).index(m(thing)) for m in measures) for thing in fitting]
    return [fitting[ranks.index(min(ranks))]]


def _noun(token: str, known: dict[str, str]) -> str | None:
    meaning = known.get(token, token)
    return meaning if meaning in NOUNS else None


def _plural(tokens: Sequence[str], noun: str | None) -> bool:
    """Whether the noun stands in its plural; "fish" and "sheep" are one unless said otherwise."""
    if "things" in tokens or "objects" in tokens:
        return True
    return noun is not None and NOUNS[noun].plural != noun and NOUNS[noun].plural in tokens


def _understood(token: str, known: dict[str, str]) -> bool:
    words = (*_FILLER, *_SIDES, *_ORDINALS, *_ALL, *_THING)
    return token in words or known.get(token, token) in COLOURS or _noun(token, known) is not None


def _pixels(box: Box, size: tuple[int, int]) -> PixelBox:
    """A box in fractions, padded, in pixels, cut at the picture's borders."""
    width, height = size
    x0, y0, x1, y1 = box
    px, py = PAD * (x1 - x0), PAD * (y1 - y0)
    left, top = max(int((x0 - px) * width), 0), max(int((y0 - py) * height), 0)
    right, bottom = min(-int(-(x1 + px) * width // 1), width), min(-int(-(y1 + py) * height // 1), height)
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _area(thing: Thing) -> float:
    x0, y0, x1, y1 = thing.box
    return (x1 - x0) * (y1 - y0)


def _listed(things: Sequence[Thing]) -> str:
    return " and ".join(_told(thing) for thing in things) if things else "nothing"


def _seen(things: Sequence[Thing]) -> str:
    return f"what is seen there: {_listed(things)}" if things else "no thing that is known is seen there"


def _told(thing: Thing) -> str:
    x, y = (thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2
    across = "left" if x < 0.4 else "right" if x > 0.6 else "middle"
    down = "top" if y < 0.4 else "bottom" if y > 0.6 else "centre"
    colour = f"{thing.colour} " if thing.colour else ""
    return f"a {colour}{thing.noun} ({down} {across})"
