"""Occlusion: models want to show everything, so a "lollipop in mouth" is shown whole.

Found: a thing whose point is that it is partly or wholly out of sight: hidden, peeking, buried, wrapped, in a mouth or
a closed box. Not found: what merely stands behind something in a landscape, and snow, mist or paint on things. The
cure is to say what is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from triptych.advice.challenges.spot import Spot, same_case, with_article
from triptych.advice.challenges.written import written_words
from triptych.advice.grammar import Parse, Phrase, Sentence
from triptych.advice.grammar.words import PLACES, word_set

HIDING = word_set("hide peek conceal obscure bury submerge peep immerse cloak veil withdraw retract camouflage lurk")
TUCKED = word_set("tuck nestle wrap swaddle bundle enclose encase stow engulf")
COVERING = word_set("cover drape shroud blanket")
COATS = word_set(
    "snow moss ivy mist fog dust paint graffiti frost ice flower flowers flour mud leaf leaves dew rust sauce "
    "chocolate icing vine vines lichen blood sweat clouds cloud haze smoke light shadow shadows sand ash glitter "
    "tattoos tattoo tiles wildflowers blossoms stickers stars glaze sugar honey cheese feathers fur scales grass "
    "books paper paintings"
)
CLOTHS = word_set(
    "sheet blanket cloth tarp tarpaulin veil curtain quilt duvet towel scarf mask lace net hood bandage rug canvas"
)
MOUTHS = word_set("mouth pocket pockets fist cheek cheeks beak jaws pouch envelope teeth jacket sleeve")
CLOSED = word_set(
    "box chest crate drawer envelope bag coffin suitcase jar case trunk safe cupboard closet shell book wardrobe"
)
COVERS = word_set(
    "blanket blankets covers cover bed table sheet sheets heap pile hat hood cloak umbrella leaves duvet quilt rug "
    "coats"
)
SMALL_COVERS = word_set(
    "curtain curtains newspaper book door tree trunk fan mask crates crate boxes box pillar column rock log bush "
    "bushes wall fence ear legs leg menu hands veil blinds glass barrel desk counter sofa couch visor sandbag "
    "sandbags pile"
)
POSES = word_set("crouch stand sit wait watch look kneel lean stay sleep lie rest stare gaze")
AIR = word_set("mist fog haze smoke clouds cloud snow rain darkness light shadow shadows dust night steam")


def occlusion(parse: Parse) -> Iterator[Spot]:
    """Every thing that is to be out of sight."""
    written = written_words(parse)
    for sentence in parse.sentences:
        past = -1
        for position, token in enumerate(sentence.tokens):
            if token.start < past or any(first <= token.start < end for first, end in written):
                continue
            spot = _hidden(parse.text, sentence, position) or _inside(parse.text, sentence, position)
            if spot is not None:
                past = spot.end
                yield spot


def _hidden(text: str, sentence: Sentence, position: int) -> Spot | None:
    """A word of hiding with what hides and what covers it."""
    token = sentence.tokens[position]
    lemma = token.lemma if token.tag in ("VERB", "ADJ") else ""
    hidden = _verb(token.lower, lemma, HIDING)
    tucked = not hidden and _verb(token.lower, lemma, TUCKED)
    covered = not hidden and not tucked and _verb(token.lower, lemma, COVERING)
    cover = sentence.phrase_after(position, within=6)
    if not (hidden or tucked or covered):
        return None
    if token.tag == "ADJ" and sentence.lower(position + 1) in ("gem", "gems", "camera", "agenda", "valley", "beach"):
        return None
    if cover is not None and cover.head.lower in AIR:
        # "by shadow and roots": the roots hide it
        more = sentence.phrase_after(cover.last, within=2)
        joined = more is not None and [each.lower for each in more.link] == ["and"] and more.head.lower not in AIR
        if not joined:
            return None
        return replace(_spot(text, sentence, position, sentence.phrase_before(position), cover), rewrite=None)
    if hidden and token.lower == "hiding" and sentence.lower(position + 1) == "nothing":
        return None
    if tucked and cover is not None and (cover.is_scenery or cover.noun in PLACES or cover.head.lower in PLACES):
        return None  # "a village nestled in the mountains"
    if tucked and (cover is None or not _can_hide(sentence, cover, token.lemma)):
        return None
    if covered:
        if cover is None or cover.head.lower in COATS or cover.noun in COATS or cover.head.tag == "QUOTE":
            return None
        partly = any(word in ("partly", "partially", "half") for word in sentence.words(position - 2, position))
        if not partly and cover.noun not in CLOTHS and cover.head.lower not in CLOTHS:
            return None
    thing = sentence.phrase_before(position) or sentence.phrase_at(position)
    part = (
        cover
        if cover is not None and cover.determiner in ("his", "her", "its", "their") and cover.first == position + 1
        else None
    )
    if part is not None:
        # "hiding her face behind a fan": what is hidden comes first, what hides it after
        thing, cover = part, sentence.phrase_after(part.last, within=3)
    if covered or (hidden and _is_passive(token.lower)):
        # "her face, partly covered by a veil": the nearest phrase is what is out of sight
        thing = sentence.phrase_before(position) or thing
    return _spot(text, sentence, position, thing, cover)


def _verb(word: str, lemma: str, group: frozenset[str]) -> bool:
    """Whether a word is a form of one of the verbs; "half-hidden" and its like are forms of hiding."""
    halved = word in ("half-hidden", "half-buried", "half-submerged", "hidden", "buried") and group is HIDING
    return halved or lemma in group or word.removeprefix("half-").rstrip("ed") in group


def _is_passive(word: str) -> bool:
    return word.endswith(("ed", "en"))


def _can_hide(sentence: Sentence, cover: Phrase, lemma: str) -> bool:
    links = [token.lower for token in cover.link]
    if lemma in ("wrap", "swaddle", "bundle"):
        return ("in" in links and not cover.is_clothes) or cover.noun in (
            "paper",
            "newspaper",
            "bandage",
            "blanket",
            "foil",
        )
    return any(word in ("in", "inside", "behind", "under", "into", "between", "beneath", "within") for word in links)


def _inside(text: str, sentence: Sentence, position: int) -> Spot | None:
    """A place where a thing cannot be seen: in a mouth, inside a closed box, under a blanket, behind a curtain."""
    link = sentence.lower(position)
    phrase = sentence.phrase_after(position, within=1)
    if phrase is None or link not in ("in", "inside", "behind", "under", "beneath", "underneath", "from"):
        return None
    if link == "from":
        return None
    attributes = {token.lower for token in phrase.attributes}
    noun, word = phrase.noun, phrase.head.lower
    thing = sentence.phrase_before(position)
    opened = bool(attributes & {"open", "glass", "transparent", "clear"})
    closed = bool(attributes & {"closed", "sealed", "shut", "locked"})
    if link in ("in", "inside"):
        full = noun in MOUTHS or word in MOUTHS
        boxed = (
            noun in CLOSED
            and not opened
            and (closed or (link == "inside" and noun not in ("book", "shell", "jar", "case")))
        )
        tent = False
    elif link in ("under", "beneath", "underneath"):
        full = (noun in COVERS or word in COVERS) and noun not in ("table", "hat", "umbrella", "tree", "hood", "leaf")
        boxed = False
        tent = full
        full = False
    else:
        posed = thing is not None and (thing.is_animate or thing.is_part)
        before = [token.lemma for token in sentence.tokens[max(position - 3, 0) : position]]
        full = (noun in SMALL_COVERS or word in SMALL_COVERS or closed) and (
            posed or any(each in POSES for each in before)
        )
        boxed = tent = False
    if not (full or boxed or tent):
        return None
    if link == "in" and word in ("pocket", "pockets", "jacket", "sleeve") and thing is None:
        return None
    if (
        link in ("in", "inside")
        and word in ("jacket", "sleeve")
        and (thing is None or thing.is_person or not thing.is_part)
    ):
        return None
    return _spot(text, sentence, position, thing, phrase)


def _spot(text: str, sentence: Sentence, position: int, thing: Phrase | None, cover: Phrase | None) -> Spot:
    """What is hidden, by what, and what of both is seen."""
    token = sentence.tokens[position]
    if thing is not None and thing.head.tag == "ADJ" and thing.index:
        thing = sentence.phrases[thing.index - 1]
    if thing is not None and position - thing.last > 5:
        thing = None
    if cover is not None and cover.start < token.start:
        cover = None
    inner = thing is not None and thing.start > token.start
    start = thing.start if thing is not None and not inner else token.start
    end = token.end if cover is None else _with_of(sentence, cover)
    words = text[start:end]
    rewrite = None
    named = thing is not None and any(each is token for each in thing.tokens)  # "half-submerged statue"
    if thing is not None and cover is not None and thing is not cover and not named:
        rewrite = same_case(("with " if inner else "") + _seen(text, sentence, thing, cover, end), words)
    return Spot(
        start,
        end,
        f"{words!r} asks for something that is partly or wholly out of sight",
        rewrite,
        nouns=tuple(each.noun for each in (thing, cover) if each is not None),
        free=tuple(
            sorted(HIDING | TUCKED | COVERING | word_set("half-hidden half-buried hidden closed buried behind mouth"))
        ),
    )


def _with_of(sentence: Sentence, cover: Phrase) -> int:
    """Where a cover ends: "a pile of crates" is one."""
    more = sentence.phrase_after(cover.last + 1, within=1) if sentence.lower(cover.last + 1) == "of" else None
    return cover.end if more is None else more.end


def _seen(text: str, sentence: Sentence, thing: Phrase, cover: Phrase, end: int) -> str:
    """The same in terms of what is in view."""
    hidden, covering = _definite(text, thing), text[cover.start : end]
    between = sentence.tokens[thing.last + 1 : cover.first]
    verbs = [token for token in between if token.tag == "VERB" and token.lemma not in HIDING | TUCKED | COVERING]
    doing = "".join(f", {token.text}" if token.lower.endswith("ing") else f" as it {token.text}" for token in verbs)
    ways = {token.lower for token in between}
    noun = cover.noun
    if noun in ("mouth", "jaw", "beak", "cheek", "teeth", "tooth"):
        part = "the stick of " if thing.noun in ("lollipop", "popsicle", "candy", "lolly") else "the end of "
        covering = "lips" if noun == "mouth" and not cover.determiner else covering
        bare = thing.tokens[0].tag not in ("DET", "NUM", "PRON") and not thing.plural
        what = text[thing.start : thing.end]
        return f"{covering} closed around {part}{with_article(what) if bare else what}{doing}"
    if ways & {"wrapped", "swaddled", "bundled"}:
        return f"{covering} folded all around the shape of {hidden}{doing}"
    if noun in CLOSED and noun != "shell" and ways & {"in", "inside", "into"}:
        return f"{covering}, shut over {text[thing.start : thing.end]}{doing}"
    if noun in ("pocket", "jacket", "sleeve", "pouch"):
        return f"{covering} reaching over {hidden} up to the wrist{doing}"
    if ways & {"under", "beneath", "underneath", "submerged", "buried", "in", "inside", "half-buried"}:
        return f"{covering} with only a part of {hidden} showing above{doing}"
    return f"{covering} in front, and past the edge of it only a part of {hidden}{doing}"


def _definite(text: str, phrase: Phrase | None) -> str:
    """ "the fan" for "a fan"; other determiners stay."""
    if phrase is None:
        return ""
    words = text[phrase.start : phrase.end]
    first = phrase.tokens[0]
    if first.lower in ("a", "an"):
        return "the" + words[len(first.text) :]
    return words if first.tag in ("DET", "PRON", "NUM", "QUOTE") else f"the {words}"
