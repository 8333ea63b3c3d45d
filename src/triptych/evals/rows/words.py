"""How prompts are worded: GenEval's shape in the words that captions of the world hold. Knows no row."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

from triptych.scenes import Group, Level, is_heldout, wording
from triptych.scenes.draw import Draw
from triptych.scenes.nouns import NOUNS

T = TypeVar("T")


def opening(draw: Draw) -> str:
    """ "a picture of ", "a drawing of ", ... or nothing, as often as captions have each."""
    return draw.pick(wording.OPENINGS)


def phrase(group: Group) -> str:
    """A group as a caption names it: "three small red foxes", "an owl", 'a sign that says "OPEN"'."""
    words = [wording.SIZE_WORDS[group.size][0]] if group.size in wording.SIZE_WORDS else []
    if group.colour is not None:
        words.append(group.colour)
    noun = NOUNS[group.noun]
    words.append(noun.name if group.count == 1 else noun.plural)
    text = " ".join(words)
    if group.text is not None:
        text += f' {wording.SAYING[0]} "{group.text}"'
    return f"{wording.NUMBERS[group.count][0] if group.count > 1 else article(text)} {text}"


def article(text: str) -> str:
    return "an" if text[0] in "aeio" or text.startswith("umb") else "a"


def absence(noun: str, draw: Draw) -> str:
    """ "without a car", "with no car", ..."""
    form = draw.pick(wording.ABSENCE_PHRASES)
    return form.format(a=f"{article(noun)} {noun}", one=noun, many=NOUNS[noun].plural)


def cycled(options: Sequence[T], n: int, key: str) -> T:
    """Option n of an endless series in which every option comes once before any comes again, in shuffled order."""
    shuffle = Draw(zlib.crc32(key.encode()), n // len(options))
    return shuffle.sample(options, len(options))[n % len(options)]


def seen_colours(noun: str, level: Level, count: int = 1) -> list[str]:
    """The colours in which training scenes show so many of a noun."""
    if not NOUNS[noun].recolourable:
        return []
    return [colour for colour in level.colours if not is_heldout(noun, colour, count)]


def coloured(level: Level) -> tuple[str, ...]:
    """The nouns that take a colour at all."""
    return tuple(noun for noun in level.sprites if seen_colours(noun, level))
