"""Counting: "three cats" gives two or four.

Found: an exact number from three up of things that can be counted. Two is left alone, and so are vague numbers,
numbers of years, lenses, storeys and hours, and numbers whose things have a place of their own already. The cure is a
place for each.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot, aside
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.tagging import is_plural
from triptych.advice.grammar.tokens import Token
from triptych.advice.grammar.words import BODY, GROUPS, NUMBERS, word_set

FEWEST = 3
MOST = 200
"""Beyond it a number means "very many"."""
EASY, HARD = 4, 7
MEASURES = word_set(
    "year hour minute second day week month mm cm m km metre meter inch foot feet mile pixel px fps time degree "
    "percent story storey stop megapixel k bit dollar euro pound kilo gram litre liter colour color tone point "
    "dimension size step quarter third o'clock star am pm mp stages stage kg lb"
)
VAGUE = word_set("about around roughly approximately some over almost nearly hundreds dozens")
CREWS = word_set("crew team family group band party pack flock herd gang set row class choir squad circle")
"""Words for many that a number may follow: "a crew of six"."""
PLACES = word_set("in on at above below behind beside under near to by left right")
APART = "each of them apart and in full view"
REACH = 40
"""So many words on, a thing may still get its place."""
NAMES = {value: word for word, value in NUMBERS.items()}
FLAT = ("icon", "icons", "pattern", "grid", "above", "overhead", "sheet", "aerial", "panel", "comic", "tray", "carton")


def counting(parse: Parse) -> Iterator[Spot]:
    """Every exact number of things that have no places yet."""
    for sentence in parse.sentences:
        for position, token in enumerate(sentence.tokens):
            counted = _counted(sentence, position, token)
            if counted is None:
                continue
            number, first, phrase = counted
            if not FEWEST <= number <= MOST or _placed(parse, sentence, phrase, number):
                continue
            start, end = sentence.tokens[first].start, phrase.end
            words = parse.text[start:end]
            yield Spot(
                start,
                end,
                f"{words!r} is an exact number of things, and nothing says where each of them is",
                aside(parse.text, start, end, _told(sentence, first, phrase, number, parse)),
                weight=(number > HARD) - (number <= EASY),
                nouns=(phrase.noun,),
                number=number,
            )


def _told(sentence: Sentence, first: int, phrase: Phrase, number: int, parse: Parse) -> str:
    if phrase.noun in BODY or phrase.head.lower in BODY:
        return APART
    if sentence.lower(first - 1) == "of" and sentence.lower(first - 2) in ("stack", "pile", "tower"):
        return f"{name(1)} on top of the other {name(number - 1)}"
    return places(number, flat=parse.has(*FLAT))


def _counted(sentence: Sentence, position: int, token: Token) -> tuple[int, int, Phrase] | None:
    """The number, the position where its words begin, and the phrase of what is counted."""
    if sentence.lower(position - 1) in VAGUE:
        return None
    number = value(token)
    phrase = sentence.phrase_at(position)
    if number is None or phrase is None:
        return None
    if token.lower in GROUPS:
        return _group(sentence, position, token, number)
    if len(phrase.tokens) == 1 and sentence.lower(position - 1) == "of" and sentence.lower(position - 2) in CREWS:
        whole = sentence.phrase_at(position - 2)
        return (number, whole.first, phrase) if whole is not None else None
    if token is not phrase.number or phrase.head.lower in MEASURES or phrase.noun in MEASURES:
        return None
    named = any(each.tag == "NOUN" for each in phrase.tokens[: phrase.tokens.index(token)])
    if named or not is_plural(phrase.head) or phrase.head.tag != "NOUN":
        return None
    if phrase.is_person:
        return number, position, phrase  # "3girls", as tags have it
    if token.end == phrase.tokens[min(phrase.tokens.index(token) + 1, len(phrase.tokens) - 1)].start:
        return None  # "8k", "35mm": a number that is part of a word
    return number, position, phrase


def _group(sentence: Sentence, position: int, token: Token, number: int) -> tuple[int, int, Phrase] | None:
    """ "a dozen eggs", "half a dozen oysters", "a trio of musicians"."""
    phrase = sentence.phrase_at(position)
    first = position
    if sentence.lower(position - 1) == "a":
        first -= 1
        if sentence.lower(first - 1) == "half":
            number, first = number // 2, first - 1
    if sentence.lower(position + 1) == "of":
        phrase = sentence.phrase_after(position)
    if phrase is None or phrase.head.tag != "NOUN" or not (is_plural(phrase.head) or token.lower != "dozen"):
        return None
    return number, first, phrase


def value(token: Token) -> int | None:
    """The whole number that a token says; None for "1.8", "16:9", "1970s", "4x4"."""
    if token.lower in GROUPS:
        return GROUPS[token.lower]
    if token.lower in NUMBERS:
        return NUMBERS[token.lower]
    return int(token.text) if token.kind == "number" and token.text.isdecimal() and len(token.text) < 4 else None


def _placed(parse: Parse, sentence: Sentence, phrase: Phrase, number: int) -> bool:
    """Whether the things are told apart by place: "one on the left, one in the middle"."""
    after = list(sentence.tokens[phrase.last + 1 :][:REACH])
    if sentence is not parse.sentences[-1]:
        after += parse.sentences[parse.sentences.index(sentence) + 1].tokens[:REACH]
    if parse.text[phrase.end :].startswith(f", {APART}"):
        return True
    told = 0
    for index, token in enumerate(after[:-1]):
        amount = value(token)
        if token.lower in ("another", "third", "other"):
            amount = 1
        if amount is not None and amount < number and after[index + 1].lower in PLACES:
            told += 1
    return told >= 2


def places(number: int, *, flat: bool) -> str:
    """A place for each of so many things, in words."""
    if number == 3:
        return "one at the left edge of the frame, one in the middle, one at the right edge of the frame"
    half = number // 2
    rows = ("in the upper row", "in the lower row") if flat else ("in front", "behind them")
    return f"{name(number - half)} {rows[0]} and {name(half)} {rows[1]}"


def name(number: int) -> str:
    return NAMES.get(number, str(number))
