"""Prompt -> tokens with their places in it. Quoted text is one token, so that no rule reads into it.

Knows letters and quotation marks, but no word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

_PIECE = re.compile(
    r"""
      (?P<quote>"[^"\n]*"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|(?<![\w'])['‘][^'’\n]{1,200}(?:['’](?=[a-z])[^'’\n]{1,200}){0,4}['’](?!\w))
    | (?P<possessive>['’]s\b|(?<=s)['’](?!\w))
    | (?P<number>\d+(?:[.,:/x]\d+)*(?:st|nd|rd|th|s)?\b|\d+(?:[.,:/]\d+)*(?=[A-Za-z]))
    | (?P<word>[^\W\d_]+(?:[-‐](?:[^\W_]|(?<=[-‐]))+|['’](?:t|re|ve|ll|d|m)\b|[^\W_])*)
    | (?P<stop>[.!?;\n]+)
    | (?P<mark>\S)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One word, number, quotation or mark. `start` and `end` are offsets in the prompt.

    tag: the kind of word, see `tagging`. lemma: the word's ground form: "mice" -> "mouse", "sat" -> "sit".
    """

    text: str
    start: int
    end: int
    kind: str
    tag: str = ""
    lemma: str = ""

    @cached_property
    def lower(self) -> str:
        return self.text.lower().replace("’", "'").replace("‐", "-")

    def tagged(self, tag: str, lemma: str = "") -> Token:
        return replace(self, tag=tag, lemma=lemma or self.lower)


def tokens_of(text: str) -> list[Token]:
    """The prompt's tokens from left to right; what stands between them is white space."""
    found: list[Token] = []
    for match in _PIECE.finditer(text):
        kind = match.lastgroup or "mark"
        found.append(Token(match.group(), match.start(), match.end(), kind))
    return found


def quoted(token: Token) -> str:
    """The words inside of a quotation."""
    return token.text[1:-1].strip()
