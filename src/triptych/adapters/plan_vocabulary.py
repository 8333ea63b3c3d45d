"""The words that a plan input knows, each with a number.

A model's card carries its vocabulary, so that weights and numbers stay together. It knows nothing of prompts:
mapping "kitten" to "cat" happens before a plan is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

from triptych.core.errors import FileProblem

NOTHING = 0
"""The number of 'none' and of every unknown word."""

NATURAL_COLOUR = 1
"""The colour number of an object whose colour the plan leaves alone."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!?&'-."
"""The letters of signs; number 1 is the first, and a space or any other character is NOTHING."""

LETTER_IDS: Mapping[str, int] = {letter: number for number, letter in enumerate(LETTERS, start=1)}


@dataclass(frozen=True)
class PlanVocabulary:
    """Known words in a fixed order. Appending keeps the numbers of the words before."""

    nouns: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[str, ...]
    lights: tuple[str, ...]

    @cached_property
    def noun_ids(self) -> Mapping[str, int]:
        return _numbered(self.nouns)

    @cached_property
    def colour_ids(self) -> Mapping[str, int]:
        """Named colours start after NATURAL_COLOUR."""
        return _numbered(self.colours, start=NATURAL_COLOUR + 1)

    @cached_property
    def background_ids(self) -> Mapping[str, int]:
        return _numbered(self.backgrounds)

    @cached_property
    def light_ids(self) -> Mapping[str, int]:
        return _numbered(self.lights)

    @property
    def sizes(self) -> dict[str, int]:
        """How many rows each embedding table needs, as keyword arguments of `PlanInput`."""
        return {
            "nouns": len(self.nouns) + 1,
            "colours": len(self.colours) + NATURAL_COLOUR + 1,
            "backgrounds": len(self.backgrounds) + 1,
            "lights": len(self.lights) + 1,
        }

    def as_json(self) -> dict[str, list[str]]:
        """The form that a model's card holds."""
        return {kind: list(words) for kind, words in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """The inverse of `as_json`. Raises FileProblem when a list is missing or not one of distinct words."""
        kinds = ("nouns", "colours", "backgrounds", "lights")
        if not isinstance(data, dict) or set(data) != set(kinds):
            raise FileProblem(f"a plan vocabulary holds exactly the lists {', '.join(kinds)}")
        for kind in kinds:
            words = data[kind]
            if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
                raise FileProblem(f"plan vocabulary: {kind} is not a list of words")
            if len(set(words)) != len(words):
                raise FileProblem(f"plan vocabulary: {kind} names a word twice")
        return cls(**{kind: tuple(data[kind]) for kind in kinds})


def _numbered(words: tuple[str, ...], start: int = NOTHING + 1) -> dict[str, int]:
    return {word: number for number, word in enumerate(words, start=start)}
