"""Plans of pictures that have none: what the caption names, where the readers think it most likely."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.evals import lora_sets
from triptych.evals.readers.decode import iou
from triptych.evals.readers.load import Readers
from triptych.evals.reading import Detection, Reading
from triptych.library import Library
from triptych.scenes import LEVELS, Sprites
from triptych.training.lora_plans import PlanFinder, inside, plan_of

LEVEL = LEVELS["small"]
VOCABULARY = PlanVocabulary(LEVEL.nouns, LEVEL.colours, LEVEL.backgrounds, LEVEL.lights)


def thing(noun: str, score: float, box: tuple[float, float, float, float], **colours: float) -> Detection:
    return Detection(noun, score, box, colours)


def test_a_reading_becomes_a_plan_of_what_is_sure() -> None:
    reading = Reading(
        (
            thing("fox", 0.9, (0.1, 0.1, 0.5, 0.9), orange=0.9),
            thing("car", 0.8, (-0.7, 0.1, 0.5, 0.6), blue=0.9, red=0.1),
            thing("apple", 0.6, (0.5, 0.5, 0.6, 0.7), green=0.4, red=0.3),
            thing("cat", 0.4, (0.1, 0.1, 0.5, 0.9)),
            thing("zorp", 0.9, (0.1, 0.1, 0.5, 0.9)),
        ),
        {"snow": 0.7, "night": 0.3},
    )
    (plan,) = plan_of(reading, VOCABULARY)
    assert plan.background == "snow"
    assert [(item.noun, item.colour) for item in plan.objects] == [("car", "blue"), ("apple", None), ("fox", None)]
    assert plan.objects[0].box == (-0.5, 0.1, 0.5, 0.6)
    unsure = Reading((thing("cat", 0.4, (0.1, 0.1, 0.5, 0.9)),), {"snow": 0.4})
    assert plan_of(unsure, VOCABULARY) == ()


def test_boxes_are_brought_inside_what_a_plan_allows() -> None:
    assert inside((-3.0, 0.2, -2.0, 0.2)) == (-0.5, 0.2, pytest.approx(-0.49), pytest.approx(0.21))


@pytest.fixture(scope="module")
def built_in() -> Library:
    return Library()


@pytest.mark.weights
@pytest.mark.font
def test_named_things_are_found_in_another_look(built_in: Library) -> None:
    """Of the zorp the readers are rarely sure; told to look for a dog, they find every one."""
    find = PlanFinder(Readers.load(), built_in.parts, VOCABULARY, believe_place=True)
    for one in lora_sets.made("zorp", 6, 128, Sprites.load()):
        (plan,) = find(one.pixels, one.caption.replace("zorp", "dog"))
        assert [item.noun for item in plan.objects] == ["dog"]
        assert iou(plan.objects[0].box, one.plan.objects[0].box) > 0.5


@pytest.mark.weights
def test_a_place_that_nobody_names_is_every_place_in_another_style(built_in: Library) -> None:
    pixels = np.full((128, 128, 3), 240, np.uint8)
    find = PlanFinder(Readers.load(), built_in.parts, VOCABULARY, believe_place=False)
    plans = find(pixels, "a frog")
    assert [plan.background for plan in plans] == list(VOCABULARY.backgrounds)
    assert {tuple(plan.objects) for plan in plans} == {plans[0].objects}
    (plan,) = find(pixels, "a frog in the snow")
    assert plan.background == "snow"
    assert find(pixels, "the quarterly report") == ()
    assert find(pixels, "") == ()
    believing = PlanFinder(Readers.load(), built_in.parts, VOCABULARY, believe_place=True)
    assert len(believing(pixels, "a frog")) == 1
