"""An instruction as clauses: what it keeps, what it changes, and what it excepts.

"Keep everything except the mug; replace the mug with a vase" has a clause that keeps (everything, except the mug) and
one that changes (the mug). The two edit challenges are rules over these clauses.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from triptych.advice.grammar import Parse, Phrase, Sentence, Token
from triptych.advice.grammar.words import word_set

TOUCHING = word_set("change touch alter modify edit affect disturb move adjust ruin lose")
KEEPING = word_set("keep maintain preserve retain freeze leave stay remain stays remains keeping leaving")
SAME = word_set("same identical unchanged untouched intact unaltered alone")
CHANGING = word_set(
    "change make turn replace swap add recolor recolour put give remove erase delete take brighten darken straighten "
    "crop paint dress show have let get move place rotate flip redo redraw transfer transform increase reduce raise "
    "lower tilt repaint restyle relight view convert switch set render sharpen clean adjust blur color colour wear "
    "wears wearing swapping replacing changing erasing adding removing turning making should is are looks look seen "
    "zoom draw recast try use light extend widen trim fix"
)
EXCEPTING = word_set("except besides excluding excepting")
REST = word_set("rest else others remainder")
WHOLE = word_set(
    "image picture photo photograph everything anything nothing all it scene this composition shot whole of"
)
OPENING = word_set("just only then please now")
SPLITTING = word_set("but while then yet")


@dataclass(frozen=True)
class Clause:
    """A run of tokens of one sentence. keeps: it says what stays; changes: it says what becomes different."""

    tokens: tuple[Token, ...]
    phrases: tuple[Phrase, ...]
    keeps: bool
    changes: bool
    excepts: bool

    @property
    def start(self) -> int:
        return self.tokens[0].start

    @property
    def end(self) -> int:
        return self.tokens[-1].end

    def words(self) -> list[str]:
        return [token.lower for token in self.tokens]

    def has(self, words: frozenset[str]) -> bool:
        return any(token.lower in words or token.lemma in words for token in self.tokens)


def keeps(sentence: Sentence, position: int) -> bool:
    """Whether a negation says that something stays: "don't change", "without altering", "no changes"."""
    if sentence.lower(position) == "never":
        return False
    if sentence.lower(position) == "nothing" and sentence.lower(position - 1) in TOUCHING:
        return True
    for token in sentence.tokens[position + 1 : position + 5]:
        if token.tag in ("MARK", "STOP", "CONJ"):
            return False
        if token.lemma in TOUCHING or token.lower in ("changes", "changing", "alterations", "changed", "edits"):
            return True
    return False


def clauses(parse: Parse) -> list[Clause]:
    """The clauses of an instruction, in order."""
    found: list[Clause] = []
    for sentence in parse.sentences:
        first = 0
        for position in range(1, len(sentence.tokens) + 1):
            if position == len(sentence.tokens) or _splits(sentence, position):
                clause = _clause(sentence, first, position)
                if clause is not None:
                    found.append(clause)
                first = position
    return found


def instructs(parse: Parse) -> bool:
    """Whether a prompt is an instruction for a picture that exists, by its form alone: it keeps, or it changes "the
    ...".
    """
    found = clauses(parse)
    if any(
        clause.keeps and clause.has(word_set("image picture photo photograph everything anything")) for clause in found
    ):
        return True
    first = found[0] if found else None
    if first is None or first.tokens[0].lemma not in (
        "change",
        "replace",
        "remove",
        "swap",
        "recolor",
        "recolour",
        "erase",
        "delete",
    ):
        return False
    return any(phrase.determiner in ("the", "his", "her", "this", "my") for phrase in first.phrases[:1])


def _splits(sentence: Sentence, position: int) -> bool:
    """Whether a clause begins at a position."""
    token = sentence.tokens[position]
    word = token.lower
    rest = sentence.tokens[position + 1 : position + 6]
    if word in SPLITTING:
        return any(_acts(each) for each in rest)
    if token.tag == "MARK" and token.text in (",", ":", "-", "–", "—"):
        ahead = [each for each in rest if each.lower not in ("and", "just", "only", "please", "now", "but", "so")][:1]
        doing = bool(ahead) and ahead[0].lower.endswith("ing") and ahead[0] is rest[0]
        if (
            bool(ahead)
            and not doing
            and (_acts(ahead[0]) or ahead[0].lower in ("nothing", "everything", "he", "she", "they", "it"))
        ):
            return True
        return any(each.lower in ("only", "just", "nothing", "everything") for each in rest[:2])
    return (
        word == "and" and bool(rest) and (_acts(rest[0]) or any(each.lower in ("should", "have") for each in rest[:4]))
    )


def _acts(token: Token) -> bool:
    if token.tag in ("NOUN", "ADJ", "DET", "PREP", "NUM"):
        return token.lower in ("view", "show", "dress", "light", "have", "let", "paint") and token.tag != "DET"
    return token.lemma in CHANGING or token.lower in CHANGING or token.lower in KEEPING or token.lemma in KEEPING


def _clause(sentence: Sentence, first: int, end: int) -> Clause | None:
    while first < end and (sentence.tokens[first].tag in ("MARK", "STOP", "CONJ") or sentence.lower(first) in OPENING):
        first += 1
    while end > first and sentence.tokens[end - 1].tag in ("MARK", "STOP"):
        end -= 1
    if first >= end:
        return None
    tokens = sentence.tokens[first:end]
    words = [token.lower for token in tokens]
    negated = any(token.tag == "NEG" and keeps(sentence, first + index) for index, token in enumerate(tokens))
    same = any(
        word in SAME
        and any(each in WHOLE for each in words)
        and not any(each in CHANGING - {"is", "are", "should"} for each in words)
        for word in words
    )
    unchanged = any(word in ("unchanged", "untouched", "unaltered") for word in words)
    as_is = any(pair in (("as", "is"), ("as", "it"), ("as", "they")) for pair in itertools.pairwise(words))
    keeping = any(
        token.lemma in KEEPING or token.lower in KEEPING for token in tokens if token.tag in ("VERB", "AUX", "ADV")
    )
    keeping = keeping or words[0] in KEEPING
    kept = negated or same or unchanged or as_is or keeping
    phrases = tuple(phrase for phrase in sentence.phrases if first <= phrase.first and phrase.last < end)
    excepted = any(word in EXCEPTING or word in REST for word in words) or _but(words)
    pairs = list(itertools.pairwise(words))
    excepted = excepted or ("apart", "from") in pairs or ("other", "than") in pairs or ("save", "for") in pairs
    changed = not kept and any(token.lower in CHANGING or token.lemma in CHANGING for token in tokens)
    return Clause(tuple(tokens), phrases, kept, changed, excepted)


def _but(words: list[str]) -> bool:
    """ "keep all but the mug": an exception, since no verb follows (a clause would have begun)."""
    return "but" in words[1:]


def targets(clause: Clause) -> tuple[Phrase, ...]:
    """What a changing clause acts on: the phrases before "to", "with", "into"; all of them where there is none."""
    found: list[Phrase] = []
    for phrase in clause.phrases:
        if found and any(token.lower in ("to", "with", "into", "in", "on", "for") for token in phrase.link):
            break
        found.append(phrase)
    return tuple(found)
