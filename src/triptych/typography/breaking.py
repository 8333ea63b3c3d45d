"""Where a line may end, and which way a paragraph runs.

A practical part of the Unicode rules: breaks (UAX 14) at spaces, after hyphens and dashes, at zero-width spaces and
soft hyphens, and between Chinese and Japanese characters except before closing and after opening marks; direction
(UAX 9, rules P2 and P3) by the first strong letter. It has no dictionary: it does not hyphenate by itself, and Thai,
Lao and Khmer, which write no spaces, break only where a zero-width space says so.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Way = Literal["ltr", "rtl"]

SOFT_HYPHEN, ZERO_WIDTH_SPACE = "\u00ad", "\u200b"
_HYPHENS = "-\u2010\u2013\u2014"
# All spaces but the ones that forbid a break (no-break, figure and narrow no-break space).
_SPACES = re.compile("([ \u1680\u2000-\u2006\u2008-\u200a\u205f\u3000]+)")
_NEVER_FIRST = (
    "、。，．・：；？！゛゜ヽヾゝゞ々ー’”）〕］｝〉》」』】〙〗ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥"
)
_NEVER_LAST = "‘“（〔［｛〈《「『【〘〖"
# Scripts whose letters change or move with their neighbours; drawing their characters one by one writes them wrong.
_SHAPED = (
    (0x0590, 0x08FF),  # Hebrew, Arabic, Syriac, Thaana, N'Ko
    (0x0900, 0x0DFF),  # the Indic scripts
    (0x0E31, 0x0EFF),  # Thai and Lao, from the first placed mark
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xFB1D, 0xFDFF),  # presentation forms of Hebrew and Arabic
    (0xFE70, 0xFEFF),
)


@dataclass(frozen=True)
class Word:
    """What stays together on a line. space: what stands behind it if the line goes on. hyphen: drawn if it does not."""

    text: str
    space: str = ""
    hyphen: bool = False


def words_of(paragraph: str) -> tuple[Word, ...]:
    """The unbreakable pieces of a paragraph, in reading order. Spaces at its start stay with the first piece."""
    pieces = _SPACES.split(paragraph)
    words: list[Word] = []
    for text, space in zip(pieces[0::2], [*pieces[1::2], ""], strict=True):
        parts = _parts(text)
        if not text and not words:
            parts = [Word("")] if space else []
        if parts:
            last = parts[-1]
            parts[-1] = Word(last.text, last.space + space, last.hyphen)
        words += parts
    return tuple(words)


def line_text(words: tuple[Word, ...]) -> str:
    """The characters of a line made of these words."""
    if not words:
        return ""
    *rest, last = words
    return "".join(word.text + word.space for word in rest) + last.text + ("-" if last.hyphen else "")


def way_of(paragraph: str) -> Way:
    """The direction that the first strong character gives; left to right if there is none. Isolates are skipped."""
    depth = 0
    for char in paragraph:
        kind = unicodedata.bidirectional(char)
        if kind in ("LRI", "RLI", "FSI"):
            depth += 1
        elif kind == "PDI":
            depth = max(depth - 1, 0)
        elif depth == 0 and kind in ("L", "R", "AL"):
            return "ltr" if kind == "L" else "rtl"
    return "ltr"


def strong_way(text: str) -> Way | None:
    """The direction of a word that has only one, by its letters; None for digits and marks alone."""
    kinds = {unicodedata.bidirectional(char) for char in text}
    if kinds & {"R", "AL"}:
        return "rtl"
    return "ltr" if "L" in kinds else None


def blocks_of(words: tuple[Word, ...], way: Way) -> list[tuple[str, str]]:
    """(text, space behind it) of the pieces of a justified line, in reading order.

    A piece is a word, or what has to stay together: what no space divides, and a row of words that run against the
    line, whose own order is the other one.
    """
    against = _against(words, way)
    blocks: list[tuple[str, str]] = []
    for number, word in enumerate(words):
        last = number == len(words) - 1
        text = word.text + ("-" if last and word.hyphen else "")
        space = "" if last else word.space
        together = number > 0 and against[number] and against[number - 1]
        if blocks and (not blocks[-1][1] or together):
            before, between = blocks.pop()
            text = before + between + text
        blocks.append((text, space))
    return blocks


def needs_shaping(text: str) -> str | None:
    """The first character that cannot be written without a shaper, or None."""
    for char in unicodedata.normalize("NFC", text):
        shaped = any(first <= ord(char) <= last for first, last in _SHAPED)
        if shaped or unicodedata.category(char) in ("Mn", "Me") or unicodedata.bidirectional(char) in ("R", "AL"):
            return char
    return None


def _against(words: tuple[Word, ...], base: Way) -> list[bool]:
    """Which words run against the line's direction: by their letters, digits like the letters before them (UAX 9, rule
    W7; in Arabic they would be level anyway), marks like both their neighbours if those agree (N1).
    """
    ways: list[Way | None] = []
    strong: Way = base
    for word in words:
        way = strong_way(word.text)
        digits = any(char.isdecimal() for char in word.text)
        ways.append(way or (strong if digits else None))
        strong = way or strong
    for number, way in enumerate(ways):
        if way is None:
            before = ways[number - 1] if number else base
            after = next((each for each in ways[number:] if each), base)
            ways[number] = before if before == after else base
    return [way != base for way in ways]


def _parts(text: str) -> list[Word]:
    """A piece without spaces, cut where it may be broken."""
    parts: list[Word] = []
    start = 0
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        if before in (SOFT_HYPHEN, ZERO_WIDTH_SPACE):
            parts.append(Word(_bare(text[start:at]), hyphen=before == SOFT_HYPHEN))
        elif _breaks(text, at, before, after):
            parts.append(Word(_bare(text[start:at])))
        else:
            continue
        start = at
    if start < len(text):
        parts.append(Word(_bare(text[start:])))
    return parts


def _bare(text: str) -> str:
    return text.replace(SOFT_HYPHEN, "").replace(ZERO_WIDTH_SPACE, "")


def _breaks(text: str, at: int, before: str, after: str) -> bool:
    if before in _HYPHENS:
        # Not in "-5", "--" or "a-" at the end: a hyphen is a break between a letter and something.
        return at >= 2 and after not in _HYPHENS and not (before == "-" and not text[at - 2].isalpha())
    if _ideographic(before) or _ideographic(after):
        joined = unicodedata.category(after) in ("Mn", "Me") or after in "\u200d\u2060" or before in "\u200d\u2060"
        return not joined and after not in _NEVER_FIRST and before not in _NEVER_LAST
    return False


def _ideographic(char: str) -> bool:
    """Chinese and Japanese characters and their punctuation; Korean breaks at its spaces."""
    point = ord(char)
    return (
        0x2E80 <= point <= 0x30FF
        or 0x31F0 <= point <= 0x9FFF
        or 0xF900 <= point <= 0xFAFF
        or (0xFF01 <= point <= 0xFF9F or 0x20000 <= point <= 0x3FFFF)
    )
