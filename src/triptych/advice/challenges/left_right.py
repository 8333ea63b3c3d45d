"""Left and right: whose left, the viewer's or the subject's?

Found: a side, a place or a direction that does not say whose. Not found: sides of the frame, "right" as an adverb
("right in the middle"), "left" as a verb or as what remains. The cure names the edge of the frame. "Her left hand" is
read as her own; somebody who is not seen from behind faces the viewer, so that it is nearer the right edge.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from triptych.advice.challenges.spot import Spot, frame_named, same_case
from triptych.advice.grammar import Parse, Sentence
from triptych.advice.grammar.words import BODY, word_set

OPPOSITE = {"left": "right", "right": "left"}
DIRECTED = word_set(
    "look turn face walk point signal lean head move go run bend swing steer glance gaze tilt veer stare drive ride "
    "fly aim step stretch reach indicate crawl drift rotate gallop march"
)
NOT_A_SIDE = word_set(
    "moment time place way size tool amount balance angle answer person word note kind type mood length light "
    "lighting thing tone proportions proportion stuff one side-up look feel conditions distance"
)
PARTS_OF_FRAME = word_set("third edge foreground background corner panel column margin border half page")
NAMED = word_set("bank drive hander winger")
"""Nouns that a side is part of the name of: "the left bank of the Seine"."""
ADVERBIAL = word_set(
    "in into through behind above under below next after before now here there on out up down across against beside "
    "over between from past near where when as inside along"
)
OWNERS = word_set("his her its their your my 's ’s")
LINKS = word_set("to on at from toward towards")
REMAINS = word_set("slice piece bit crumbs last food scraps remains")
FROM_BEHIND = (("from", "behind"), ("back", "view"), ("rear", "view"), ("the", "back"))


@dataclass(frozen=True)
class Here:
    """One "left" or "right" in its sentence. behind: the subject is seen from behind."""

    text: str
    sentence: Sentence
    position: int
    side: str
    behind: bool

    def word(self, shift: int) -> str:
        return self.sentence.lower(self.position + shift)

    def edge(self, *, own: bool = False) -> str:
        """The edge of the frame; own: for the subject's own side."""
        side = OPPOSITE[self.side] if own and not self.behind else self.side
        return f"the {side} edge of the frame"

    def spot(self, first: int, last: int, rewrite: str, nouns: tuple[str, ...] = ()) -> Spot:
        """The reading that covers the tokens [first, last]."""
        start, end = self.sentence.tokens[first].start, self.sentence.tokens[last].end
        words = self.text[start:end]
        what = f"{words!r} does not say whose side: the viewer's or the subject's"
        return Spot(start, end, what, same_case(rewrite, words), nouns=nouns)

    def back_over(self, words: frozenset[str]) -> int:
        """The first of the tokens before this one that are all among the words."""
        first = self.position
        while first > 0 and self.sentence.lower(first - 1) in words:
            first -= 1
        return first


def left_right(parse: Parse) -> Iterator[Spot]:
    """Every side that could be the viewer's or the subject's."""
    words = [token.lower for token in parse.tokens]
    behind = any(pair in FROM_BEHIND for pair in itertools.pairwise(words))
    for sentence in parse.sentences:
        for position, token in enumerate(sentence.tokens):
            word = token.lower.removesuffix("-hand").removesuffix("most").removesuffix("wards").removesuffix("ward")
            if word not in OPPOSITE or token.tag == "VERB" or frame_named(sentence, position):
                continue
            found = _reading(Here(parse.text, sentence, position, word, behind))
            if found is not None:
                yield found


def _reading(here: Here) -> Spot | None:
    """None where it is no side, or where it is said whose."""
    before, after = here.word(-1), here.word(1)
    if (
        after in PARTS_OF_FRAME
        or (after == "to" and here.word(2) in OPPOSITE)
        or (before == "to" and here.word(-2) in OPPOSITE)
    ):
        return None
    if after == "of":
        return None if here.side == "left" and _remains(here) else _beside(here)
    linked = before in LINKS or (before in OWNERS | {"the"} and here.word(-2) in LINKS)
    if linked and here.side == "right" and (after in NOT_A_SIDE or before == "at"):
        return None
    tokens = here.sentence.tokens
    if here.position + 1 < len(tokens) and tokens[here.position + 1].tag == "NOUN":
        return _part(here)
    if linked:
        return _placed(here)
    if _is_direction(here):
        return here.spot(here.position, here.position, f"toward {here.edge()}")
    if before in ("'s", "’s"):
        return here.spot(here.position, here.position, f"side nearer {here.edge(own=True)}")
    if before in ("far", "the"):
        first = here.position - (before == "the")
        return here.spot(first, here.position, f"the {here.side} side of the frame")
    return None


def _remains(here: Here) -> bool:
    """Whether "left of" tells what is still there: "what is left of it", "the last slice left of the pizza"."""
    before = here.sentence.words(here.position - 3, here.position)
    if any(word in ("what", "what's", "whatever", "little", "nothing", "all", "much") for word in before):
        return True
    return any(word in REMAINS for word in before[-2:])


def _beside(here: Here) -> Spot:
    """ "to the left of the lamp"."""
    first = here.back_over(LINKS | {"the", "just", "immediately"})
    other, thing = here.sentence.phrase_after(here.position + 1), here.sentence.phrase_before(first)
    nouns = tuple(phrase.noun for phrase in (thing, other) if phrase is not None)
    if other is None:
        return here.spot(first, here.position + 1, f"on the side nearer {here.edge()}", nouns)
    anchor = here.text[other.start : other.end]
    return here.spot(first, other.last, f"beside {anchor}, on the side nearer {here.edge()}", nouns)


def _placed(here: Here) -> Spot:
    """ "on the left", "to his left", "from the right"."""
    first = here.back_over(LINKS | OWNERS | {"the"})
    own = any(word in OWNERS for word in here.sentence.words(first, here.position))
    edge = here.edge(own=own)
    ways = {"to": "toward", "toward": "toward", "towards": "toward", "from": "from"}
    return here.spot(first, here.position, f"{ways.get(here.sentence.lower(first), 'at')} {edge}")


def _part(here: Here) -> Spot | None:
    """ "her left hand", "the right wing", "the left cushion": a part or thing that is named by its side."""
    tokens = here.sentence.tokens
    last = here.position + 1
    while last + 1 < len(tokens) and tokens[last + 1].tag == "NOUN":
        last += 1
    nouns = (tokens[here.position + 1], tokens[last])
    if any(each.lower in NAMED for each in nouns):
        return None
    if here.side == "right" and any(each.lower in NOT_A_SIDE or each.lemma in NOT_A_SIDE for each in nouns):
        return None
    if tokens[last].lower == "side":
        first = here.back_over(LINKS | OWNERS | {"the"})
        return here.spot(first, last, f"on the side nearer {here.edge()}")
    own = here.word(-1) in OWNERS or tokens[last].lemma in BODY or tokens[last].lower in BODY
    part = here.text[tokens[here.position + 1].start : tokens[last].end]
    return here.spot(here.position, last, f"{part} nearer {here.edge(own=own)}")


def _is_direction(here: Here) -> bool:
    """ "looks left", "turning right"; not "looking right at us", "turned right into the street"."""
    tokens, position = here.sentence.tokens, here.position
    verbs = [token for token in tokens[max(position - 3, 0) : position] if token.tag == "VERB"]
    aimed = (
        here.side == "right" and here.word(1) == "at" and any(verb.lemma in ("look", "stare", "gaze") for verb in verbs)
    )
    if here.word(1) in ADVERBIAL or aimed:
        return False
    if position and tokens[position - 1].lemma.rstrip("s") in DIRECTED:
        return True
    return bool(verbs) and verbs[-1].lemma in DIRECTED
