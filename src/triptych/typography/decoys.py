"""Near misses of a text: what it could be mistaken for, letter by letter. Knows how letters look only by groups."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TypeVar

from triptych.typography.fonts import Font

T = TypeVar("T")

_ALPHABET = 64
"""How far from a letter in Unicode its script's others are looked for."""
# Letters that are taken for one another, in groups.
_ALIKE = (
    "O0QCGD", "I1lJ|i!", "EFBL", "S5Z2", "MNWH", "VUY", "PRB", "KX", "T7", "A4", "38B", "6b8G", "9gq",
    "ceo", "nhru", "mnw", "tf", "bdp", "vyu", "aeo", "kx", "sz", ".,", ":;", "-–",
    "ור", "דרך", "החת", "בכפ", "סםמ", "עצ", "וןז", "גנ",
    "بتثني", "جحخ", "دذ", "رز", "سش", "صض", "طظ", "عغ", "فق", "ةه", "كل",
    "ОСЭ", "ШЩ", "ИН", "БВ", "иншщ", "бв", "ΟΘ", "ΑΛΔ", "日目", "大太犬", "未末", "土士",
)  # fmt: skip


def decoys(text: str, most: int, font: Font) -> list[str]:
    """At most `most` texts that are nearly `text` and that the font can write, spread evenly over its letters."""
    return spread([each for each in dict.fromkeys(_near(text)) if each != text and not font.missing(each)], most)


def alphabet(char: str, font: Font) -> list[str]:
    """The other letters and digits of the character's script, as far as they stand close to it in Unicode."""
    script = unicodedata.name(char, "").split(" ")[0]
    points = [*range(ord("0"), ord("9") + 1), *range(max(ord(char) - _ALPHABET, 0), ord(char) + _ALPHABET)]
    near = [chr(point) for point in dict.fromkeys(points) if point in font.characters and point != ord(char)]
    return [
        each for each in near if each.isalnum() and (each.isdecimal() or unicodedata.name(each, "").startswith(script))
    ]


def _near(text: str) -> Iterator[str]:
    for at, char in enumerate(text):
        if not unicodedata.category(char).startswith(("L", "N", "P", "S")):
            continue
        group = next((group for group in _ALIKE if char in group), "")
        others = [other for other in group if other != char][:2]
        if not others:
            near = [chr(ord(char) + step) for step in (1, -1) if ord(char) + step < 0x10FFFF]
            others = [other for other in near if unicodedata.category(other) == unicodedata.category(char)][:1]
        for other in others:
            yield text[:at] + other + text[at + 1 :]
        if len(text) > 1:
            yield text[:at] + text[at + 1 :]
        if at and text[at - 1].isalnum() and char.isalnum():
            yield text[: at - 1] + char + text[at - 1] + text[at + 1 :]


def spread(items: list[T], most: int) -> list[T]:
    """At most so many of the items, evenly spread."""
    return items if len(items) <= most else [items[number * len(items) // most] for number in range(most)]
