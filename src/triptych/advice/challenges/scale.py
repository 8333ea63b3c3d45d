"""Scale and proportion: things snap back to the sizes that they have in most pictures.

Found: an extreme size without a measure ("giant teacup", "tiny house"). Not found: large and small, comparisons
("twice as tall as the door"), names ("giant panda"), and things that are so by nature (tiny droplets). The cure is a
comparison.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot, aside, same_case, with_article
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.words import PLACES, word_set

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
    """The phrase without its size, and a comparison: on the thing beside it, or with one that everybody knows."""
    size = phrase.tokens[index]
    words = text[phrase.start : phrase.end]
    what = f"{words!r} is an extreme size that nothing in the prompt measures"
    tiny = size.lower in TINY
    if size is phrase.head:
        told = aside(text, phrase.start, phrase.end, "several times the height of everything around")
        return Spot(phrase.start, phrase.end, what, told, nouns=(phrase.noun,))
    plain = _without(text, phrase, index)
    other = _beside(sentence, phrase)
    if other is not None:
        pronoun = "their" if phrase.plural else "its"
        measure = f"ten times {pronoun} size" if tiny else f"a tenth of {pronoun} size"
        rewrite = f"{plain}{text[phrase.end : other.end]} {measure}"
        return Spot(phrase.start, other.end, what, rewrite, nouns=(phrase.noun, other.noun))
    end = _whole(sentence, phrase)
    measure = "no bigger than a matchbox" if tiny else "as tall as a house"
    rewrite = plain + aside(text, phrase.end, end, measure)
    return Spot(phrase.start, end, what, rewrite, nouns=(phrase.noun,))


def _without(text: str, phrase: Phrase, index: int) -> str:
    """The phrase without the word at an index, its article mended."""
    size, following = phrase.tokens[index], phrase.tokens[index + 1]
    head, rest = text[phrase.start : size.start], text[following.start : phrase.end]
    if phrase.determiner in ("a", "an") and index == 1:
        head = with_article(rest).removesuffix(rest)
    return same_case(f"{head}{rest}", text[phrase.start : phrase.end])


def _beside(sentence: Sentence, phrase: Phrase) -> Phrase | None:
    """A thing right behind it in the sentence to measure it against: one that is no place, no scenery, no part."""
    if phrase.index + 1 >= len(sentence.phrases):
        return None
    other = sentence.phrases[phrase.index + 1]
    link = [token.lower for token in other.link]
    thing = other.head.tag == "NOUN" and not (other.plural or other.is_part or other.is_scenery or _is_place(other))
    near = len(link) <= 4 and not {"of", "'s", "’s", ",", "and", "with", "in", "through"} & set(link)
    return other if thing and near and other.determiner in ("a", "an", "the") and _size(other) is None else None


def _is_place(phrase: Phrase) -> bool:
    return phrase.noun in PLACES or phrase.head.lower in PLACES


def _whole(sentence: Sentence, phrase: Phrase) -> int:
    """Where a thing ends in words: "the enormous head of a robot", "a titanic ship's wheel" are one."""
    for other in sentence.phrases[phrase.index + 1 : phrase.index + 2]:
        if [token.lower for token in other.link] in (["of"], ["'s"], ["’s"]):
            return other.end
    return phrase.end
