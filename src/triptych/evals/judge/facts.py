"""Soft-TIFA (Kamath et al. 2025, "GenEval 2", arXiv 2512.16853) with a reader in place of a question answerer.

A prompt is a set of facts; each gets the reader's own probability that it holds. The arithmetic mean over a prompt's
facts tells how much of it is right, the geometric one how likely all of it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from triptych.evals.judge.beyond import SHADOW_DEGREES, shadow_error
from triptych.evals.judge.geneval import relative_position
from triptych.evals.judge.verdict import THRESHOLD, Verdict, centre, found, overlap
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows.captions import facts_of
from triptych.evals.rows.prompt import Prompt
from triptych.scenes import Fact, Scene
from triptych.scenes.layout import GRID, sides_of

CLIP = 1e-12
HOLDS = 0.5
_CENTRE = 0.2  # how far from the middle a thing "in the centre" may be
_SIDE_TOLERANCE = math.sqrt(1.2)  # of a side: 20 % of the area


def arithmetic_mean(atoms: Sequence[float]) -> float:
    return sum(atoms) / len(atoms)


def geometric_mean(atoms: Sequence[float]) -> float:
    """With each atom at least 1e-12, as published: one impossible fact costs a prompt everything but not infinity."""
    return math.exp(sum(math.log(max(atom, CLIP)) for atom in atoms) / len(atoms))


def facts(prompt: Prompt, reading: Reading) -> Verdict:
    """Every fact of the prompt's scene, as an atom; correct if each is likelier than not."""
    scene = prompt.scene
    if scene is None:
        raise ValueError(f"the prompt {prompt.text!r} is not of a scene")
    atoms = {_name(fact): probability(fact, scene, reading) for fact in facts_of(scene)}
    wrong = [name for name, atom in atoms.items() if atom <= HOLDS]
    return Verdict(not wrong, f"not so: {', '.join(wrong)}" if wrong else "", atoms)


def probability(fact: Fact, scene: Scene, reading: Reading) -> float:
    """How likely the fact holds: the reader's score or share where it has one, else 1 or 0.

    presence: the best score of the noun. colour: mean share of the colour over as many things as asked. count: exactly
    so many detections. size: the mean longest side is one that the word means, give or take 20 % of the area, or what
    the crowded layout left of it. place: the centre lies on that side, or near the middle. relation: GenEval's position
    rule between the groups' likeliest things; in front and behind need boxes that overlap, and the order. light: the
    sum of all shadows that are read falls within 20 degrees of where it should: a scene has one light.
    """
    things = found(reading, fact.about)
    group = next((each for each in scene.groups if each.noun == fact.about), None)
    match fact.kind:
        case "background":
            return (reading.backgrounds or {}).get(str(fact.value), 0.0)
        case "presence":
            return max((thing.score for thing in reading.things if thing.noun == fact.about), default=0.0)
        case "count":
            return float(len(things) == fact.value)
        case "colour" if group is not None:
            shares = [thing.colours.get(str(fact.value), 0.0) for thing in things[: group.count]]
            return sum(shares) / group.count
        case "size":
            return float(_has_size(things, str(fact.value), scene, fact.about))
        case "place":
            return float(bool(things) and all(_is_at(thing, str(fact.value)) for thing in things))
        case "relation":
            return float(_related(things[:1], str(fact.value), found(reading, fact.other or "")[:1]))
        case "light":
            return float(_has_light(reading, str(fact.value), scene))
    return 0.0


def _name(fact: Fact) -> str:
    return " ".join(str(part) for part in (fact.about, fact.kind, fact.value, fact.other) if part is not None)


def _has_size(things: Sequence[Detection], size: str, scene: Scene, noun: str) -> bool:
    if not things:
        return False
    low, high = (side / GRID for side in sides_of(size, len(scene.objects)))
    drawn = [_longest(thing.box) for thing in scene.objects if thing.noun == noun]
    low = min(low, *drawn, *drawn)
    mean = sum(_longest(thing.box) for thing in things) / len(things)
    return low / _SIDE_TOLERANCE <= mean <= high * _SIDE_TOLERANCE


def _has_light(reading: Reading, light: str, scene: Scene) -> bool:
    nouns = {group.noun for group in scene.groups}
    tips = [
        (right * height, up * height)
        for thing in reading.things
        if thing.noun in nouns and thing.score > THRESHOLD and thing.shadow is not None
        for (right, up), height in ((thing.shadow, thing.box[3] - thing.box[1]),)
    ]
    error = shadow_error((sum(x for x, _ in tips), sum(y for _, y in tips)), light) if tips else None
    return error is not None and error < SHADOW_DEGREES


def _longest(box: tuple[float, float, float, float]) -> float:
    return max(box[2] - box[0], box[3] - box[1])


def _is_at(thing: Detection, place: str) -> bool:
    x, y = centre(thing.box)
    if place == "centre":
        return max(abs(x - 0.5), abs(y - 0.5)) <= _CENTRE
    sides = {"left": x < 0.5, "right": x > 0.5, "top": y < 0.5, "bottom": y > 0.5}
    return all(sides[word] for word in place.split())


def _related(subject: Sequence[Detection], kind: str, other: Sequence[Detection]) -> bool:
    if not subject or not other:
        return False
    a, b = subject[0], other[0]
    if kind in ("in front of", "behind"):
        front, back = (a, b) if kind == "in front of" else (b, a)
        return overlap(a.box, b.box) > 0 and front.visible >= back.visible
    return kind in relative_position(a.box, b.box)
