"""Scale and proportion: things snap back to the sizes that they have in most pictures.

Found: an extreme size without a measure ("giant teacup", "tiny house"). Not found: large and small, comparisons
("twice as tall as the door"), names ("giant panda"), and things that are so by nature (tiny droplets). The cure is a
comparison.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot, same_case, with_article
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.words import word_set

HUGE = word_set(
    "giant huge enormous gigantic colossal massive immense oversized towering gargantuan mammoth titanic humongous "
    "ginormous monumental giant-sized oversize supersized king-sized mountainous larger-than-life monstrous vast"
)
TINY = word_set(
    "tiny miniature minuscule microscopic teeny itty-bitty teensy wee pint-sized diminutive minute mini doll-sized "
    "thumb-sized pocket-sized itsy-bitsy"
)
NAMES = word_set(
    "panda squid sequoia sequoias tortoise schnauzer poodle painting paintings pinscher golf diorama figurine "
    "figurines hogweed clam salamander otter kelp anteater cooper skirt railway bulldozer model models set bus"
)
SMALL_BY_NATURE = word_set(
    "droplet droplets bubble bubbles bead beads star stars flower flowers freckle freckles detail details crystal "
    "crystals insect insects dot dots seed seeds spark sparks speck specks print text lights light leaves pores hair "
    "hairs wildflowers"
)
VAST_BY_NATURE = word_set(
    "crowd storm wave waves explosion sky ocean sea desert plain plains landscape space galaxy universe clouds cloud "
    "horizon amount canyon steppe tundra prairie smile grin field fields wilderness window windows"
)
NO_THING = word_set("effect photography style scale shift detail amount variety number success")


def scale(parse: Parse) -> Iterator[Spot]:
    """Every extreme size that is not measured against something."""
    written = written_words(parse)
    for sentence in parse.sentences:
        if _compares(sentence):
            continue
        for phrase in sentence.phrases:
            if any(first <= phrase.start < end for first, end in written):
                continue
            word = _size(phrase)
            if word is not None:
                yield _spot(parse.text, sentence, phrase, word)


def _size(phrase: Phrase) -> int | None:
    """Position, in the phrase, of its size; None where it has none that counts."""
    noun, word = phrase.noun, phrase.head.lower
    if noun in NO_THING:
        return None
    for index, token in enumerate(phrase.tokens):
        size = token.lower
        if size not in HUGE and size not in TINY:
            continue
        if token is phrase.head:
            return index if size in ("giant", "giants") else None
        named = any(each.lower in NAMES for each in phrase.tokens[index + 1 :])
        natural = word in (SMALL_BY_NATURE if size in TINY else VAST_BY_NATURE) or noun in (
            SMALL_BY_NATURE if size in TINY else VAST_BY_NATURE
        )
        if size == "vast" or (size == "minute" and phrase.number is not None):
            return None
        return None if named or natural else index
    return None


def _compares(sentence: Sentence) -> bool:
    """Whether a size is told against another thing."""
    words = [token.lower for token in sentence.tokens]
    for index, word in enumerate(words):
        after = words[index + 1 : index + 4]
        if (
            word == "than"
            or (word == "size" and after[:1] == ["of"])
            or word in ("dwarfing", "dwarfs", "twice", "half-sized")
        ):
            return True
        if word == "as" and "as" in after[1:]:
            return True
        if word in ("towering", "towers", "tower") and after[:1] in (["over"], ["above"]):
            return True
        if word in ("times", "half", "third", "tenth", "double") and any(
            each in ("size", "height", "length", "as") for each in after
        ):
            return True
    return False


def _spot(text: str, sentence: Sentence, phrase: Phrase, index: int) -> Spot:
    token = phrase.tokens[index]
    size = token.lower
    words = text[phrase.start : phrase.end]
    if token is phrase.head:
        plain = f"{words}, several times the height of everything around"
    else:
        following = phrase.tokens[index + 1]
        rest = text[following.start : phrase.end]
        head = text[phrase.start : token.start]
        if phrase.determiner in ("a", "an") and phrase.tokens[0].end + 1 == token.start:
            head = with_article(rest).removesuffix(rest)
        head = same_case(head, words)
        other = _measure(text, sentence, phrase)
        if size in TINY:
            measure = f"a tenth of the size of {other}" if other else "no bigger than a matchbox"
        else:
            measure = f"ten times the size of {other}" if other else "as tall as a house"
        plain = f"{head}{rest} {measure}"
    return Spot(phrase.start, phrase.end, f"{words!r} is an extreme size that nothing in the prompt measures", plain,
                nouns=(phrase.noun,))  # fmt: skip


def _measure(text: str, sentence: Sentence, phrase: Phrase) -> str:
    """A thing beside it to measure it against: the nearest phrase with "a" or "the" that is no scenery and no place."""
    for other in sentence.phrases:
        near = abs(other.index - phrase.index) == 1
        usable = other.head.tag == "NOUN" and not other.plural and not other.is_part and not other.is_scenery
        if (
            near
            and usable
            and other.determiner in ("a", "an", "the")
            and _size(other) is None
            and len(other.tokens) <= 4
        ):
            return "the" + text[other.start + len(other.determiner) : other.end]
    return ""
