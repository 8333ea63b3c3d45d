"""Where a prompt holds words that are to be written in the picture: other rules must not read them as a description."""

from __future__ import annotations

from functools import lru_cache

from triptych.advice.grammar import Parse
from triptych.advice.grammar.tokens import Token
from triptych.advice.grammar.words import word_set

SAYING = word_set(
    "write writes writing say says saying read reads reading spell spells spelling spelled titled called named "
    "labelled labeled printed entitled captioned"
)
CARRIERS = word_set(
    "packaging brand sign signpost signboard billboard banner poster plaque placard label sticker logo headline "
    "caption title mug shirt t-shirt awning storefront plate cover card screen marquee graffiti bubble tattoo "
    "chalkboard whiteboard blackboard stamp badge flag ticket bag book menu magazine newspaper neon box bottle can "
    "wall door wordmark tagline slogan text word letter words lettering message note letters subtitle heading"
)


@lru_cache(maxsize=256)
def written_words(parse: Parse) -> tuple[tuple[int, int], ...]:
    """The spans [start, end) of words that stand in the picture: quotations, and runs of capitals after "saying" or a
    sign.
    """
    spans: list[tuple[int, int]] = []
    for sentence in parse.sentences:
        tokens = sentence.tokens
        position = 0
        while position < len(tokens):
            token = tokens[position]
            if token.tag == "QUOTE":
                spans.append((token.start, token.end))
            elif position and _is_loud(token) and _introduced(tokens, position):
                end = position
                while end + 1 < len(tokens) and (_is_loud(tokens[end + 1]) or tokens[end + 1].tag == "NUM"):
                    end += 1
                if end > position or len(token.text) > 2:
                    spans.append((token.start, tokens[end].end))
                position = end
            position += 1
    return tuple(spans)


def _is_loud(token: Token) -> bool:
    return token.kind == "word" and token.text.isupper() and len(token.text) > 1


def _introduced(tokens: tuple[Token, ...], position: int) -> bool:
    """Whether "saying", "titled" or a thing that carries words stands just before."""
    return any(token.lower in SAYING or token.lemma in CARRIERS for token in tokens[max(position - 2, 0) : position])
