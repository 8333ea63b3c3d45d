"""Plans of an edit: what stays, what is replaced, where the new goes."""

from __future__ import annotations

import pytest

from triptych.core.plan import Plan, PlanObject
from triptych.editing.plans import asks_for_nothing, fitted, plan_for, seen_through


def thing(noun: str, *box: float) -> PlanObject:
    return PlanObject(noun=noun, box=box)  # type: ignore[arg-type]


AROUND = Plan(
    background="meadow", light="left", objects=(thing("car", 0.6, 0.6, 0.9, 0.8), thing("tree", 0.05, 0.3, 0.35, 0.8))
)
WANTED = Plan(background="snow", objects=(thing("fox", 0.3, 0.3, 0.7, 0.7),))
PLACE = (0.0, 0.25, 0.4, 0.85)


def test_new_things_fill_the_place_in_their_proportions() -> None:
    (fox,) = fitted(WANTED.objects, PLACE)
    x0, y0, x1, y1 = fox.box
    assert PLACE[0] <= x0 < x1 <= PLACE[2]
    assert PLACE[1] <= y0 < y1 <= PLACE[3]
    assert (x1 - x0) == pytest.approx(y1 - y0)
    assert x1 - x0 > 0.9 * 0.4
    assert y1 == pytest.approx(PLACE[3], abs=0.05)


def test_several_things_keep_their_arrangement() -> None:
    left, right = fitted((thing("fox", 0.1, 0.4, 0.4, 0.7), thing("owl", 0.6, 0.2, 0.8, 0.7)), (0.5, 0.5, 1, 1))
    assert left.box[2] < right.box[0]
    assert left.box[3] == pytest.approx(right.box[3])
    assert (right.box[3] - right.box[1]) / (left.box[3] - left.box[1]) == pytest.approx(0.5 / 0.3)


def test_the_surroundings_stay_and_what_is_covered_goes() -> None:
    plan = plan_for(AROUND, WANTED, PLACE)
    assert plan is not None
    assert [item.noun for item in plan.objects] == ["car", "fox"]
    assert plan.objects[0] == AROUND.objects[0]
    assert (plan.background, plan.light) == ("meadow", "left")


def test_the_words_say_the_place_where_nobody_saw_it() -> None:
    plan = plan_for(Plan(), WANTED, PLACE)
    assert plan is not None
    assert plan.background == "snow"
    assert plan_for(Plan(), Plan(), PLACE) is None


def test_of_too_many_the_nearest_stay() -> None:
    many = Plan(objects=tuple(thing("car", 0.1 * i, 0.0, 0.1 * i + 0.05, 0.1) for i in range(8)))
    plan = plan_for(many, WANTED, (0.6, 0.5, 0.9, 0.8), most=3)
    assert plan is not None
    assert [round(item.box[0], 1) for item in plan.objects[:-1]] == [0.6, 0.7]
    assert plan.objects[-1].noun == "fox"


def test_a_window_shows_what_is_in_it() -> None:
    seen = seen_through(AROUND, (0.5, 0.5, 1.0, 1.0))
    assert [item.noun for item in seen.objects] == ["car"]
    assert seen.objects[0].box == pytest.approx((0.2, 0.2, 0.8, 0.6))
    assert seen.background == "meadow"


def test_what_reaches_far_out_of_a_window_is_held() -> None:
    seen = seen_through(Plan(objects=(thing("house", 0, 0, 1, 1),)), (0.45, 0.45, 0.55, 0.55))
    assert seen.objects[0].box == (-0.5, -0.5, 1.5, 1.5)


@pytest.mark.parametrize("words", ["nothing", "Empty.", "the background", "just the plain background", "nothing here"])
def test_words_for_what_lies_behind(words: str) -> None:
    assert asks_for_nothing(words)


@pytest.mark.parametrize("words", ["nothing but foxes", "an empty boat", "a background singer", "", "a fox"])
def test_words_for_something(words: str) -> None:
    assert not asks_for_nothing(words)
