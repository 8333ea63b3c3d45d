"""Left and right: whose left, the viewer's or the subject's?

Found: a side, a place or a direction that does not say whose. Not found: sides of the frame, "right" as an adverb ("right in
the middle"), "left" as a verb or as what remains.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot, frame_named, same_case
from triptych.advice.grammar import Parse, Sentence

SIDES = ("left", "right")
DIRECTED = frozenset(
    "look turn face walk point signal lean head move go run bend swing steer glance gaze tilt veer stare drive ride fly "
    "aim step stretch reach indicate crawl drift rotate".split()
)
NOT_A_SIDE = frozenset(
    "moment time place way size tool amount balance angle answer person word note kind type mood length light lighting "
    "thing tone proportions proportion stuff one side-up look feel conditions distance".split()
)
PARTS_OF_FRAME = frozenset("third edge foreground background corner panel column margin border half page".split())
ADVERBIAL = frozenset("in at into through behind above under below next after before now here there on out up down across "
                      "against beside over between from past near where when as inside along".split())  # fmt: skip


def left_right(parse: Parse) -> Iterator[Spot]:
    """Every side that could be the viewer's or the subject's."""
    for sentence in parse.sentences:
        for position, token in enumerate(sentence.tokens):
            word = token.lower.removesuffix("-hand").removesuffix("most").removesuffix("wards").removesuffix("ward")
            if word not in SIDES or token.tag == "VERB" or frame_named(sentence, position):
                continue
            found = _side(parse.text, sentence, position, word)
            if found is not None:
                yield found


def _side(text: str, sentence: Sentence, position: int, side: str) -> Spot | None:
    """The reading of one "left" or "right", None where it is no side or whose it is is said."""
    tokens = sentence.tokens
    before, after = sentence.lower(position - 1), sentence.lower(position + 1)
    two_before = sentence.lower(position - 2)
    if side == "left" and after == "of" and _remains(sentence, position):
        return None
    if after in PARTS_OF_FRAME or (after == "to" and sentence.lower(position + 2) in SIDES) or (
        before == "to" and two_before in SIDES
    ):  # fmt: skip
        return None
    edge = f"the {side} edge of the frame"
    if after == "of":
        first = position
        while first > 0 and sentence.lower(first - 1) in ("to", "on", "the", "just", "immediately"):
            first -= 1
        other = sentence.phrase_after(position + 1)
        anchor = f" {text[other.start : other.end]}" if other else ""
        end = other.end if other else tokens[position + 1].end
        return _spot(text, tokens[first].start, end, f"beside{anchor}, on the side nearer {edge}")
    if before in ("to", "on", "at", "from", "toward", "towards") or (
        before in ("the", "his", "her", "its", "their", "your", "my")
        and two_before in ("to", "on", "at", "from", "toward", "towards")
    ):
        return _placed(text, sentence, position, side)
    noun = tokens[position + 1] if position + 1 < len(tokens) and tokens[position + 1].tag == "NOUN" else None
    while noun is not None and tokens[position].lower not in SIDES:
        noun = None
    if noun is not None:
        return _part(text, sentence, position, side)
    verb = next((token for token in reversed(tokens[max(position - 3, 0) : position]) if token.tag == "VERB"), None)
    directed = verb is not None and verb.lemma in DIRECTED
    if not directed and position > 0:
        directed = tokens[position - 1].lemma.rstrip("s") in DIRECTED
    if directed and after not in ADVERBIAL - {"at"}:
        return None if side == "right" and after == "at" and verb is not None and verb.lemma in ("look", "stare", "gaze") else _spot(
            text, tokens[position].start, tokens[position].end, f"toward {edge}"
        )  # fmt: skip
    if before in ("'s", "’s"):
        return _spot(text, tokens[position].start, tokens[position].end, f"side nearer {edge}")
    if before in ("far", "the"):
        return _spot(
            text, tokens[position - (before == "the")].start, tokens[position].end, f"the {side} side of the frame"
        )
    return None


def _remains(sentence: Sentence, position: int) -> bool:
    """Whether "left of" tells what is still there: "what is left of it", "the last slice left of the pizza"."""
    before = sentence.words(position - 3, position)
    if any(word in ("what", "what's", "whatever", "little", "nothing", "all", "much") for word in before):
        return True
    return any(word in ("slice", "piece", "bit", "crumbs", "last", "food", "scraps", "remains") for word in before[-2:])


def _placed(text: str, sentence: Sentence, position: int, side: str) -> Spot | None:
    """ "on the left", "to his left", "from the right", "on her left shoulder", "from its left side"."""
    tokens = sentence.tokens
    after = sentence.lower(position + 1)
    if side == "right" and (after in NOT_A_SIDE or sentence.lower(position - 1) == "at"):
        return None
    following = tokens[position + 1] if position + 1 < len(tokens) else None
    if following is not None and following.tag == "NOUN":
        return _part(text, sentence, position, side)
    first = position
    while first > 0 and sentence.lower(first - 1) in ("to", "on", "at", "from", "toward", "towards", "the", "his", "her",
                                                      "its", "their", "your", "my"):  # fmt: skip
        first -= 1
    link = sentence.lower(first)
    edge = f"the {side} edge of the frame"
    ways = {"to": f"toward {edge}", "toward": f"toward {edge}", "towards": f"toward {edge}", "from": f"from {edge}"}
    return _spot(text, tokens[first].start, tokens[position].end, ways.get(link, f"at {edge}"))


def _part(text: str, sentence: Sentence, position: int, side: str) -> Spot | None:
    """ "her left hand", "the right wing", "the left cushion": a part or thing that is named by its side."""
    tokens = sentence.tokens
    last = position + 1
    while last + 1 < len(tokens) and tokens[last + 1].tag == "NOUN":
        last += 1
    noun = tokens[last]
    if side == "right" and any(
        each.lower in NOT_A_SIDE or each.lemma in NOT_A_SIDE for each in (tokens[position + 1], noun)
    ):
        return None
    start, end = tokens[position].start, noun.end
    part = text[tokens[position + 1].start : end]
    whose = f"nearer the {side} edge of the frame"
    if noun.lower == "side":
        start = _back(sentence, position, ("on", "to", "from", "at", "his", "her", "its", "the", "their"))
        return _spot(text, start, end, f"on the side {whose}")
    return _spot(text, start, end, f"{part} {whose}")


def _back(sentence: Sentence, position: int, words: tuple[str, ...]) -> int:
    while position > 0 and sentence.lower(position - 1) in words:
        position -= 1
    return sentence.tokens[position].start


def _spot(text: str, start: int, end: int, rewrite: str) -> Spot:
    words = text[start:end]
    return Spot(
        start, end, f"{words!r} does not say whose side: the viewer's or the subject's", same_case(rewrite, words)
    )
