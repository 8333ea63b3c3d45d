"""Attribute mixing: "man in blue, woman in red" swaps the colours.

Found: in one sentence, two things with colours or patterns of their own that differ, or two people or animals with
clothes, hair or build of their own. Not found: parts and clothes of one and the same body, natural colours of scenery,
backgrounds, light, palettes. The cure is a self-contained sentence for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from triptych.advice.challenges.spot import Spot, same_case
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence, Token
from triptych.advice.grammar.words import BUILDS, word_set

NOT_A_THING = word_set(
    "photo photograph image picture film tone tones palette scheme grading light lights lighting glow sky skies "
    "background backdrop painting drawing ink gradient neon hour sunset sunrise dusk colours colors color colour "
    "accents wash theme aesthetic style haze mist fog illustration sketch stripe stripes dots pattern wine tea hue "
    "hues movie art line lines studio screen noise"
)
NATURAL = {
    "green": word_set("grass field fields meadow meadows forest leaf leaves tree trees hill hills jungle lawn "
                      "foliage valley tea moss "
                      "pasture woods canopy vegetation orchard garden park vineyard countryside landscape "
                      "hillside slopes hedge ferns"),
    "blue": word_set("sky sea ocean water lake waters lagoon skies ice bay harbor harbour pool"),
    "white": word_set("snow cloud clouds foam background waves smoke sand"),
    "golden": word_set("sand light hour wheat sun field fields leaves grass sunlight"),
    "yellow": word_set("sun sand"), "gold": word_set("light"), "turquoise": word_set("sea water lagoon ocean"),
    "grey": word_set("sky clouds sea rock rocks"), "gray": word_set("sky clouds sea rock rocks"),
    "brown": word_set("earth soil mud leaves"), "black": word_set("night background sky"),
    "red": word_set("sun wine brick"), "pink": word_set("sky clouds light"), "orange": word_set("sky sun light"),
}  # fmt: skip
BUILT = word_set("wall walls tree trees")
"""Scenery that people paint, or that may have any colour."""
HAIR = word_set("blonde blond brunette redhead ginger")
PLAIN_PARTS = word_set(
    "hand hands finger fingers thumb arm arms leg legs head face neck shoulder shoulders back foot feet knee knees "
    "mouth lips chest cheek cheeks ear ears nose chin belly waist hip hips elbow wrist palm fist toe toes smile"
)
"""Parts that everybody has: no trait by themselves."""
BLENDS = (("teal", "orange"), ("black", "white"))


@dataclass(frozen=True)
class Bearer:
    """A thing with what sets it apart. carriers: the phrases that say so; the thing's own among them where it does."""

    thing: Phrase
    traits: tuple[str, ...]
    carriers: tuple[Phrase, ...]


def attribute_mixing(parse: Parse) -> Iterator[Spot]:
    """Every sentence in which traits could settle on the wrong thing, at most once each."""
    written = written_words(parse)
    for sentence in parse.sentences:
        if any(first <= sentence.start < end for first, end in written):
            continue
        bearers = list(_bearers(sentence))
        clashing = _clash(bearers)
        if not clashing:
            continue
        start = min(bearer.thing.start for bearer in clashing)
        names = " and ".join(f"{parse.text[bearer.thing.start : bearer.thing.end]!r}" for bearer in clashing[:2])
        people = sum(bearer.thing.is_person for bearer in clashing) > 1
        weight = int(people or len(clashing) > 2)
        yield Spot(
            start,
            sentence.end,
            f"{names} have traits of their own in one sentence",
            _blocks(parse.text, sentence, clashing, start),
            weight=weight,
            nouns=tuple(bearer.thing.noun for bearer in clashing),
            number=len(clashing),
        )


def _bearers(sentence: Sentence) -> Iterator[Bearer]:
    """The things of a sentence that carry traits."""
    parts: dict[int, list[Phrase]] = {}
    for phrase in sentence.phrases:
        if phrase.owner is not None:
            parts.setdefault(_root(sentence, phrase), []).append(phrase)
    for phrase in sentence.phrases:
        if (
            phrase.owner is not None
            or phrase.head.tag == "QUOTE"
            or phrase.noun in NOT_A_THING
            or phrase.head.lower in NOT_A_THING
        ):
            continue
        if phrase.is_part and phrase.determiner == "" and not phrase.is_animate and _is_tag(phrase):
            continue  # "blue eyes, white dress": tags of whoever the picture is of
        if phrase.head.tag == "ADJ" and len(phrase.tokens) == 1:
            continue  # a colour of the whole: "a painting with blue, red and black"
        own = _colours(phrase)
        traits, carriers = list(own), [phrase] if own else []
        if phrase.is_animate or phrase.index in parts:
            builds = [token.lower for token in phrase.attributes if token.lower in BUILDS or token.lower in HAIR]
            builds += [phrase.noun] if phrase.noun in HAIR else []
            if builds:
                traits += builds
                carriers = [phrase]
            for part in parts.get(phrase.index, []):
                words = [token.lower for token in part.tokens if token.tag in ("ADJ", "NOUN")]
                if part.noun in PLAIN_PARTS or part.head.lower in PLAIN_PARTS:
                    continue
                traits += [" ".join(words)]
                carriers.append(part)
        if traits:
            yield Bearer(phrase, tuple(traits), tuple(dict.fromkeys(carriers)))


def _is_tag(phrase: Phrase) -> bool:
    """Whether a phrase stands between commas, without a link to another."""
    return bool(phrase.link) and all(token.text == "," for token in phrase.link)


def _root(sentence: Sentence, phrase: Phrase) -> int:
    while phrase.owner is not None:
        phrase = sentence.phrases[phrase.owner]
    return phrase.index


def _colours(phrase: Phrase) -> list[str]:
    """The colours that set a thing apart, without those that it has anyway."""
    found: list[str] = []
    names = tuple(token.lower for token in phrase.colours)
    nouns = {phrase.head.lower, phrase.noun}
    if phrase.is_scenery and not nouns & BUILT and all(nouns & NATURAL.get(name, frozenset()) for name in names):
        return []
    if names in BLENDS and phrase.head.tag == "NOUN" and phrase.noun in ("photo", "film", "portrait"):
        return []
    for token in phrase.colours:
        if nouns & NATURAL.get(token.lower, frozenset()):
            continue
        following = [each for each in phrase.tokens if each.start > token.start and each.tag == "NOUN"]
        if (
            token.lower
            in ("orange", "peach", "plum", "lime", "rose", "coral", "salmon", "cream", "olive", "rust", "mint")
            and not following
        ):
            continue
        if following and following[0].lower in ("hour", "light", "neon") and following[0] is not phrase.head:
            continue
        found.append(token.lower)
    return found


def _clash(bearers: Sequence[Bearer]) -> list[Bearer]:
    """The bearers whose traits could be swapped: two colours that differ, or traits of two bodies."""
    coloured = [bearer for bearer in bearers if any(_colours_of(bearer))]
    sets = {tuple(sorted(set(_colours_of(bearer)))) for bearer in coloured}
    things = {bearer.thing.index for bearer in coloured}
    if len(things) > 1 and len(sets) > 1:
        return coloured
    bodies = [
        bearer
        for bearer in bearers
        if bearer.thing.is_animate or len(bearer.carriers) > (bearer.thing in bearer.carriers)
    ]
    if len(bodies) > 1 and len({tuple(sorted(bearer.traits)) for bearer in bodies}) > 1:
        return bodies
    return []


def _colours_of(bearer: Bearer) -> list[str]:
    return [colour for carrier in bearer.carriers for colour in _colours(carrier)]


def _blocks(text: str, sentence: Sentence, bearers: Sequence[Bearer], start: int) -> str | None:
    """The sentence without the traits, and a sentence of its own for each thing that has some."""
    cuts: list[tuple[int, int]] = []
    said: list[str] = []
    heads = [bearer.thing.noun for bearer in bearers]
    for number, bearer in enumerate(bearers):
        if bearer.thing.head.tag != "NOUN":
            return _appended(text, sentence, bearers, start)
        name = _name(text, bearer.thing, heads, number)
        own, worn = _own_cuts(bearer.thing), [part for part in bearer.carriers if part is not bearer.thing]
        if own:
            cuts += [(token.start, _next_start(bearer.thing, token)) for token in own]
            verb = "are" if bearer.thing.plural else "is"
            said.append(f"{name} {verb} {_list([token.text for token in own])}.")
        for part in worn:
            first = part.link[0].start if part.link else part.start
            if not part.link or part.first - len(part.link) <= bearer.thing.last:
                first = part.start if not part.link else first
            cuts.append((first, part.end))
            said.append(f"{name} {_wears(text, part, bearer.thing.plural)}.")
    plain = _without(text, start, sentence.end, cuts)
    words = " ".join(said)
    return f"{same_case(plain, text[start:])}. {words}".removesuffix(".") if said else None


def _appended(text: str, sentence: Sentence, bearers: Sequence[Bearer], start: int) -> str:
    """For "one blue, one red": the sentence as it is, cut before the second bearer."""
    second = bearers[1].thing
    first_part = text[start : (second.link[0].start if second.link else second.start)].rstrip(" ,")
    rest = text[second.start : sentence.end]
    return f"{first_part}. {rest[:1].upper()}{rest[1:]}"


def _own_cuts(phrase: Phrase) -> list[Token]:
    drop = {id(token) for token in phrase.colours}
    drop |= {id(token) for token in phrase.attributes if token.lower in BUILDS or token.lower in HAIR}
    return [token for token in phrase.tokens if id(token) in drop and token is not phrase.head]


def _next_start(phrase: Phrase, token: Token) -> int:
    position = phrase.tokens.index(token) + 1
    return phrase.tokens[position].start if position < len(phrase.tokens) else token.end


def _name(text: str, phrase: Phrase, heads: Sequence[str], number: int) -> str:
    same = heads.count(phrase.noun) > 1
    words = [token.text for token in phrase.tokens if token.tag == "NOUN"]
    noun = " ".join(words) or phrase.head.text
    if not same:
        return f"The {noun}"
    if phrase.number is not None:
        return f"The {phrase.number.text.lower()} {noun}"
    return f"{('One', 'The other', 'The third', 'The fourth')[min(heads[:number].count(phrase.noun), 3)]} {noun}"


def _wears(text: str, part: Phrase, plural: bool) -> str:
    link = " ".join(token.text for token in part.link).strip(" ,").lower()
    words = text[part.start : part.end]
    if link.endswith(("wearing", "wears", "wear", "dressed in")) or (
        part.is_clothes and link in ("in", "with", "and", "")
    ):
        return f"{'wear' if plural else 'wears'} {words}"
    if link.endswith("in") or part.head.tag == "ADJ":
        return f"{'are' if plural else 'is'} in {words}"
    return f"{'have' if plural else 'has'} {words}"


def _list(words: Sequence[str]) -> str:
    return " and ".join(words)


def _without(text: str, start: int, end: int, cuts: list[tuple[int, int]]) -> str:
    """The text without the cuts, spaces and articles mended."""
    pieces: list[str] = []
    past = start
    for first, last in sorted(cuts):
        if first < past:
            past = max(past, last)
            continue
        pieces.append(text[past:first])
        past = last
    pieces.append(text[past:end])
    words = " ".join("".join(pieces).split())
    for wrong, right in ((" ,", ","), (" .", "."), (",,", ",")):
        words = words.replace(wrong, right)
    mended = []
    tokens = words.split(" ")
    for index, word in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if word.lower() in ("a", "an") and following:
            article = "an" if following[:1].lower() in "aeiou" else "a"
            word = article.capitalize() if word[0].isupper() else article
        mended.append(word)
    return " ".join(mended).strip(" ,")
