"""What a prompt says, as a set of facts, so that a rewrite can be held to keep all others than the one it mends.

Facts are read by the same grammar that the rules use: a mistake of the grammar that is the same on both sides goes
unseen.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.counting import value
from triptych.advice.challenges.keeping import KEEPING, SAME, WHOLE
from triptych.advice.challenges.scale import HUGE, TINY
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse, Sentence, parse
from triptych.advice.grammar.tagging import singular
from triptych.advice.grammar.words import GROUPS, word_set

Fact = tuple[str, ...]
"""("thing", noun), ("trait", trait, noun), ("count", number, noun), ("part", part, owner), ("quote", words), ("act",
verb).
"""

SIDES = word_set("left right side leftmost rightmost left-hand right-hand")
FREE = {
    "left_right": SIDES | word_set("turn look face to the"),
    "scale": HUGE | TINY,
    "keep_change_conflict": KEEPING
    | SAME
    | WHOLE
    | word_set("way exactly untouched alter touch change please completely not"),
    "edit_vs_regenerate": frozenset[str](),
}
"""Challenge -> words that its rewrite may drop: they are what it mends."""
NO_FACT = word_set("thing one other another it he she they him her them is be place edge frame row")


def facts(prompt: Parse) -> frozenset[Fact]:
    """All facts of a prompt."""
    return frozenset(fact for sentence in prompt.sentences for fact in _facts(sentence))


def lost(prompt: str, rewritten: str, challenge: str, spot: Spot) -> frozenset[Fact]:
    """Facts of the prompt that are not in the rewritten one, without those that the challenge is there to mend."""
    free = FREE.get(challenge, frozenset())
    free |= frozenset(each for word in spot.free for each in (word, singular(word)))
    after = facts(parse(rewritten))
    words = {each for fact in after for each in fact}
    text = rewritten.lower()
    quotes = " ".join(fact[1] for fact in after if fact[0] == "quote").lower()
    missing = set()
    for fact in facts(parse(prompt)) - after:
        if any(part in free for part in fact[1:]):
            continue
        if challenge == "occlusion" and fact[0] == "part" and fact[1] in words and fact[2] in words:
            continue  # both are there, in another order
        if challenge == "text" and all(part in quotes for part in fact[1:]):
            continue  # it was read as a description, and is quoted now
        if fact[0] in ("thing", "act") and (fact[1] in words or fact[1] in text):
            continue  # read in another place of the sentence, but there
        missing.add(fact)
    return frozenset(missing)


def _facts(sentence: Sentence) -> Iterator[Fact]:
    for token in sentence.tokens:
        if token.tag == "VERB" and token.lemma not in NO_FACT:
            yield ("act", token.lemma)
    subject = ""
    for phrase in sentence.phrases:
        noun = phrase.noun
        if phrase.head.tag == "QUOTE":
            yield ("quote", phrase.head.text)
            continue
        if phrase.head.tag == "NOUN" and noun not in NO_FACT and phrase.head.lower not in GROUPS:
            yield ("thing", noun)
        for token in phrase.attributes:
            if token.tag == "ADJ" and phrase.head.tag == "NOUN":
                yield ("trait", token.lower, noun)
        if phrase.number is not None and phrase.head.tag == "NOUN":
            amount = value(phrase.number)
            if amount is not None:
                yield ("count", str(amount), noun)
        if phrase.owner is not None:
            owner = sentence.phrases[phrase.owner]
            yield ("part", noun, owner.noun)
        link = [token.lower for token in phrase.link]
        if link in (["is"], ["are"]) and phrase.index:
            subject = sentence.phrases[phrase.index - 1].noun
        elif link != ["and"]:
            subject = ""
        if subject and phrase.head.tag == "ADJ":  # "the ladder is tall and white"
            yield from (("trait", token.lower, subject) for token in phrase.tokens if token.tag == "ADJ")
