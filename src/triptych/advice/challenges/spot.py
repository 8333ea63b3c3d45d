"""What a challenge reports of a prompt, whichever model is to paint it; and helpers that rules share."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.advice.grammar import Sentence
from triptych.advice.grammar.words import word_set


@dataclass(frozen=True)
class Spot:
    """A place in the prompt where a challenge lies.

    what: why, in a clause that names the words. rewrite: text for [start, end], None to leave it. weight: how much
    harder (1) or easier (-1) than usual it is. nouns: ground forms of the things concerned, to hold a model's measured
    world against. number: how many things, for what was measured up to a number. negative: for the negative prompt.
    free: words that the rewrite may drop, since they are what it mends.
    """

    start: int
    end: int
    what: str
    rewrite: str | None
    weight: int = 0
    nouns: tuple[str, ...] = ()
    number: int = 1
    negative: str = ""
    free: tuple[str, ...] = ()


FRAME = word_set("frame image picture photo photograph canvas composition shot screen page scene panel view painting")
ARTICLE_AN = tuple("aeiou")


def with_article(words: str) -> str:
    """ "a" or "an" before the words, by the letter that they begin with."""
    sounds_like_you = words.lower().startswith(("uni", "use", "euro", "one"))
    hour = words.lower().startswith(("hour", "honest", "heir"))
    vowel = (words[:1].lower() in ARTICLE_AN and not sounds_like_you) or hour
    return f"{'an' if vowel else 'a'} {words}"


def aside(text: str, start: int, end: int, told: str) -> str:
    """The words of [start, end) with something added between commas, as the words behind them need it."""
    following = text[end : end + 2]
    closing = "," if following[:1] == " " and following[1:].isalnum() else ""
    return f"{text[start:end]}, {told}{closing}"


def same_case(words: str, like: str) -> str:
    """The words with a capital first letter if what they stand for begins with one and is not all capitals."""
    return words[:1].upper() + words[1:] if like[:1].isupper() and words else words


def frame_named(sentence: Sentence, position: int, *, reach: int = 6) -> bool:
    """Whether the words around a position say that the viewer's frame is meant."""
    before = sentence.words(position - 4, position)
    if any(word in ("viewer", "viewers", "camera") for word in before) or before[-1:] in (
        ["stage"],
        ["screen"],
        ["frame"],
    ):
        return True
    after = sentence.words(position + 1, position + 1 + reach)
    for index, word in enumerate(after):
        if word in (",", ".", ";", "and", "while", "but"):
            break
        if word in FRAME and any(each in ("of", "in") for each in after[:index]):
            return True
    return False
