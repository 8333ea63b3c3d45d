"""Instructions to the names of the editor's vocabulary: plurals apart from their nouns, other words for a thing as it.

A word that is not known stays as one unknown word, so that what stands around it can still be read. What stands in
quotes is one name, and is handed out beside it: nothing of it is learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from triptych.editing.instruct import phrases
from triptych.planning.edit_tokens import COMMA, MANY, NUMBERS, QUOTE, UNKNOWN, EditTokens
from triptych.scenes import synonyms
from triptych.scenes.levels import PLACES, Level
from triptych.scenes.nouns import NOUNS
from triptych.scenes.wording import BACKGROUND_SYNONYMS
from triptych.text.synonyms import SYNONYMS, nearest
from triptych.text.tokenizer import fold, pieces

_VERBS = {
    "remove": "eliminate discard omit exclude banish subtract strip obliterate",
    "erase": "wipe rub scrub",
    "move": "nudge drag relocate shove carry reposition transfer",
    "push": "press",
    "colour": "dye tint tinge stain shade",
    "enlarge": "expand magnify inflate widen",
    "bigger": "greater",
    "shrink": "minimise minimize diminish downsize",
    "reduce": "decrease lessen",
    "add": "append attach supply",
    "swap": "switch interchange trade",
    "turn": "transform convert morph",
    "replace": "supplant",
    "keep": "preserve retain maintain hold",
    "show": "depict",
    "vanish": "disappear evaporate",
    "light": "illuminate",
    "lift": "hoist",
}
VERBS = {word: known for known, others in _VERBS.items() for word in others.split()}
"""Words for what edits do that the wordings to learn from do not use -> one that they use."""


@dataclass(frozen=True)
class Words:
    """names: of the vocabulary. quotes: what stood in quotes. unknown: words that nothing is known of, as typed.

    mapped: word -> the one that it is read as, for notes.
    """

    names: tuple[str, ...]
    quotes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    mapped: tuple[tuple[str, str], ...] = ()


def tokens_of(level: Level) -> EditTokens:
    """The vocabulary of instructions about scenes of a level."""
    natural = {name: colour for name in level.nouns if (colour := NOUNS[name].natural) is not None}
    return EditTokens(level.nouns, level.colours, level.backgrounds, level.lights, PLACES, natural, phrases.words())


def lex(instruction: str, tokens: EditTokens) -> Words:
    """The instruction as names of the vocabulary."""
    names: list[str] = []
    quotes: list[str] = []
    unknown: list[str] = []
    mapped: dict[str, str] = {}
    for piece in pieces(fold(instruction).text):
        if piece.kind == "quote":
            quotes.append(piece.text)
            names.append(QUOTE)
            continue
        if piece.kind == "other":
            if piece.text in ",;.:" and names and names[-1] != COMMA:
                names.append(COMMA)
            continue
        for word in _apart(piece.text.lower(), tokens):
            found = _named(word, tokens)
            if found is None:
                unknown.append(word)
                names.append(UNKNOWN)
                continue
            if found[0] != word and word not in _plain() and word not in _digits():
                mapped[word] = found[0]
            names += found
    while names and names[-1] == COMMA:
        names.pop()
    return Words(tuple(names), tuple(quotes), tuple(unknown), tuple(mapped.items()))


def _apart(word: str, tokens: EditTokens) -> list[str]:
    """A compound as it is known, else its parts; a possessive s is dropped."""
    word = word.removesuffix("'s") if word not in tokens else word
    return [word] if word in tokens or "-" not in word else [part for part in word.split("-") if part]


def _named(word: str, tokens: EditTokens) -> tuple[str, ...] | None:
    """The names of one word: a noun with the mark of many, a number, a colour, any other word of the vocabulary."""
    if word in _digits():
        return (_digits()[word],)
    own = _plain().get(word)
    if own is not None and all(name in tokens for name in own):
        return own
    if word in tokens:
        return (word,)
    close = VERBS.get(word) or nearest(word, _known(tokens.names), SYNONYMS)
    if close is None or close == word or (close in VERBS and VERBS[close] not in tokens):
        return None
    return _named(close, tokens)


@cache
def _known(names: tuple[str, ...]) -> frozenset[str]:
    """Every word that is read without a detour."""
    return frozenset(name for name in (*names, *_plain()) if name.isalpha())


@cache
def _plain() -> Mapping[str, tuple[str, ...]]:
    """Plurals and the world's own other words for nouns and colours -> names. Words of places stay as they are."""
    found: dict[str, tuple[str, ...]] = {}
    known = synonyms()
    plurals = {noun.plural: noun.name for noun in NOUNS.values() if noun.plural != noun.name}
    for word, meaning in known.items():
        if word in BACKGROUND_SYNONYMS and word not in plurals:
            continue
        found[word] = (meaning,)
    for plural, noun in plurals.items():
        found[plural] = (noun, MANY)
    for noun in NOUNS.values():
        for word in noun.synonyms:
            for plural in (word + "s", word[:-1] + "ies" if word.endswith("y") else word + "es"):
                if known.get(plural) == noun.name:
                    found[plural] = (noun.name, MANY)
    return found


@cache
def _digits() -> Mapping[str, str]:
    return {str(number): name for number, name in enumerate(NUMBERS, start=1)} | {name: name for name in NUMBERS}
