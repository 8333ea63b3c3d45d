"""Noun phrases: a determiner, a number, attributes and a head, with their places in the prompt.

"three very old wooden boats" is one phrase: head "boats", count 3, attributes "old" and "wooden". A quotation is a
phrase of its own. A colour that stands alone ("a man in blue") is a phrase whose head is the colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from triptych.advice.grammar import words as w
from triptych.advice.grammar.tagging import is_plural
from triptych.advice.grammar.tokens import Token

RELATIVE = frozenset(("that", "which", "who", "whom", "there", "here"))
"""Pronouns that only join clauses."""


@dataclass(frozen=True)
class Phrase:
    """A run of tokens [first, last]; `tokens` are they, `index` its number in the sentence.

    link: the tokens between the phrase before and this one. owner: index of the phrase whose part, clothes or companion
    this is, None where it stands for itself.
    """

    tokens: tuple[Token, ...]
    first: int
    link: tuple[Token, ...] = ()
    index: int = 0
    owner: int | None = None

    @property
    def last(self) -> int:
        return self.first + len(self.tokens) - 1

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    @cached_property
    def head(self) -> Token:
        """The noun, or the last word where there is none."""
        nouns = [token for token in self.tokens if token.tag in ("NOUN", "QUOTE", "PRON")]
        return nouns[-1] if nouns else self.tokens[-1]

    @property
    def noun(self) -> str:
        return self.head.lemma

    @property
    def determiner(self) -> str:
        first = self.tokens[0]
        return first.lower if first.tag == "DET" else ""

    @property
    def attributes(self) -> tuple[Token, ...]:
        """Adjectives, participles, and nouns that stand before the head."""
        return tuple(token for token in self.tokens if token.tag in ("ADJ", "NOUN") and token is not self.head)

    @property
    def colours(self) -> tuple[Token, ...]:
        """Attributes that are colours or patterns; for a colour that stands alone the head too."""
        found = [token for token in self.tokens if token.lower in w.COLOURS or token.lower in w.PATTERNS]
        found += [
            second
            for first, second in zip(self.tokens, self.tokens[1:], strict=False)
            if (first.lower, second.lower) == ("polka", "dot")
        ]
        bare = self.head.tag == "ADJ"
        return tuple(token for token in found if token is not self.head or bare)

    @property
    def number(self) -> Token | None:
        return next((token for token in self.tokens if token.tag == "NUM"), None)

    @property
    def plural(self) -> bool:
        return is_plural(self.head)

    @property
    def is_person(self) -> bool:
        word, lemma = self.head.lower, self.head.lemma
        if word in w.PEOPLE or lemma in w.PEOPLE:
            return True
        return self.head.tag == "NOUN" and lemma.endswith(w.PERSON_ENDINGS)

    @property
    def is_animate(self) -> bool:
        if self.head.lower in w.ANIMALS or self.head.lemma in w.ANIMALS or self.is_person:
            return True
        return self.head.tag == "PRON" and self.head.lower in (
            "he",
            "she",
            "him",
            "her",
            "one",
            "another",
            "they",
            "them",
        )

    @property
    def is_part(self) -> bool:
        """A part of a body, or something worn."""
        word, lemma = self.head.lower, self.head.lemma
        if lemma == "paint" and any(token.lower in ("face", "body") for token in self.tokens):
            return True
        boxed = lemma == "ring" and any(token.lower == "in" for token in self.link)
        if boxed or (lemma == "glass" and self.number is not None):
            return False
        return any(each in group for each in (word, lemma) for group in (w.BODY, w.CLOTHES))

    @property
    def is_clothes(self) -> bool:
        return self.head.lower in w.CLOTHES or self.head.lemma in w.CLOTHES

    @property
    def is_scenery(self) -> bool:
        return self.head.lower in w.SCENERY or self.head.lemma in w.SCENERY


def phrases_of(tokens: Sequence[Token]) -> list[Phrase]:
    """The phrases of one sentence, each with the link before it and its owner."""
    runs: list[tuple[int, int]] = []
    position = 0
    while position < len(tokens):
        end = _run(tokens, position)
        if end > position:
            runs.append((position, end))
            position = end
        else:
            position += 1
    found: list[Phrase] = []
    past = 0
    for index, (first, end) in enumerate(runs):
        phrase = Phrase(tuple(tokens[first:end]), first, tuple(tokens[past:first]), index)
        found.append(Phrase(phrase.tokens, first, phrase.link, index, _owner(phrase, found)))
        past = end
    return found


def _run(tokens: Sequence[Token], start: int) -> int:
    """Where the phrase that begins at `start` ends (exclusive); `start` itself if none begins there."""
    position = start
    noun_seen = False
    while position < len(tokens):
        token = tokens[position]
        if token.tag in ("QUOTE", "PRON"):
            opens = position == start and token.lower not in RELATIVE
            return position + 1 if opens else position
        if token.tag == "DET" and position > start and tokens[position - 1].tag != "DET":
            break
        if token.tag == "NUM" and noun_seen and position > start:
            break
        if token.tag in ("ADV", "CONJ", "MARK"):
            if not _bridges(tokens, position, start, noun_seen):
                break
        elif token.tag not in ("DET", "NUM", "ADJ", "NOUN") or (
            token.tag == "ADJ" and noun_seen and not _noun_follows(tokens, position)
        ):
            break
        noun_seen = noun_seen or token.tag == "NOUN"
        position += 1
    while position > start and tokens[position - 1].tag in ("ADV", "CONJ", "MARK"):
        position -= 1
    return position if any(token.tag in ("NOUN", "ADJ", "NUM") for token in tokens[start:position]) else start


def _bridges(tokens: Sequence[Token], position: int, start: int, noun_seen: bool) -> bool:
    """Whether an adverb, "and" or a comma lies inside of a phrase: "a very old", "black and white photo", "small,
    round".
    """
    if noun_seen or position + 1 >= len(tokens):
        return False
    token = tokens[position]
    after = tokens[position + 1].tag
    if token.tag == "ADV":
        return after == "ADJ" or (after == "NUM" and position == start)
    if token.tag == "MARK" and token.text != ",":
        return False
    between = position > start and tokens[position - 1].tag == "ADJ" and after == "ADJ"
    return between and tokens[start].tag in ("DET", "NUM") and _noun_follows(tokens, position + 1)


def _noun_follows(tokens: Sequence[Token], position: int) -> bool:
    while position < len(tokens) and (tokens[position].tag == "ADJ" or tokens[position].lower in (",", "and")):
        position += 1
    return position < len(tokens) and tokens[position].tag == "NOUN"


def _owner(phrase: Phrase, before: Sequence[Phrase]) -> int | None:
    """Whose part or clothes a phrase is: of the last person or animal, where the link is one of wearing or having."""
    if not before:
        return None
    link = [token.lower for token in phrase.link]
    bare_colour = phrase.head.tag == "ADJ" and bool(phrase.colours)
    if not (phrase.is_part or bare_colour):
        return None
    last = before[-1]
    if link and link[0] in ("'s", "’s"):
        return last.index
    wears = any(word in w.WEARING for word in link)
    if bare_colour and link == ["in"] and last.owner is None and last.head.tag == "NOUN":
        return last.index
    joined = all(word in ("and", ",", "or") for word in link) and link
    if wears or phrase.determiner in ("his", "her", "its", "their", "my", "your"):
        for each in reversed(before):
            if each.is_animate and each.owner is None:
                return each.index
    if joined and last.owner is not None:
        return last.owner
    if wears and last.owner is not None:
        return last.owner
    if (
        phrase.is_clothes
        and any(word in ("wearing", "wears", "wear", "dressed") for word in link)
        and last.head.tag == "NOUN"
    ):
        return last.index
    return None
