"""The combinations that no training scene ever shows, so that a model can be asked for what it has not seen.

They are pure functions of names and counts, fixed here once: changing one would void every measurement made before.
"""

from __future__ import annotations

import zlib

from triptych.scenes.colours import COLOURS
from triptych.scenes.nouns import NOUNS

MAX_COUNT = 6
_COLOURS = tuple(COLOURS)


def colour_of_noun_is_heldout(noun: str, colour: str) -> bool:
    """One diagonal of noun x colour: a tenth of all pairs, and at most one colour for each noun.

    The noun's row is a checksum of its name, so that a noun added later moves no other. A noun's natural colour is
    never held out, for it is seen in every plain drawing of it.
    """
    if colour not in COLOURS or noun not in NOUNS or colour == NOUNS[noun].natural:
        return False
    return zlib.crc32(noun.encode()) % len(_COLOURS) == _COLOURS.index(colour)


def colour_of_count_is_heldout(colour: str, count: int) -> bool:
    """One diagonal of colour x count: each colour lacks one count between 2 and 6."""
    return colour in COLOURS and count >= 2 and (_COLOURS.index(colour) % (MAX_COUNT - 1)) == count - 2


def sign_is_heldout(word: str) -> bool:
    """One sign word in eight, by checksum."""
    return zlib.crc32(word.upper().encode()) % 8 == 0


def is_heldout(noun: str, colour: str | None, count: int, text: str | None = None) -> bool:
    """Whether a group of things may not be trained on."""
    if text is not None and sign_is_heldout(text):
        return True
    if colour is None:
        return False
    return colour_of_noun_is_heldout(noun, colour) or colour_of_count_is_heldout(colour, count)
