"""Text in pictures: garbled, misspelled, unreadable.

Found: readable words are asked for, in quotes or not. Not found: "no text", words in quotes that are a style or a
name, people who read. The cure: few words, in quotes, and large; or a picture with an empty place and `triptych
typeset` after it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot
from triptych.advice.challenges.written import CARRIERS, SAYING, written_words
from triptych.advice.grammar import Parse, Sentence
from triptych.advice.grammar.tokens import Token, quoted
from triptych.advice.grammar.words import word_set

TEXT_NOUNS = word_set(
    "text caption captions headline headlines lettering slogan tagline typography words wording inscription subtitle "
    "subtitles label labels wordmark equations numerals prices motto titles"
)
READABLE = word_set("legible readable labelled labeled captioned lettered annotated")
WRITING = word_set("written engraved inscribed printed embroidered lettered stamped")
NAMING = word_set("called titled named entitled")
STYLE = (
    ("style", "of"),
    ("inspired", "by"),
    ("the", "film"),
    ("the", "movie"),
    ("known", "as"),
    ("look", "of"),
    ("vibe", "of"),
)
NICKNAMES = word_set("nicknamed so-called called dubbed named like from by")
MANY_WORDS, MANY_LETTERS = 4, 24
LARGE = "in large plain letters"


def lettering(parse: Parse) -> Iterator[Spot]:
    """Every piece of text that the picture is to show."""
    spans = written_words(parse)
    told = False
    for sentence in parse.sentences:
        past = -1
        for position, token in enumerate(sentence.tokens):
            if token.start < past:
                continue
            spot = _text(parse, sentence, position, spans, told)
            if spot is not None:
                past, told = spot.end, True
                yield spot


def _text(
    parse: Parse, sentence: Sentence, position: int, spans: tuple[tuple[int, int], ...], told: bool
) -> Spot | None:
    token = sentence.tokens[position]
    span = next((span for span in spans if span[0] == token.start), None)
    if span is not None:
        if token.tag == "QUOTE":
            return None if _is_name(sentence, position) else _quotation(parse.text, token)
        return _unquoted(parse.text, *span)
    if _negated(sentence, position):
        return None
    word = token.lower
    if word in SAYING and token.tag in ("VERB", "ADJ"):
        return _said(parse, sentence, position, spans)
    if any(start >= sentence.start and end <= sentence.end for start, end in spans) or told:
        return None
    phrase = sentence.phrase_at(position)
    if (
        word in TEXT_NOUNS
        and token.tag == "NOUN"
        and not (phrase and phrase.head is not token and phrase.noun in ("maker", "coat"))
    ):
        return _vague(parse.text, phrase.start if phrase else token.start, token.end)
    if word in READABLE:
        return _vague(parse.text, token.start, phrase.end if phrase else token.end)
    if word in WRITING and _on_carrier(sentence, position):
        return _vague(parse.text, token.start, token.end)
    if (
        word == "number"
        and sentence.tokens[position + 1 : position + 2]
        and sentence.tokens[position + 1].kind == "number"
    ):
        return _vague(parse.text, token.start, sentence.tokens[position + 1].end)
    if word == "letters" and any(each.text.isupper() for each in sentence.tokens[position + 1 : position + 2]):
        return _vague(parse.text, token.start, token.end)
    if word in ("name", "number", "title") and _on_carrier(sentence, position) and token.tag == "NOUN":
        return _vague(parse.text, token.start, token.end)
    return None


def _is_name(sentence: Sentence, position: int) -> bool:
    """Whether a quotation is a style, a film or a nickname rather than words in the picture."""
    before = sentence.words(position - 5, position)
    carrier = any(each in CARRIERS or each in SAYING for each in before) and not any(
        each in ("style", "like") for each in before
    )
    if carrier:
        return False
    pairs = list(itertools.pairwise(before))
    return any(pair in STYLE for pair in pairs) or any(each in NICKNAMES for each in before[-2:])


def _negated(sentence: Sentence, position: int) -> bool:
    """Whether a negation, a few words before, takes it away: "no text", "without any readable labels"."""
    for token in reversed(sentence.tokens[max(position - 4, 0) : position]):
        if token.tag in ("MARK", "STOP", "CONJ") or (
            token.tag == "VERB" and token.lemma not in ("include", "add", "show", "use", "write")
        ):
            return False
        if token.tag == "NEG" or token.lower in ("avoid", "free", "remove", "delete", "erase"):
            return True
    return False


def _said(parse: Parse, sentence: Sentence, position: int, spans: tuple[tuple[int, int], ...]) -> Spot | None:
    """ "a sign reading Trailhead 2 km", "a book titled The Quiet Sea": words that are not in quotes."""
    token = sentence.tokens[position]
    following = sentence.tokens[position + 1 : position + 2]
    if token.lower in ("labelled", "labeled", "captioned") and not following:
        return _vague(parse.text, token.start, token.end)
    if not following or any(start <= following[0].start < end for start, end in spans):
        return None
    if any(token.start <= start < sentence.end for start, _ in spans):
        return None
    thing = sentence.phrase_before(position)
    carries = thing is not None and (thing.noun in CARRIERS or any(each.lemma in CARRIERS for each in thing.tokens))
    loud = following[0].text[:1].isupper() or following[0].kind == "number"
    if token.lower in ("labelled", "labeled", "captioned"):
        return _vague(parse.text, token.start, token.end)
    if token.lower in NAMING and not loud:
        return None
    if (token.lemma == "read" and not (carries or loud)) or (thing is not None and thing.is_person and not loud):
        return None
    if not (carries or loud) or (thing is not None and thing.is_animate):
        return None
    end = following[0].end
    first = following[0].start
    index = position + 2
    while index < len(sentence.tokens) and _goes_on(sentence.tokens[index], loud):
        end = sentence.tokens[index].end
        index += 1
    return _unquoted(parse.text, first, end)


def _goes_on(token: Token, loud: bool) -> bool:
    if token.tag in ("STOP", "MARK") and token.text not in ("&", "'"):
        return False
    if not loud:
        return True
    return (
        token.text[:1].isupper()
        or token.kind == "number"
        or token.text == "&"
        or token.lower in ("of", "the", "km", "and", "a")
    )


def _on_carrier(sentence: Sentence, position: int) -> bool:
    return any(token.lemma in CARRIERS or token.lower in CARRIERS for token in sentence.tokens)


def _quotation(text: str, token: Token) -> Spot:
    words = quoted(token)
    count, letters = len(words.split()), len(words)
    long = count > MANY_WORDS or letters > MANY_LETTERS
    after = text[token.end : token.end + len(LARGE) + 2]
    if LARGE in after or "in bold letters" in after:
        rewrite = None
    elif long:
        rewrite = f"{token.text} {LARGE}, on {(count + 2) // 3} lines"
    else:
        rewrite = f"{token.text} {LARGE}"
    what = f"{token.text} is text of {letters} letters" + (
        f" and {count} words, more than models spell safely" if long else ""
    )
    return Spot(token.start, token.end, what, rewrite, weight=2 if long else 0)


def _unquoted(text: str, start: int, end: int) -> Spot:
    words = text[start:end]
    long = len(words.split()) > MANY_WORDS
    lines = f", on {(len(words.split()) + 2) // 3} lines" if long else ""
    return Spot(start, end, f"{words!r} is text without quotation marks, so that it may be read as a description",
                f'"{words}" {LARGE}{lines}', weight=1 + long)  # fmt: skip


def _vague(text: str, start: int, end: int) -> Spot:
    words = text[start:end]
    return Spot(start, end, f"{words!r} asks for text and does not say which words; what is left open is garbled", None,
                weight=1)  # fmt: skip
