"""Hands and fingers: many joints, seldom in full sight in training pictures.

Found: hands or fingers in view, gestures, and what fingers carry out (an instrument, knitting, a signature). Not
found: merely holding a thing, other things of that name (clock hands, a palm tree, "second-hand"), and grips that are
told already. The cure is the action: what each finger does or touches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from triptych.advice.challenges.spot import Spot, aside
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Sentence
from triptych.advice.grammar.words import word_set

PARTS = word_set("hand hands finger fingers fingertip fingertips thumb thumbs fist fists knuckle knuckles fingernails")
NOT_HANDS = word_set("clock watch second hour minute gauge dial compass card poker banana chicken fish bush")
AFTER_HAND = word_set(
    "side luggage cream soap drill axe mirror rail gun bag puppet sanitizer lettering towel tools tool fan grenade "
    "brake dryer cart saw pump loom crafts"
)
GESTURES = {
    ("peace", "sign"): "with index and middle finger raised in a V, the other fingers folded under the thumb",
    ("v", "sign"): "with index and middle finger raised in a V, the other fingers folded under the thumb",
    ("thumbs", "up"): "with a closed fist, thumb pointing straight up",
    ("thumbs-up",): "with a closed fist, thumb pointing straight up",
    ("high", "five"): "their flat palms meeting, fingers together",
    ("high-five",): "their flat palms meeting, fingers together",
    ("fist", "bump"): "their closed fists touching knuckle to knuckle",
    ("sign", "language"): "one flat hand raised, fingers together, thumb apart",
    ("sign", "of", "the", "horns"): "index and little finger raised, the others folded under the thumb",
    ("ok", "sign"): "thumb and index finger joined in a ring, the other fingers straight",
    ("handshake",): "right palms clasped, thumbs on top",
    ("chopsticks",): "the sticks resting between thumb and index finger",
}
PALMS = word_set("open her his their its pressed raised outstretched both two sweaty cupped")
ACTIONS = {
    "knit": "one needle in each fist, yarn over the index finger",
    "crochet": "the hook held like a pencil, yarn over the index finger",
    "sew": "needle between thumb and index finger",
    "type": "wrists low, fingertips resting on the keys",
    "juggle": "palms up at waist height, fingers slightly cupped",
    "braid": "a strand between thumb and index finger of each hand",
    "shuffle": "the deck held along its long edges, thumbs on top",
    "clap": "palms meeting flat, fingers together",
    "wave": "one open palm raised, fingers together",
    "point": "index finger stretched out, the other fingers folded",
    "salute": "flat hand at the brow, fingers together",
    "snap": "thumb pressed against the middle finger",
    "tie": "a loop between thumb and index finger on each side",
    "thread": "the end held between thumb and index finger",
    "carve": "the handle in a closed fist, thumb along the edge",
    "knead": "the heels of the palms pressed down, fingers folded over",
    "embroider": "needle between thumb and index finger",
    "weave": "fingers drawn flat over the threads",
    "write": "the pen resting on the middle finger under thumb and index finger",
    "pinch": "thumb and index finger touching at the tips",
    "count": "one palm open, the other's index finger touching a fingertip",
    "gesture": "one open palm turned up, fingers together",
}
PLAYING = {
    "guitar": "one palm around the neck, the other hanging loose over the strings",
    "violin": "the neck between thumb and curved fingers, the bow under a bent thumb",
    "piano": "curved fingers resting side by side on the keys",
    "cards": "the cards held as one closed fan, thumb in front",
}
INSTRUMENTS = word_set(
    "guitar piano violin cello harp flute saxophone sax trumpet sitar banjo ukulele accordion lute bass clarinet "
    "viola organ mandolin keyboard harmonica oboe cards lyre koto zither"
)
PLAIN = {
    "hands": "fingers together and thumbs in view",
    "hand": "fingers together, thumb in view",
    "fist": "fingers folded, thumb across them",
    "finger": "each finger apart and in full view",
    "instrument": "curved fingers side by side on the instrument",
}
CURES = (*GESTURES.values(), *ACTIONS.values(), *PLAYING.values(), *PLAIN.values())
CONTACT = word_set("around on along closed together wrapped curled interlaced folded flat resting pointing")
GRIPS = word_set("grip grasp clutch hold cradle cup gripping holding clasp")
WAVERS = word_set(
    "flag grass wheat branch palm curtain hair cloth laundry kelp seaweed scarf banner field reed barley ribbon"
)
POINTERS = word_set(
    "arrow sign needle spire compass gun cannon telescope camera tower rocket antenna roof signpost weathervane nose "
    "light spotlight satellite dish"
)


SIDE = re.compile(r"(?: nearer the (?:left|right) edge)? of the frame| nearer the (?:left|right) edge of the frame")
"""A side that is told already belongs to the hand that it follows."""


def hands(parse: Parse) -> Iterator[Spot]:
    """Every hand, gesture or work of fingers that is not told already."""
    written = written_words(parse)
    for sentence in parse.sentences:
        if _is_told(sentence):
            continue
        past = -1
        for position, token in enumerate(sentence.tokens):
            if token.start < past or any(first <= token.start < end for first, end in written):
                continue
            spot = _gesture(parse.text, sentence, position) or _action(parse.text, sentence, position)
            spot = spot or _part(parse.text, sentence, position)
            if spot is not None:
                # One pose is told for a sentence: more would be about the same fingers.
                told = spot if past < 0 else replace(spot, rewrite=None)
                past = spot.end
                yield told


def _is_told(sentence: Sentence) -> bool:
    """Whether fingers have their place already: "gripping it with the thumb on top", or a cure of this file."""
    said = " ".join(token.text for token in sentence.tokens).replace(" ,", ",").replace(" 's", "'s")
    if any(told in said for told in CURES):
        return True
    grips = any(token.lemma in GRIPS for token in sentence.tokens)
    for position, token in enumerate(sentence.tokens):
        if token.lower in ("thumb", "fingers", "thumbs", "finger", "palm", "palms", "fist"):
            near = sentence.words(position + 1, position + 3)
            if any(word in CONTACT for word in near) and (grips or token.lower in ("thumb", "finger")):
                return True
    return False


def _gesture(text: str, sentence: Sentence, position: int) -> Spot | None:
    for words, told in GESTURES.items():
        if tuple(sentence.words(position, position + len(words))) == words:
            used = any(
                each in ("with", "using", "holding", "uses", "holds") for each in sentence.words(position - 2, position)
            )
            if words == ("chopsticks",) and not used:
                return None
            if words == ("sign", "language") and sentence.lower(position - 1) in ("a", "the"):
                return None
            start, end = sentence.tokens[position].start, sentence.tokens[position + len(words) - 1].end
            return _spot(text, start, end, told)
    return None


def _action(text: str, sentence: Sentence, position: int) -> Spot | None:
    """Something that fingers carry out."""
    token = sentence.tokens[position]
    if token.tag not in ("VERB", "ADJ"):
        return None
    following = sentence.phrase_after(position, within=3)
    lemma = token.lemma if token.tag == "VERB" else token.lower
    if lemma == "play":
        if following is None or (following.noun not in INSTRUMENTS and following.head.lower not in INSTRUMENTS):
            return None
        told = PLAYING.get(following.head.lower, PLAIN["instrument"])
        return _spot(text, token.start, following.end, told)
    if token.tag != "VERB" or lemma not in ACTIONS:
        return None
    if not _is_manual(sentence, position, lemma, token.lower):
        return None
    end = following.end if following is not None and not following.link[:-1] and lemma != "wave" else token.end
    if following is not None and following.first > position + 1:
        end = token.end if lemma in ("wave", "clap", "count", "type") else following.end
    return _spot(text, token.start, end, ACTIONS[lemma])


def _is_manual(sentence: Sentence, position: int, lemma: str, word: str) -> bool:
    """Whether a verb that has other senses means work of hands here."""
    before, after = sentence.phrase_before(position), sentence.lower(position + 1)
    passive = word.endswith(("ed", "en")) or word in ("wound", "woven", "written", "drawn")
    if passive:
        return False
    if lemma == "point":
        return after in ("at", "to", "toward", "towards", "out") and (before is None or before.noun not in POINTERS)
    if lemma == "wave":
        return before is None or before.noun not in WAVERS
    if lemma == "snap":
        return any(each in ("finger", "fingers") for each in sentence.words(position, position + 4))
    if lemma == "count":
        return any(each in ("finger", "fingers") for each in sentence.words(position, position + 4))
    if lemma == "tie":
        return before is None or before.is_animate
    if lemma in ("write", "type", "weave", "thread", "carve", "gesture"):
        return (
            before is None
            or before.is_animate
            or before.is_scenery
            or (before.head.tag == "NOUN" and word.endswith("ing"))
        )
    return True


def _part(text: str, sentence: Sentence, position: int) -> Spot | None:
    """A hand or finger by its name."""
    token = sentence.tokens[position]
    word = token.lower
    if token.tag != "NOUN":
        return None
    palm = word in ("palm", "palms") and (
        sentence.lower(position - 1) in PALMS or sentence.lower(position + 1) in ("up", "pressed")
    )
    if word not in PARTS and not palm:
        return None
    if word == "hand" and sentence.lower(position + 1) in AFTER_HAND:
        return None
    before = sentence.words(position - 2, position)
    if any(each in NOT_HANDS for each in before) or before[-1:] == ["by"] or before == ["the", "other"]:
        return None
    if sentence.lower(position + 1) == "of" and any(
        each in NOT_HANDS for each in sentence.words(position + 2, position + 4)
    ):
        return None
    if word == "fingers" and before[-1:] == ["fish"]:
        return None
    phrase = sentence.phrase_at(position)
    start = phrase.start if phrase is not None else token.start
    end = phrase.end if phrase is not None else token.end
    kind = "hands" if word.endswith("s") else "hand"
    if word.startswith("fist"):
        kind = "fist"
    if word.startswith(("thumb", "finger", "knuckle")):
        kind = "finger"
    told = PLAIN[kind]
    return _spot(text, start, end, told)


def _spot(text: str, start: int, end: int, told: str) -> Spot:
    if match := SIDE.match(text, end):
        end = match.end()
    words = text[start:end]
    return Spot(
        start, end, f"{words!r} puts fingers in sight and leaves their pose to chance", aside(text, start, end, told)
    )
