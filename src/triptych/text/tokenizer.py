"""Prompts to token ids: one token for a known word, characters for everything else, so no prompt is ever
rejected.

Known words are read in any case. What stands in quotes is spelled (`a sign that says "OPEN"`), and so is
every unknown word, between marks that tell the two apart; letters are spelled in upper case. Text is folded
first: compatibility forms are decomposed and accents dropped (NFKD), typographic quotes become plain, control
characters become spaces. Each token knows the characters of the original prompt that it came from. Knows no
noun or colour of any world: the words are handed in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from triptych.core.errors import FileProblem

PAD, START, UNKNOWN, QUOTE, END_QUOTE, SPELL, END_SPELL = range(7)
MARKS = ("<pad>", "<start>", "<unknown>", "<quote>", "</quote>", "<spell>", "</spell>")
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,;:!?'\"-()&+/#%"

Span = tuple[int, int]
"""[start, end) in the characters of the prompt as it was typed."""

_PIECE = re.compile(
    r"""
      "(?P<double>[^"]*)"                              # "OPEN"
    | (?<!\w)'(?P<single>[^'\s](?:[^']*[^'\s])?)'(?!\w)  # 'OPEN', but no apostrophes: the dogs' toys
    | (?P<word>[^\W\d_]+(?:['-][^\W\d_]+)*)            # fox, snow-covered, fox's
    | (?P<number>[0-9]+)
    | (?P<other>\S)                                    # punctuation, a symbol
    """,
    re.VERBOSE,
)
_PLAIN = str.maketrans(
    "\u201c\u201d\u201e\u201f\u00ab\u00bb\u2018\u2019\u201a\u201b\u2010\u2011\u2012\u2013\u2014\u2212",
    '""""""\'\'\'\'------',
)


@dataclass(frozen=True)
class Piece:
    """A part of a prompt: a word, a number, the inside of quotes, or one other character."""

    kind: Literal["word", "number", "quote", "other"]
    text: str
    start: int


@dataclass(frozen=True)
class Folded:
    """Folded text and, for each of its characters, the place in the original it came from."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> Span:
        """The characters of the original prompt behind folded characters [start, end)."""
        return (self.origin[start], self.origin[end - 1] + 1) if start < end else (0, 0)


def fold(prompt: str) -> Folded:
    """Decompose compatibility forms, drop accents and invisible characters, make quotes and dashes plain."""
    text: list[str] = []
    origin: list[int] = []
    for place, typed in enumerate(prompt):
        for character in unicodedata.normalize("NFKD", typed.translate(_PLAIN)):
            category = unicodedata.category(character)
            if category == "Cc" or category[0] == "Z":
                character = " "
            elif category[0] in "CM":
                continue
            text.append(character)
            origin.append(place)
    return Folded("".join(text), tuple(origin))


def pieces(text: str) -> Iterator[Piece]:
    """Cut folded text into words, quotations and single other characters, in order."""
    for match in _PIECE.finditer(text):
        group = match.lastgroup or "other"
        kind = "quote" if group in ("double", "single") else group
        yield Piece(kind, match[group], match.start(group))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Encoded:
    """Token ids padded to the asked length; `spans` and `labels` are those of the tokens before the padding."""

    ids: tuple[int, ...]
    spans: tuple[Span, ...]
    labels: tuple[str, ...]
    truncated: bool


class Tokenizer:
    """Words that are one token each, and the characters that spell the rest.

    words: the world's words; case does not matter, their order fixes the ids. Ids: marks, characters, then
    words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(dict.fromkeys(word.lower() for word in words))
        first_word = len(MARKS) + len(CHARACTERS)
        self._characters = {character: len(MARKS) + place for place, character in enumerate(CHARACTERS)}
        self._words = {word: first_word + place for place, word in enumerate(self.words)}
        self._labels = MARKS + tuple(CHARACTERS) + self.words

    def __len__(self) -> int:
        return len(self._labels)

    def __contains__(self, word: str) -> bool:
        return word.lower() in self._words

    def label(self, token: int) -> str:
        """What a token stands for, for people."""
        return self._labels[token]

    def encode(self, prompt: str, length: int, *, spell: Callable[[int], bool] | None = None) -> Encoded:
        """Exactly `length` ids, beginning with START; the tokens that do not fit are cut and `truncated` says
        so.

        spell: training asks it, with the number of each known word, whether to spell that word all the same,
        so that spelling is learned where the world's captions have little of it.
        """
        if length < 1:
            raise ValueError(f"length is {length}; a prompt takes at least the start mark")
        folded = fold(prompt)
        found: list[tuple[int, Span]] = [(START, (0, 0))]
        truncated = False
        for token, start, end in self._tokens(folded.text, spell):
            if len(found) == length:
                truncated = True
                break
            found.append((token, folded.span(start, end)))
        ids = tuple(token for token, _ in found)
        return Encoded(
            ids=ids + (PAD,) * (length - len(ids)),
            spans=tuple(span for _, span in found),
            labels=tuple(self._labels[token] for token in ids),
            truncated=truncated,
        )

    def _tokens(self, text: str, spell: Callable[[int], bool] | None) -> Iterator[tuple[int, int, int]]:
        """(token, start, end) of folded text."""
        known = 0
        for piece in pieces(text):
            if piece.kind == "quote":
                yield from self._spelled(piece.text, piece.start, QUOTE, END_QUOTE)
            elif piece.kind != "word" and piece.text not in self._words:
                for place, character in enumerate(piece.text, piece.start):
                    yield self._character(character), place, place + 1
            else:
                for word, start in self._parts(piece):
                    token = self._words.get(word.lower())
                    if token is None:
                        if word in "-'":
                            yield self._character(word), start, start + 1
                        else:
                            yield from self._spelled(word, start, SPELL, END_SPELL)
                        continue
                    if spell is not None and spell(known):
                        yield from self._spelled(word, start, SPELL, END_SPELL)
                    else:
                        yield token, start, start + len(word)
                    known += 1

    def _parts(self, piece: Piece) -> Iterator[tuple[str, int]]:
        """A known compound whole (`ice-cream`), an unknown one cut at its hyphens and apostrophes; no
        possessive s.
        """
        text, start = piece.text, piece.start
        if text not in self and text.lower().endswith("'s"):
            text = text[:-2]
        if text in self:
            yield text, start
            return
        for part in re.split(r"(['-])", text):
            yield part, start
            start += len(part)

    def _spelled(self, text: str, start: int, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        yield begin, start, start + min(1, len(text))
        for place, character in enumerate(text, start):
            yield self._character(character), place, place + 1
        stop = start + len(text)
        yield end, max(start, stop - 1), stop

    def _character(self, character: str) -> int:
        return self._characters.get(character.upper(), UNKNOWN)

    def as_json(self) -> dict[str, Any]:
        """What is stored beside the weights."""
        return {"kind": "words-and-characters", "characters": CHARACTERS, "words": list(self.words)}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The tokenizer that `as_json` described; `FileProblem` if it is of another kind."""
        if not isinstance(data, dict) or data.get("kind") != "words-and-characters":
            raise FileProblem("the vocabulary beside the weights is not one of a words-and-characters tokenizer")
        if data.get("characters") != CHARACTERS:
            raise FileProblem("the vocabulary beside the weights spells with other characters than this version")
        return cls(data["words"])
