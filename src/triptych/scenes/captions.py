"""From a scene to words: dense captions that state every fact, and short ones that leave some out.

It knows nothing of pixels. A caption depends on the scene and a seed; other seeds word the same facts otherwise.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, Literal

from triptych.core.errors import one_of
from triptych.scenes import wording
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.colours import COLOUR_SYNONYMS, COLOURS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import INVERSE, Group, Relation, Scene
from triptych.scenes.identity import EYE_COLOURS, GLASSES, HAIR_COLOURS, SKINS, Face
from triptych.scenes.levels import level_of
from triptych.scenes.nouns import NOUNS

Style = Literal["dense", "short"]

_STREAM = 0xCA97
_SHORT_SHARE = 0.2
_SYNONYM_SHARE = 0.12
_COLOUR_SYNONYM_SHARE = 0.06
_ABSENCE_SHARE = 0.08
_DETAIL_SHARE = 0.3


def caption(scene: Scene, seed: int = 0, style: Style | None = None) -> str:
    """One caption of the scene. `style` None draws a short one in a fifth of the cases.

    Dense captions state every fact of `scene.facts()` but the background's detail, which levels with `details` state
    now and then. Short ones keep nouns, colours and counts and may leave out the rest, but never say what is not so.
    Raises `InvalidRequest` for an unknown style.
    """
    draw = Draw(scene.seed, scene.index, _STREAM + seed)
    if style is None:
        style = "short" if draw.chance(_SHORT_SHARE) else "dense"
    one_of("style", style, ("dense", "short"))
    words = _short(scene, draw) if style == "short" else _dense(scene, draw)
    return _finish(words, draw)


def named_order(scene: Scene, text: str) -> tuple[int, ...]:
    """The scene's groups in the order in which its caption `text` first names them."""
    words = re.findall(r"[a-z]+", re.sub(r'"[^"]*"', " ", text.lower()))  # what signs say names nothing

    def first(group: int) -> int:
        names = _names(scene.groups[group].noun)
        return next((place for place, word in enumerate(words) if word in names), len(words))

    return tuple(sorted(range(len(scene.groups)), key=first))


@functools.cache
def _names(noun: str) -> frozenset[str]:
    """Every word that a caption may use for a noun."""
    known = NOUNS[noun]
    return frozenset({known.name, known.plural, *known.synonyms, *map(_plural, known.synonyms)})


def _dense(scene: Scene, draw: Draw) -> str:
    place = draw.pick(wording.BACKGROUND_PHRASES[scene.background])
    light = draw.pick(wording.LIGHT_PHRASES[scene.light]) if scene.light else ""
    absent = _detail(scene, draw) or (_absence(scene, draw) if draw.chance(_ABSENCE_SHARE) else "")
    if not scene.groups:
        return _join(f"an empty scene {place}", light, absent)
    things = _related(scene, draw) if scene.relations else _placed(scene.groups[0], draw)
    form = draw.integer(0, 5)
    if form == 0:
        return _join(f"{place}", things, light, absent)
    if form == 1:
        verb = "is" if things.startswith(("a ", "an ")) and not things.startswith("a pair") else "are"
        return _join(f"there {verb} {things} {place}", light, absent)
    if form == 2 and light:
        return _join(light, f"{things} {place}", absent)
    if form == 3:
        return _join(things, place, light, absent)
    return _join(f"{draw.pick(wording.OPENINGS)}{things} {place}", light, absent)


def _short(scene: Scene, draw: Draw) -> str:
    if not scene.groups:
        return draw.pick(wording.BACKGROUND_PHRASES[scene.background])
    if scene.relations and draw.chance(0.5):
        things = _related(scene, draw)
    else:
        things = _listed([_phrase(group, draw) for group in scene.groups])
    if draw.chance(0.5):
        things += " " + draw.pick(wording.BACKGROUND_PHRASES[scene.background])
    return things


def _placed(group: Group, draw: Draw) -> str:
    phrase = _phrase(group, draw)
    return f"{phrase} {draw.pick(wording.PLACE_PHRASES[group.place])}" if group.place else phrase


def _related(scene: Scene, draw: Draw) -> str:
    """The groups with their relations: "a fox to the left of two cats, and a bird above the fox"."""
    first, *more = scene.relations
    if draw.chance(0.3):
        first = Relation(first.object, INVERSE[first.kind], first.subject)
    subject, other = scene.groups[first.subject], scene.groups[first.object]
    text = f"{_phrase(subject, draw)} {_relation(first, draw)} {_phrase(other, draw)}"
    named = {first.subject, first.object}
    for relation in more:
        if relation.subject in named:  # let the sentence begin with what is new
            relation = Relation(relation.object, INVERSE[relation.kind], relation.subject)
        new, old = scene.groups[relation.subject], scene.groups[relation.object]
        text += f", and {_phrase(new, draw)} {_relation(relation, draw)} the {_name(old, draw, plain=True)}"
        named.add(relation.subject)
    return text


def _relation(relation: Relation, draw: Draw) -> str:
    return draw.pick(wording.RELATION_PHRASES[relation.kind])


def _phrase(group: Group, draw: Draw) -> str:
    """A group with its count, size and colour: "three small red foxes"."""
    words: list[str] = []
    if group.size in wording.SIZE_WORDS:
        words.append(draw.pick(wording.SIZE_WORDS[group.size]))
    if group.colour is not None:
        words.append(_colour(group.colour, draw))
    words.append(_name(group, draw))
    text = " ".join(words)
    if group.text is not None:
        text += f' {draw.pick(wording.SAYING)} "{group.text}"'
    if group.face is not None:
        text = _portrait(text, group.face, draw)
    if group.count == 1:
        return f"{_article(text)} {text}"
    return f"{draw.pick(wording.NUMBERS[group.count])} {text}"


def _portrait(noun: str, face: Face, draw: Draw) -> str:
    """A face with all its traits: "smiling face with pale skin, curly red hair, green eyes and freckles"."""
    traits = face.traits()
    hair = draw.pick(wording.HAIR_PHRASES[traits["hair"]]).format(colour=traits.get("hair colour", ""))
    parts = [hair]
    for trait, phrases in wording.FACE_PHRASES.items():
        if trait in traits:
            parts.append(draw.pick(phrases).format(value=traits[trait]))
    mood = draw.pick(wording.MOOD_PHRASES[traits["mood"]])
    return f"{mood} {noun} with {_listed(draw.sample(parts, len(parts)))}"


def _detail(scene: Scene, draw: Draw) -> str:
    """Whether the background has its clouds or trees, for levels that speak of it."""
    if scene.detail is None or not level_of(scene.level).details or not draw.chance(_DETAIL_SHARE):
        return ""
    return draw.pick(wording.DETAIL_PHRASES[scene.detail])


def _colour(colour: str, draw: Draw) -> str:
    others = COLOUR_SYNONYMS.get(colour)
    return draw.pick(others) if others and draw.chance(_COLOUR_SYNONYM_SHARE) else colour


def _name(group: Group, draw: Draw, *, plain: bool = False) -> str:
    noun = NOUNS[group.noun]
    if noun.synonyms and not plain and draw.chance(_SYNONYM_SHARE):
        other = draw.pick(noun.synonyms)
        return other if group.count == 1 else _plural(other)
    return noun.name if group.count == 1 else noun.plural


def _plural(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith("calf"):
        return word[:-1] + "ves"
    return word + "s"


def _article(text: str) -> str:
    return "an" if text[0] in "aeio" or text.startswith(("umb", "upp")) else "a"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _absence(scene: Scene, draw: Draw) -> str:
    """Name something that is not there."""
    there = {group.noun for group in scene.groups} | set(BACKGROUNDS[scene.background].shows)
    noun = NOUNS[draw.pick([name for name in level_of(scene.level).nouns if name not in there])]
    form = draw.pick(wording.ABSENCE_PHRASES)
    return form.format(a=f"{_article(noun.name)} {noun.name}", one=noun.name, many=noun.plural)


def _join(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _finish(text: str, draw: Draw) -> str:
    """Some captions begin with a capital, some end with a full stop: neither means anything."""
    if draw.chance(0.3):
        text = text[0].upper() + text[1:]
        if draw.chance(0.6):
            text += "."
    return text


@functools.cache
def world_words(level: str = "full") -> tuple[str, ...]:
    """Every word and number that captions of a level can hold, in lower case, sorted; not what signs say."""
    world = level_of(level)
    phrases: list[str] = [*wording.FRAME_WORDS, *wording.OPENINGS, *wording.ABSENCE_PHRASES, *world.colours]
    for table in (wording.SIZE_WORDS, wording.LIGHT_PHRASES, wording.PLACE_PHRASES, wording.RELATION_PHRASES):
        phrases += _options(table)
    phrases += _options({count: wording.NUMBERS[count] for count in range(2, world.max_things + 1)})
    phrases += _options({name: wording.BACKGROUND_PHRASES[name] for name in world.backgrounds})
    phrases += _options({name: COLOUR_SYNONYMS.get(name, ()) for name in world.colours})
    if world.details:
        phrases += _options(wording.DETAIL_PHRASES)
    if world.sign_share:
        phrases += wording.SAYING
    if world.face_share:
        for table in (wording.MOOD_PHRASES, wording.HAIR_PHRASES, wording.FACE_PHRASES):
            phrases += _options(table)
        phrases += [*HAIR_COLOURS, *EYE_COLOURS, *SKINS, *(kind for kind in GLASSES if kind != "none")]
    for noun in (NOUNS[name] for name in world.nouns):
        phrases += [noun.name, noun.plural, *noun.synonyms, *(_plural(word) for word in noun.synonyms)]
    text = re.sub(r"\{\w+\}", " ", " ".join(phrases)).lower()
    return tuple(sorted(set(re.findall(r"[a-z]+|\d+", text))))


def _options(table: Mapping[Any, tuple[str, ...]]) -> list[str]:
    return [option for options in table.values() for option in options]


@functools.cache
def synonyms() -> dict[str, str]:
    """Other words of the captions -> the noun, colour or background that they mean; plurals of nouns too."""
    found = dict(wording.BACKGROUND_SYNONYMS)
    for colour, others in COLOUR_SYNONYMS.items():
        found.update(dict.fromkeys(others, colour))
    for noun in NOUNS.values():
        if noun.plural != noun.name:
            found[noun.plural] = noun.name
        for word in noun.synonyms:
            found[word] = noun.name
            found[_plural(word)] = noun.name
    return {word: meaning for word, meaning in found.items() if word not in NOUNS and word not in COLOURS}
