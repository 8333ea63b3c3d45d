"""Edit or regenerate: a pixel lock pastes onto a frozen picture; form, folds and light of what is new will not fit.

Found: an instruction for what a lock does badly: clothes, poses, viewpoints, new scenes, light and season, styles,
bodies that touch. Not found: colours, removals, small things, words on signs, one whole thing for another. The cure is
a fresh picture with this one as a reference.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from triptych.advice.challenges.keeping import Clause, clauses
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse, Phrase
from triptych.advice.grammar.words import COLOURS, PLACES, word_set

POSES = word_set(
    "sit stand kneel run walk jump dance lean lie hug kiss ride wave look face raise stretch hold bend crouch climb "
    "fly swim sleep squat cross turn lift embrace carry salute point"
)
NO_POSES = word_set("smile appear seem be become have match wear remain should is are frown")
CAUSING = word_set("make have let get should")
ACCESSORIES = word_set(
    "hat cap glasses sunglasses collar tie earring earrings necklace ring crown beanie monocle eyepatch badge bandana "
    "moustache beard bracelet belt"
)
DRESSING = word_set("change swap replace put dress wear give switch turn make wears wearing trade")
VIEWS = (
    ("from", "behind"), ("from", "above"), ("from", "below"), ("from", "the", "side"), ("from", "the", "front"),
    ("from", "the", "back"), ("from", "the", "opposite"), ("from", "another"), ("from", "a", "different"),
    ("low", "angle"), ("high", "angle"), ("bird's-eye",), ("birds-eye",), ("other", "side"),
    ("different", "angle"), ("new", "angle"), ("from", "overhead"), ("zoom", "out"), ("in", "profile"),
    ("from", "inside"), ("bird", "'s"),
)  # fmt: skip
MOVING = word_set("place put move transport drop set relocate bring")
SETTINGS = word_set("background backdrop setting surroundings scene location environment scenery")
HOURS = word_set(
    "night day daytime dusk dawn sunset sunrise winter summer autumn noon midnight nighttime evening season snow rain "
    "rainy snowy snowing raining fog foggy twilight relight christmas thunderstorm blizzard"
)
WHOLE_PICTURE = word_set("it this scene picture image photo season day night lighting light daytime time weather")
TURNING = word_set("make turn change relight let set convert transform should is switch")
STYLES = word_set(
    "watercolor watercolour painting sketch cartoon anime drawing comic gouache engraving woodcut mosaic claymation "
    "pixel-art impressionist cubist"
)
STYLING = (("as", "a"), ("as", "an"), ("like", "a"), ("like", "an"), ("into", "a"), ("into", "an"), ("style", "of"))
BUILDINGS = word_set(
    "house castle church cathedral palace temple museum hotel shop store tower cabin warehouse ship spaceship school "
    "hospital station apartment restaurant cafe barn"
)
FRESH = "Paint a fresh picture with this one as the reference for who and what is in it"


def regenerate(parse: Parse) -> Iterator[Spot]:
    """The clauses of an instruction that ask for more than a lock can give."""
    if FRESH in parse.text:
        return
    found = clauses(parse)
    locked = any(clause.keeps and clause.excepts for clause in found)
    for clause in found:
        if not clause.changes:
            continue
        why = _why(clause)
        if why is None:
            continue
        words = parse.text[clause.start : clause.end]
        alone = len([each for each in found if each.changes or each.keeps]) == 1
        fresh = f"{FRESH}: {words[:1].lower()}{words[1:]}" if alone and not locked else None
        yield Spot(
            clause.start, clause.end, f"{words!r} {why}", fresh, nouns=tuple(phrase.noun for phrase in clause.phrases)
        )


def _why(clause: Clause) -> str | None:
    words = clause.words()
    if _clothes(clause, words):
        return "changes clothes, which have to follow a body"
    if _pose(clause, words):
        return "changes how a body stands or what it touches"
    if any(tuple(words[index : index + len(view)]) == view for index in range(len(words)) for view in VIEWS) or (
        clause.tokens[0].lower in ("rotate", "view") and ("camera" in words or clause.tokens[0].lower == "view")
    ):
        return "changes the viewpoint, and with it every pixel"
    if _scene(clause, words):
        return "puts what is there into another scene, whose light it would not have"
    if _hour(clause, words):
        return "changes the light of the whole picture"
    if _style(words):
        return "changes the style of the whole picture"
    return None


def _clothes(clause: Clause, words: list[str]) -> bool:
    worn = [phrase for phrase in clause.phrases if phrase.is_clothes and phrase.head.lower not in ACCESSORIES]
    if not worn or not clause.has(DRESSING) or words[0] in ("remove", "recolor", "recolour", "add", "paint"):
        return False
    if any(word in ("color", "colour") for word in words):
        return False
    last = clause.phrases[-1]
    recoloured = last.head.tag == "ADJ" and last.head.lower in COLOURS
    fused = len(worn) == 1 and worn[0].tokens[-1].lower in COLOURS
    return not (recoloured or fused)


def _pose(clause: Clause, words: list[str]) -> bool:
    if "pose" in words or "posture" in words:
        return True
    body = clause.tokens[0].lower in ("turn", "tilt", "raise", "lower", "bend", "cross") and any(
        word in ("head", "face", "arm", "arms", "leg", "legs", "body", "shoulders") for word in words
    )
    if body:
        return True
    caused = clause.tokens[0].lower in CAUSING or "should" in words
    if not caused:
        return False
    alive = bool(clause.phrases) and clause.phrases[0].is_animate
    for index, token in enumerate(clause.tokens[1:], 1):
        seeming = token.lemma == "look" and words[index + 1 : index + 2] in (["like"], ["as"])
        if seeming or token.lemma in NO_POSES:
            continue
        if (token.lemma in POSES and token.tag in ("VERB", "NOUN")) or (alive and token.tag == "VERB"):
            return True
    return False


def _scene(clause: Clause, words: list[str]) -> bool:
    phrases = clause.phrases
    first = clause.tokens[0]
    if first.lemma in MOVING and len(phrases) > 1:
        moved, to = phrases[0], phrases[1:]
        whole = moved.is_animate or moved.head.tag == "PRON" or moved.determiner in ("this", "my", "these", "the")
        far = any(_is_place(phrase) for phrase in to)
        return whole and far and not any(phrase.is_clothes for phrase in to)
    target = phrases[0] if phrases else None
    if target is None or first.lemma not in (
        "replace",
        "change",
        "swap",
        "switch",
        "turn",
        "make",
        "set",
        "transform",
        "convert",
    ):
        return False
    new = _new(clause)
    if target.noun in SETTINGS:
        return bool(new) and not any(_is_colour(phrase) for phrase in new)
    return any(_is_place(phrase) and phrase.noun not in BUILDINGS for phrase in new)


def _new(clause: Clause) -> tuple[Phrase, ...]:
    """What something is changed to: the first phrase after "to", "into" or "with"; the last one where there is none."""
    links = ("with", "by", "for") if clause.tokens[0].lemma in ("replace", "swap") else ("to", "into")
    found = tuple(phrase for phrase in clause.phrases[1:] if any(token.lower in links for token in phrase.link))
    return found or clause.phrases[-1:] if len(clause.phrases) > 1 else ()


def _is_colour(phrase: Phrase) -> bool:
    return (phrase.head.tag == "ADJ" and phrase.head.lower in COLOURS) or phrase.noun in (
        "colour",
        "color",
        "shade",
        "hue",
    )


def _is_place(phrase: Phrase) -> bool:
    if phrase.noun in SETTINGS or phrase.noun.endswith(("forest", "field", "scape", "side", "yard")):
        return True
    return phrase.noun in PLACES or phrase.head.lower in PLACES


def _hour(clause: Clause, words: list[str]) -> bool:
    named = any(word in HOURS for word in words)
    if not named or clause.tokens[0].lower in ("add", "remove", "erase", "put"):
        return False
    if clause.tokens[0].lower in ("relight", "let"):
        return True
    whole = any(word in WHOLE_PICTURE for word in words)
    return whole and clause.has(TURNING)


def _style(words: list[str]) -> bool:
    """ "into a watercolor", "in the style of", "transfer the image into a low-poly style"."""
    kinds = [word for word in words if word in STYLES or any(part in STYLES for part in word.split("-"))]
    for index, pair in enumerate(itertools.pairwise(words)):
        if pair == ("style", "of") or (pair in STYLING and any(kind in words[index + 1 : index + 6] for kind in kinds)):
            return True
    return words[-1:] == ["style"] and any(word in ("into", "in", "to", "as") for word in words)
