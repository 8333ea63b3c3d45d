"""Physics: wrong shadows, impossible reflections, things that float, liquids that defy gravity.

Found: reflections and mirrors, cast shadows, things without support, liquids in motion, balance, breaking and falling.
Not found: shade as a style ("soft shadows"), what floats or flies by nature, and what is told already: where the light
comes from, what holds the thing, which way it falls. The cure is to tell it.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.spot import Spot, aside
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.words import word_set

FLOATERS = word_set(
    "boat boats ship ships raft duck ducks swan swans leaf leaves lily lilies iceberg icebergs buoy canoe gondola "
    "bubble bubbles balloon balloons lantern lanterns cloud clouds dust bird birds gull seagull butterfly kite snow "
    "feather feathers ash embers astronaut astronauts jellyfish sailboat airship drone helicopter otter hummingbird "
    "hawk eagle dragonfly bee mist smoke barge lifebuoy petals spores sparks particles fog hair veil"
)
ON_WATER = word_set("water pond lake river sea pool harbor harbour ocean canal surface waves stream")
SURFACES = word_set(
    "lake pond water mirror window windows puddle puddles glass river asphalt pavement floor ice wet lens eye eyes "
    "chrome metal surface pool canal sunglasses visor sea street facade"
)
STYLE = word_set("soft deep dramatic harsh subtle gentle rich moody crisp strong light hard heavy no noir diffused")
WEATHER = word_set(
    "snow rain leaf leaves petal petals night dusk light blossoms confetti darkness sunlight water snowflakes stars "
    "evening curtain silence hair shadow shadows"
)
WAVES = word_set("wave waves sea surf dawn day daylight light sun ocean")
LIQUID_VERBS = word_set("pour spill splash drip gush squirt slosh")
FORCE_VERBS = word_set("shatter collide explode collapse crumble topple crash fall tumble tip tilt roll slide break")
SUPPORT_VERBS = word_set("levitate hover float")
BALANCE = word_set("balance teeter")
TOLD_WAYS = (
    "straight down", "straight above", "upside down", "hung from", "held by", "hanging from", "on a wire",
    "on wires", "on strings", "by a thread", "by cables", "unseen wire", "showing only what stands before it",
    "weight straight above",
)  # fmt: skip
LIGHTS = word_set(
    "light lit sun moon lamp backlit spotlight lantern sunlight candle streetlight lights window flash headlights"
)
DIRECTIONS = word_set("from behind above low upper lower overhead beneath below facing at")
LIGHT_TOLD = "the light coming from the upper edge of the frame"


def physics(parse: Parse) -> Iterator[Spot]:
    """Every event that physics rules, unless the prompt tells how it goes."""
    written = written_words(parse)
    lowered = parse.text.lower()
    told = any(way in lowered for way in TOLD_WAYS)
    light = _light_told(parse)
    for sentence in parse.sentences:
        past = -1
        for position, token in enumerate(sentence.tokens):
            if token.start < past or any(first <= token.start < end for first, end in written):
                continue
            spot = _shadow(parse.text, sentence, position) if not light else None
            if spot is None and not told:
                spot = _reflection(parse.text, sentence, position) or _event(parse.text, sentence, position)
            if spot is not None:
                past = spot.end
                yield spot


def _light_told(parse: Parse) -> bool:
    """Whether the prompt says where the light comes from: "lit from the upper left", "the sun low behind him"."""
    for sentence in parse.sentences:
        words = [token.lower for token in sentence.tokens]
        for index, word in enumerate(words):
            if word in LIGHTS and any(each in DIRECTIONS for each in words[index + 1 : index + 4]):
                if word in ("sun", "moon") and words[index + 1 : index + 2] == ["at"]:
                    continue
                return True
        if "backlit" in words or "toplit" in words:
            return True
    return False


def _shadow(text: str, sentence: Sentence, position: int) -> Spot | None:
    """A shadow that something casts."""
    token = sentence.tokens[position]
    if token.lemma != "shadow" or token.tag != "NOUN":
        return None
    phrase = sentence.phrase_at(position)
    if phrase is None or phrase.head is not token:
        return None
    before, after = sentence.words(position - 4, position), sentence.lower(position + 1)
    casting = any(each in ("cast", "casting", "casts", "throw", "throwing", "throws") for each in before)
    owned = phrase.determiner in ("his", "her", "its", "their") or (phrase.link and phrase.link[-1].tag == "POSS")
    placed = after in (
        "of",
        "on",
        "across",
        "over",
        "falls",
        "falling",
        "behind",
        "stretching",
        "fall",
        "stretch",
        "from",
    )
    long = any(each.lower in ("long", "tall", "giant", "stretching") for each in phrase.attributes)
    style = any(each.lower in STYLE for each in phrase.attributes)
    hidden = any(each in ("in", "into", "from") for each in before[-2:]) and not (casting or owned or after == "of")
    if hidden or not (casting or owned or placed or long) or (style and not casting and after not in ("of", "on")):
        return None
    if after == "puppet" or sentence.lower(position - 1) in ("eye", "drop", "five"):
        return None
    words = text[phrase.start : phrase.end]
    return Spot(phrase.start, phrase.end, f"{words!r} has to agree with a light whose place is not told",
                aside(text, phrase.start, phrase.end, LIGHT_TOLD), nouns=(phrase.noun,))  # fmt: skip


def _reflection(text: str, sentence: Sentence, position: int) -> Spot | None:
    """A mirror, or a thing seen in water or glass."""
    token = sentence.tokens[position]
    phrase = sentence.phrase_at(position)
    if token.lemma == "mirror" and token.tag == "NOUN":
        if phrase is not None and phrase.head is not token and phrase.noun not in ("selfie", "frame", "image"):
            return None
        return _told(text, token.start, token.end, "showing only what stands before it")
    if token.lemma == "reflection" and token.tag == "NOUN":
        before, after = sentence.lower(position - 1), sentence.lower(position + 1)
        near = sentence.words(position + 1, position + 7)
        owned = before in ("its", "his", "her", "their", "'s") or after in ("of", "in", "on", "across")
        seen = any(each in SURFACES for each in near) or any(
            each in SURFACES for each in sentence.words(position - 2, position)
        )
        return _told(text, token.start, token.end, "upside down and in the same colours") if owned or seen else None
    if token.lemma == "reflect" and token.tag in ("VERB", "ADJ"):
        thing = sentence.phrase_after(position, within=4)
        shown = thing is not None and (thing.noun in SURFACES or any(each.lower in SURFACES for each in thing.tokens))
        abstract = sentence.lower(position + 1) in ("on", "upon") and not shown
        if thing is None or abstract:
            return None
        return _told(text, token.start, thing.end, "upside down and in the same colours")
    if token.lemma in ("refract", "mirror") and token.tag == "VERB":
        return _told(text, token.start, token.end, "upside down and in the same colours")
    return None


def _event(text: str, sentence: Sentence, position: int) -> Spot | None:
    """Something in motion, in the air or in balance."""
    token = sentence.tokens[position]
    before = sentence.phrase_before(position)
    phrase = sentence.phrase_at(position)
    after = sentence.phrase_after(position, within=4)
    lemma, word = token.lemma, token.lower
    who = phrase if token.tag == "ADJ" and phrase is not None else before
    if before is None and who is None and after is not None and after.first == position + 1:
        who = after  # "hovering cow"
    if before is not None and sentence.lower(position - 1) == ",":
        # "an airship shaped like a pig, floating": it may be any of the things before the comma
        near = [each for each in sentence.phrases[: before.index + 1][-4:] if _any(each, FLOATERS)]
        who = near[0] if near else who
    moves = token.tag == "VERB" or (token.tag == "ADJ" and word.endswith(("ing", "ed")))
    stem = lemma if token.tag == "VERB" else _stem(word)
    if word in ("mid-air", "midair", "weightless", "weightlessly", "mid-leap", "mid-jump") or (
        word == "air" and sentence.words(position - 2, position) == ["in", "the"] and _hangs(sentence, position)
    ):
        return _told(text, token.start, token.end, "as if held by an unseen wire")
    if (word == "splash" and token.tag == "NOUN") or (moves and stem in LIQUID_VERBS):
        return _liquid(text, sentence, position, before, after)
    if moves and stem in SUPPORT_VERBS:
        on_water = after is not None and (
            after.noun in ON_WATER or any(each.lower in ON_WATER for each in after.tokens)
        )
        lies = any(each in ("in", "on") for each in sentence.words(position + 1, position + 3)) and on_water
        if stem != "levitate" and (lies or who is None or who.is_part or _any(who, FLOATERS)):
            return None
        start, end = _whole(sentence, position)
        return _told(text, start, end, "as if held by an unseen wire, the shade right below")
    if (
        word == "suspended"
        and token.tag in ("VERB", "ADJ")
        and (after is None or "from" not in [each.lower for each in after.link])
    ):
        return _told(text, token.start, token.end, "as if held by an unseen wire")
    if moves and stem in BALANCE and token.tag == "VERB":
        return _told(text, token.start, token.end, "with the weight straight above the support")
    if (
        word in ("house", "tower", "pyramid")
        and sentence.lower(position + 1) == "of"
        and after is not None
        and after.plural
    ):
        if after.noun in ("card", "teacup", "cup", "book", "plate", "glass", "chair", "stone", "block"):
            return (
                None
                if _event_later(sentence, position)
                else _told(text, token.start, after.end, "weight straight above weight")
            )
        return None
    if token.tag == "VERB" and stem in FORCE_VERBS:
        return _force(text, sentence, position, before, after, stem)
    return None


def _hangs(sentence: Sentence, position: int) -> bool:
    return any(
        token.lemma in ("hang", "freeze", "suspend") for token in sentence.tokens[max(position - 5, 0) : position]
    )


def _event_later(sentence: Sentence, position: int) -> bool:
    return any(
        token.lemma in BALANCE | FORCE_VERBS and token.tag == "VERB" for token in sentence.tokens[position + 1 :]
    )


def _liquid(text: str, sentence: Sentence, position: int, before: Phrase | None, after: Phrase | None) -> Spot | None:
    token = sentence.tokens[position]
    if before is not None and before.noun in (
        "light",
        "sunlight",
        "moonlight",
        "glow",
        "shadow",
        "vine",
        "ivy",
        "crowd",
    ):
        return None
    if after is not None and after.noun in ("light", "sunlight") and token.tag == "VERB":
        return None
    words = sentence.words(position, position + 9)
    if "from" in words and "into" in words and token.lemma == "pour" and "down" in words:
        return None
    start, end = _whole(sentence, position)
    return _told(text, start, end, "straight down in one thin stream" if token.lemma != "splash" else
                 "in an arc that falls straight down again")  # fmt: skip


def _force(
    text: str, sentence: Sentence, position: int, before: Phrase | None, after: Phrase | None, stem: str
) -> Spot | None:
    """Falling and breaking, unless it is weather, waves, sleep or light."""
    token = sentence.tokens[position]
    next_word = sentence.lower(position + 1)
    if next_word in ("asleep", "in", "apart") and stem == "fall" and next_word != "in":
        return None
    if before is not None and _any(before, WEATHER):
        return None
    if stem in ("break", "crash", "roll") and (before is None or _any(before, WAVES)):
        return None
    if stem == "roll" and next_word not in ("down", "off", "across"):
        return None
    if stem == "slide" and next_word not in ("off", "down"):
        return None
    if stem in ("tip", "tilt") and (before is None or before.is_person or before.is_part):
        return None
    if stem == "break" and (
        token.lower in ("broken",) or (after is not None and after.noun in ("dawn", "bread", "rule", "news"))
    ):
        return None
    if token.lower in ("fallen", "collapsed", "tilted", "crumbled", "broken", "shattered"):
        return None
    if before is None and after is None:
        return None
    return _told(text, token.start, token.end, "straight down")


def _whole(sentence: Sentence, position: int) -> tuple[int, int]:
    """The span of a word, or of the phrase that it is an attribute of: "floating island"."""
    token, phrase = sentence.tokens[position], sentence.phrase_at(position)
    if token.tag == "ADJ" and phrase is not None:
        return phrase.start, phrase.end
    return token.start, token.end


def _any(phrase: Phrase, group: frozenset[str]) -> bool:
    return phrase.noun in group or phrase.head.lower in group or any(token.lower in group for token in phrase.tokens)


def _stem(word: str) -> str:
    for ending, added in (("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e")):
        if word.endswith(ending):
            base = word[: -len(ending)] + added
            if base in SUPPORT_VERBS | BALANCE | LIQUID_VERBS | FORCE_VERBS:
                return base
            if base[-1:] == base[-2:-1] and base[:-1] in LIQUID_VERBS:
                return base[:-1]
    return word


def _told(text: str, start: int, end: int, how: str) -> Spot:
    words = text[start:end]
    return Spot(
        start, end, f"{words!r} has to obey light, weight or liquids, and how is not told", aside(text, start, end, how)
    )
