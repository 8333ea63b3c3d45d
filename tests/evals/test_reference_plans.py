"""Scale and layout through the plan, and stand-ins for nouns that the plan writer never heard of."""

from __future__ import annotations

import pytest

from triptych.core.asset import Asset
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Reference
from triptych.core.plan import Box, Plan, PlanObject
from triptych.evals.reading import Detection, Reading
from triptych.evals.reference_plans import laid_out, scaled, seen, stand_ins

FOX, CAR = (0.05, 0.5, 0.35, 0.8), (0.6, 0.4, 0.95, 0.6)
PLAN = Plan(background="snow", objects=(PlanObject(noun="fox", box=FOX), PlanObject(noun="car", box=CAR)))


def thing(noun: str, box: Box) -> Detection:
    return Detection(noun, 0.9, box, {})


def shape(box: Box) -> float:
    return (box[2] - box[0]) / (box[3] - box[1])


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def test_things_take_the_nearest_places_in_their_own_shape() -> None:
    places = [thing("star", (0.55, 0.0, 0.95, 0.4)), thing("moon", (0.0, 0.0, 0.2, 0.2))]
    fox, car = laid_out(PLAN, places).objects
    assert fox.box == pytest.approx((0.0, 0.0, 0.2, 0.2))
    assert shape(car.box) == pytest.approx(shape(CAR))
    assert area(car.box) == pytest.approx(0.16)
    assert (car.box[0] + car.box[2]) / 2 > 0.5


def test_a_thing_goes_to_one_of_its_own_noun() -> None:
    places = [thing("fox", (0.7, 0.7, 0.9, 0.9)), thing("car", (0.1, 0.1, 0.3, 0.3))]
    fox, car = laid_out(PLAN, places).objects
    assert fox.box == pytest.approx((0.7, 0.7, 0.9, 0.9))
    assert car.box[2] < 0.5


def test_things_beyond_the_places_stay_and_places_beyond_the_things_are_empty() -> None:
    fox, car = laid_out(PLAN, [thing("star", (0.1, 0.1, 0.2, 0.2))]).objects
    assert (fox.box == FOX) != (car.box == CAR)
    alone = Plan(objects=(PlanObject(noun="fox", box=FOX),))
    (fox,) = laid_out(alone, [thing("a", (0.9, 0.0, 1.0, 0.1)), thing("b", (0.1, 0.6, 0.3, 0.8))]).objects
    assert fox.box == pytest.approx((0.1, 0.6, 0.3, 0.8))


def test_a_scale_sets_the_size_of_its_noun_and_leaves_its_foot_on_the_ground() -> None:
    fox, car = scaled(PLAN, [thing("fox", (0.0, 0.0, 0.15, 0.15))]).objects
    assert car.box == CAR
    assert area(fox.box) == pytest.approx(0.15**2)
    assert fox.box[3] == pytest.approx(FOX[3])


def test_without_a_shared_noun_the_largest_thing_sets_the_largest_object() -> None:
    fox, car = scaled(PLAN, [thing("star", (0.0, 0.0, 0.5, 0.5)), thing("moon", (0.0, 0.0, 0.1, 0.1))]).objects
    assert area(fox.box) == pytest.approx(0.25)
    assert car.box == CAR


def test_nothing_leaves_the_picture_however_large_the_reference() -> None:
    for plan in (scaled(PLAN, [thing("car", (0, 0, 1, 1))]), laid_out(PLAN, [thing("car", (0, 0, 1, 1))])):
        assert all(-1e-9 <= side <= 1 + 1e-9 for item in plan.objects for side in item.box)


def test_a_reference_in_which_nothing_is_seen_is_refused_by_name() -> None:
    import numpy as np

    one = Reference(asset=Asset.of(np.zeros((8, 8, 3), np.uint8), "empty.png"), role="layout")
    with pytest.raises(InvalidRequest, match=r"empty\.png.*layout"):
        seen(one, lambda asset: Reading())


def test_a_noun_that_the_plan_writer_does_not_know_is_stood_in_for_by_one_of_its_shape() -> None:
    stood = stand_ins("A face and two lions by a house", {"lions": "lion"}, ("house", "owl", "banana", "star"))
    assert stood.prompt == "A banana and two stars by a house"
    assert set(stood.meaning.values()) == {"face", "lion"}
    written = Plan(objects=tuple(PlanObject(noun=noun, colour="red", box=FOX) for noun in (*stood.meaning, "house")))
    assert [item.noun for item in stood.named(written).objects] == [*stood.meaning.values(), "house"]
    assert [item.colour for item in stood.named(written).objects] == [None, None, "red"]


def test_known_words_stay() -> None:
    assert stand_ins("a house by the sea", {}, ("house",)).prompt == "a house by the sea"
