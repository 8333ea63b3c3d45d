"""Severity: from the measured score of the card where the prompt is in its world, else from the family's habits."""

from __future__ import annotations

import pytest

from triptych.advice import advise
from triptych.advice.challenges.spot import Spot
from triptych.advice.finding import CHALLENGES
from triptych.advice.target import FAMILIES, HABITS, Target
from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.registry import Card


def target(score: float, *, most: int | None = 4) -> Target:
    takes = Capabilities(family="flow", native_size=(64, 64), nouns=("cat", "car"), max_objects=most)
    return Target.of(Card(name="small", capabilities=takes, scores={"counting": score}))


@pytest.mark.parametrize(("score", "severity"), [(0.99, "low"), (0.93, "medium"), (0.5, "high")])
def test_a_measured_score_decides_within_the_models_world(score: float, severity: str) -> None:
    (finding,) = advise("three cats", target(score)).findings
    assert finding.severity == severity
    assert f"{100 * score:.1f} %" in finding.reason


def test_beyond_its_world_a_score_says_nothing() -> None:
    for prompt in ("three walruses", "five cats"):
        (finding,) = advise(prompt, target(0.99)).findings
        assert "99.0" not in finding.reason
        assert "2 nouns" in finding.reason


def test_every_family_has_a_habit_for_every_challenge() -> None:
    assert set(HABITS) == set(CHALLENGES)
    assert all(set(habits) == set(FAMILIES) for habits in HABITS.values())


def test_families_differ_where_the_texts_say_so() -> None:
    severities = {family: advise("five owls on a wall", Target(family)).findings[0].severity for family in FAMILIES}
    assert severities == {"diffusion": "high", "flow": "medium", "autoregressive": "low", "hybrid": "low"}


def test_more_things_are_harder_and_few_are_easier() -> None:
    few, many = Spot(0, 1, "", None, weight=-1), Spot(0, 1, "", None, weight=1)
    assert Target("flow").judge("counting", few)[0] == "low"
    assert Target("flow").judge("counting", many)[0] == "high"


def test_models_have_names() -> None:
    assert Target.named("flow").family == "flow"
    assert Target.named("flow").scores["counting"] > 0.9
    assert Target.named("google/gemini-3-pro-image").family == "hybrid"
    assert Target.named("hybrid") == Target("hybrid")
    assert Target.named("diffusion").name == "diffusion"
    with pytest.raises(FileProblem, match="no model 'flwo'"):
        Target.named("flwo")
    with pytest.raises(FileProblem, match="part of other models"):
        Target.named("planner")


def test_words_for_the_negative_prompt_go_to_models_that_take_one() -> None:
    assert advise("a room with no windows", Target("flow", negative=True)).negative == "windows"
    assert advise("a room with no windows", Target("flow", negative=False)).negative == ""
