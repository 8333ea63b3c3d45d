"""A prompt as sentences of tokens and phrases, with what is negated in each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from triptych.advice.grammar.phrases import Phrase, phrases_of
from triptych.advice.grammar.tagging import tagged
from triptych.advice.grammar.tokens import Token


@dataclass(frozen=True)
class Sentence:
    """The tokens up to a full stop, and the phrases among them."""

    tokens: tuple[Token, ...]
    phrases: tuple[Phrase, ...]

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Where the last word ends, without the full stop."""
        words = [token for token in self.tokens if token.tag != "STOP"]
        return (words or list(self.tokens))[-1].end

    @cached_property
    def _at(self) -> dict[int, Phrase]:
        return {position: phrase for phrase in self.phrases for position in range(phrase.first, phrase.last + 1)}

    @cached_property
    def _firsts(self) -> list[int]:
        return [phrase.first for phrase in self.phrases]

    def phrase_at(self, position: int) -> Phrase | None:
        """The phrase that holds the token at a position."""
        return self._at.get(position)

    def phrase_after(self, position: int, *, within: int = 4) -> Phrase | None:
        """The first phrase that begins after a position, at most so many tokens on."""
        index = bisect_right(self._firsts, position)
        found = self.phrases[index] if index < len(self.phrases) else None
        return found if found is not None and found.first <= position + within else None

    def phrase_before(self, position: int) -> Phrase | None:
        """The last phrase that ends before a position."""
        index = bisect_left(self._firsts, position) - 1
        while index >= 0 and self.phrases[index].last >= position:
            index -= 1
        return self.phrases[index] if index >= 0 else None

    def lower(self, position: int) -> str:
        """The word at a position, "" beyond the sentence."""
        return self.tokens[position].lower if 0 <= position < len(self.tokens) else ""

    def words(self, first: int, end: int) -> list[str]:
        return [token.lower for token in self.tokens[max(first, 0) : max(end, 0)]]


@dataclass(frozen=True)
class Parse:
    """The whole prompt."""

    text: str
    sentences: tuple[Sentence, ...]

    @property
    def tokens(self) -> Iterator[Token]:
        return (token for sentence in self.sentences for token in sentence.tokens)

    @property
    def phrases(self) -> Iterator[Phrase]:
        return (phrase for sentence in self.sentences for phrase in sentence.phrases)

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for token in self.tokens for word in (token.lower, token.lemma))

    def has(self, *words: str) -> bool:
        """Whether one of the words stands in the prompt, outside of quotations."""
        return not self._words.isdisjoint(words)


@lru_cache(maxsize=256)
def parse(text: str) -> Parse:
    """The grammar of a prompt; never fails, whatever the text."""
    sentences: list[Sentence] = []
    now: list[Token] = []
    for token in tagged(text):
        now.append(token)
        if token.tag == "STOP":
            sentences.append(_sentence(now))
            now = []
    if now:
        sentences.append(_sentence(now))
    return Parse(text, tuple(sentences))


def _sentence(tokens: list[Token]) -> Sentence:
    return Sentence(tuple(tokens), tuple(phrases_of(tokens)))
