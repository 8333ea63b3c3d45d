"""The other rules on readings with known answers."""

from __future__ import annotations

import dataclasses
import math

import pytest

from triptych.core.plan import Box
from triptych.evals.judge import judge
from triptych.evals.judge.beyond import shadow_error
from triptych.evals.judge.facts import arithmetic_mean, geometric_mean
from triptych.evals.judge.portrait import named_error
from triptych.evals.judge.writing import edit_distance, text_score
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows import Prompt, prompts, truth
from triptych.scenes import LEVELS, Group, Relation
from triptych.scenes.draw import Draw
from triptych.scenes.identity import draw_identity

from ..oracle import oracle

FULL = LEVELS["full"]


def square(noun: str, side: float, x: float = 0.0, visible: float = 1.0) -> Detection:
    return Detection(noun, 1.0, (x, 0.1, x + side, 0.1 + side), {}, visible)


def asked(rule: str, *groups: Group, relation: str = "", light: str | None = None) -> Prompt:
    relations = (Relation(0, relation, 1),) if relation else ()
    return Prompt("row", "report", 0, "words", rule, groups, relations, light=light)


@pytest.mark.parametrize(("ratio", "right"), [(1.0, False), (1.5, True), (1.9, True), (2.3, True), (2.6, False)])
def test_scale_is_the_ratio_of_areas(ratio: float, right: bool) -> None:
    """Two circles, 16-18 against 8-10 32nds: areas between 2.56 and 5.06 to 1, with 20 % either way 2.05 to 6.08."""
    reading = Reading((square("circle", 0.2 * ratio), square("ring", 0.2, 0.6)))
    prompt = asked("scale", Group("circle", size="large"), Group("ring", size="small"))
    assert judge(prompt, reading).correct == right
    assert judge(prompt, reading).atoms["ratio"] == pytest.approx(ratio**2)
    backwards = asked("scale", Group("ring", size="small"), Group("circle", size="large"))
    assert judge(backwards, reading).correct == right


@pytest.mark.parametrize(
    ("front", "back", "x", "right"),
    [
        (1.0, 0.6, 0.2, True),
        (1.0, 0.6, 0.5, False),  # the boxes do not touch
        (1.0, 0.96, 0.2, False),
        (1.0, 0.29, 0.2, False),
        (0.4, 0.6, 0.2, False),  # the wrong one is in front
    ],
)
def test_occlusion_wants_a_part_hidden_and_the_order(front: float, back: float, x: float, right: bool) -> None:
    reading = Reading((square("fox", 0.3, 0.0, front), square("car", 0.3, x, back)))
    assert judge(asked("occlusion", Group("fox"), Group("car"), relation="in front of"), reading).correct == right
    assert judge(asked("occlusion", Group("car"), Group("fox"), relation="behind"), reading).correct == right


@pytest.mark.parametrize(
    ("shadow", "light", "degrees"),
    [
        ((0.62, 0.30), "left", 0.0),
        ((-0.62, 0.30), "right", 0.0),
        ((0.0, -0.5), "behind", 0.0),
        ((0.1, 0.1), "above", 45.0),
        ((0.0, -1.0), "above", 180.0),
        ((-1.0, -0.0001), "right", 180 - math.degrees(math.atan2(0.30, -0.62)) + 0.0057),
    ],
)
def test_the_angle_of_a_shadow(shadow: tuple[float, float], light: str, degrees: float) -> None:
    thing = dataclasses.replace(square("fox", 0.3), shadow=shadow)
    assert shadow_error(shadow, light) == pytest.approx(degrees, abs=1e-3)
    verdict = judge(asked("shadow", Group("fox"), light=light), Reading((thing,)))
    assert verdict.correct == (degrees < 20)


def test_a_thing_without_a_shadow_is_wrong() -> None:
    verdict = judge(asked("shadow", Group("fox"), light="left"), Reading((square("fox", 0.3),)))
    assert not verdict.correct
    assert verdict.reason == "a fox has no shadow"


def test_soft_tifa_means() -> None:
    assert arithmetic_mean([1.0, 0.5, 0.0]) == 0.5
    assert geometric_mean([0.25, 1.0]) == pytest.approx(0.5)
    assert geometric_mean([0.0, 1.0]) == pytest.approx(1e-6)


def test_every_fact_of_a_caption_is_an_atom_and_falls_alone() -> None:
    prompt = next(
        each for each in prompts("complex", FULL) if each.light and any(group.colour for group in each.groups)
    )
    scene = truth(prompt, FULL)
    right = judge(prompt, oracle(scene))
    assert right.correct
    assert set(right.atoms.values()) == {1.0}
    dark = dataclasses.replace(oracle(scene), backgrounds={"nowhere": 1.0})
    fallen = [name for name, atom in judge(prompt, dark).atoms.items() if atom == 0]
    assert fallen == [f"scene background {scene.background}"]
    things = tuple(dataclasses.replace(thing, colours={}) for thing in oracle(scene).things)
    fallen = [name for name, atom in judge(prompt, Reading(things, {scene.background: 1.0})).atoms.items() if atom == 0]
    assert fallen
    assert all(" colour " in name for name in fallen)
    assert judge(prompt, Reading()).atoms.values() != {1.0}
    assert sum(judge(prompt, Reading()).atoms.values()) == 0


def test_the_light_of_a_scene_is_that_of_all_its_shadows_together() -> None:
    lit = [(each, oracle(truth(each, FULL))) for each in prompts("complex", FULL) if each.light == "left"]
    prompt, reading = next(one for one in lit if sum(thing.shadow is not None for thing in one[1].things) > 1)
    cast = [thing for thing in reading.things if thing.shadow]
    for wrong, holds in ((0.1, 1.0), (-5.0, 0.0)):
        last = dataclasses.replace(cast[-1], shadow=(wrong, 0.3))
        things = (*(thing for thing in reading.things if thing is not cast[-1]), last)
        atoms = judge(prompt, dataclasses.replace(reading, things=things)).atoms
        assert atoms["scene light left"] == holds
    dark = tuple(dataclasses.replace(thing, shadow=None) for thing in reading.things)
    assert judge(prompt, dataclasses.replace(reading, things=dark)).atoms["scene light left"] == 0


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("", "OPEN", 4), ("OPEN", "OPEN", 0), ("OPN", "OPEN", 1), ("AB", "BA", 2)]
)
def test_edit_distance(a: str, b: str, distance: int) -> None:
    assert edit_distance(a, b) == edit_distance(b, a) == distance


def test_the_text_score_is_that_of_the_published_formula() -> None:
    assert text_score(0, 1, 1) == 1
    assert text_score(100, 0, 0) == text_score(500, 0, 0) == 0
    assert text_score(20, 0.5, 0.5) == pytest.approx(1 - 20 * 0.5 * 0.5 / 100)


def test_a_sign_is_right_only_letter_by_letter() -> None:
    prompt = asked("text", Group("sign", kind="sign", text="OPEN"))
    box: Box = (0.2, 0.2, 0.8, 0.8)
    assert judge(prompt, Reading((Detection("sign", 1.0, box, {}, text="OPEN"),))).correct
    near = judge(prompt, Reading((Detection("sign", 1.0, box, {}, text="OPEM"),)))
    assert not near.correct
    assert near.atoms == {"distance": 1, "similarity": 0.75, "matched": 0, "words": 1}
    assert judge(prompt, Reading()).atoms["distance"] == 4


def test_a_face_is_judged_by_what_words_can_tell() -> None:
    face = draw_identity(Draw(3, 1))
    prompt = asked("face", Group("face", kind="face", face=face))
    same_words = dataclasses.replace(face, width=1 - face.width, jaw=1 - face.jaw)
    assert judge(prompt, Reading((Detection("face", 1.0, (0, 0, 1, 1), {}, face=same_words.vector()),))).correct
    other = dataclasses.replace(face, skin=(face.skin + 0.5) % 1)
    verdict = judge(prompt, Reading((Detection("face", 1.0, (0, 0, 1, 1), {}, face=other.vector()),)))
    assert not verdict.correct
    assert "skin" in verdict.reason
    assert 0 < named_error(other, face) <= 0.5 / math.sqrt(8) + 0.01
    assert named_error(same_words, face) == 0
    assert judge(prompt, Reading()).reason == "no face"
