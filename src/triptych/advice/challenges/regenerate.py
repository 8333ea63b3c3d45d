"""Edit or regenerate: a pixel lock pastes onto a frozen picture; form, folds and light of what is new will not fit.

Found: an instruction for what a lock does badly: clothes, poses, viewpoints, new scenes, light and season, styles, bodies that
touch. Not found: colours, removals, small things, words on signs, one whole thing for another. The cure is a fresh picture
with this one as a reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from triptych.advice.challenges.keeping import Clause, clauses
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse, Phrase
from triptych.advice.grammar.words import COLOURS, PLACES, word_set

POSES = word_set(
    "sit stand kneel run walk jump dance lean lie hug kiss ride wave look face raise stretch hold bend crouch climb fly swim "
    "sleep squat cross turn lift embrace carry salute point"
)
CAUSING = word_set("make have let get should")
ACCESSORIES = word_set("hat cap glasses sunglasses collar tie earring earrings necklace ring crown beanie monocle eyepatch badge bandana "
                       "moustache beard bracelet belt")  # fmt: skip
DRESSING = word_set("change swap replace put dress wear give switch turn make wears wearing trade")
VIEWS = (
    ("from", "behind"), ("from", "above"), ("from", "below"), ("from", "the", "side"), ("from", "the", "front"),
    ("from", "the", "back"), ("from", "the", "opposite"), ("from", "another"), ("from", "a", "different"), ("low", "angle"),
    ("high", "angle"), ("bird's-eye",), ("birds-eye",), ("other", "side"), ("different", "angle"), ("new", "angle"),
    ("from", "overhead"), ("zoom", "out"), ("in", "profile"), ("from", "inside"), ("bird", "'s"),
)  # fmt: skip
MOVING = word_set("place put move transport drop set relocate bring")
SETTINGS = word_set("background backdrop setting surroundings scene location environment scenery")
HOURS = word_set("night day daytime dusk dawn sunset sunrise winter summer autumn noon midnight nighttime evening season snow rain "
                 "rainy snowy snowing raining fog foggy twilight relight christmas thunderstorm blizzard")  # fmt: skip
TURNING = word_set("make turn change relight let set convert transform should is switch")
STYLES = word_set("watercolor watercolour painting sketch cartoon anime drawing comic gouache engraving woodcut mosaic claymation "
                  "pixel-art impressionist cubist")  # fmt: skip
STYLING = (("as", "a"), ("as", "an"), ("like", "a"), ("like", "an"), ("into", "a"), ("into", "an"), ("style", "of"))
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
    verbs = [token for token in clause.tokens[1:] if token.lemma in POSES and token.tag in ("VERB", "NOUN")]
    verbs = [
        token
        for token in verbs
        if not (token.lemma == "look" and words[words.index(token.lower) + 1 :][:1] in (["like"], ["as"]))
    ]
    return caused and bool(verbs)


def _scene(clause: Clause, words: list[str]) -> bool:
    phrases = clause.phrases
    first = clause.tokens[0]
    if first.lemma in MOVING and len(phrases) > 1:
        moved, to = phrases[0], phrases[1:]
        whole = moved.is_animate or moved.head.tag == "PRON" or moved.determiner in ("this", "my", "these", "the")
        far = any(_is_place(phrase) for phrase in to)
        return whole and far and not any(phrase.is_clothes for phrase in to)
    target = phrases[0] if phrases else None
    if target is None or first.lemma not in ("replace", "change", "swap", "switch", "turn", "make", "set"):
        return False
    if target.noun in SETTINGS or target.head.lower in PLACES:
        new = phrases[-1] if len(phrases) > 1 else None
        return (
            new is not None
            and not (new.head.tag == "ADJ" and new.head.lower in COLOURS)
            and new.noun not in ("colour", "color")
        )
    return False


def _is_place(phrase: Phrase) -> bool:
    return phrase.noun in PLACES or phrase.head.lower in PLACES or any(token.lower in PLACES for token in phrase.tokens)


def _hour(clause: Clause, words: list[str]) -> bool:
    named = any(word in HOURS for word in words)
    if not named or clause.tokens[0].lower in ("add", "remove", "erase", "put"):
        return False
    if clause.tokens[0].lower in ("relight", "let"):
        return True
    whole = any(word in ("it", "this", "scene", "picture", "image", "photo", "season", "day", "night", "lighting", "light", "daytime",
                         "time", "weather") for word in words)  # fmt: skip
    return whole and clause.has(TURNING)


def _style(words: list[str]) -> bool:
    for index, pair in enumerate(zip(words, words[1:], strict=False)):
        if pair in STYLING and (
            pair == ("style", "of") or any(word in STYLES for word in words[index + 1 : index + 5])
        ):
            return True
    return False
