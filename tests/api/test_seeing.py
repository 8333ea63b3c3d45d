"""From a reading to things and a plan."""

from __future__ import annotations

from triptych.api.seeing import seen
from triptych.core.capabilities import Capabilities
from triptych.evals.reading import Detection, Reading

READING = Reading(
    (
        Detection("fox", 0.95, (0.5, 0.5, 0.8, 0.9), {"orange": 0.9, "red": 0.1}, visible=1.0),
        Detection("car", 0.9, (0.4, 0.6, 0.7, 0.9), {"blue": 1.0}, visible=0.4),
        Detection("panda", 0.8, (-0.9, 0.1, 0.2, 0.5), {"white": 1.0}),
        Detection("owl", 0.29, (0.1, 0.1, 0.2, 0.3), {"brown": 1.0}),
    ),
    {"snow": 0.6, "beach": 0.4},
)


def test_what_is_sure_enough_is_seen_and_planned_from_back_to_front() -> None:
    found = seen(READING)
    assert [thing.noun for thing in found.things] == ["fox", "car", "panda"]
    assert found.things[0].colour == "orange"
    assert [item.noun for item in found.plan.objects] == ["car", "fox", "panda"]
    assert found.plan.background == "snow"


def test_a_colour_is_planned_only_where_it_is_not_the_things_own() -> None:
    colours = {item.noun: item.colour for item in seen(READING).plan.objects}
    assert colours == {"car": "blue", "fox": None, "panda": None}  # a fox is orange; a panda takes no colour


def test_a_model_is_told_only_what_it_knows() -> None:
    takes = Capabilities(family="flow", native_size=(64, 64), nouns=("fox",))
    assert [item.noun for item in seen(READING, takes).plan.objects] == ["fox"]
    assert len(seen(READING, takes).things) == 3


def test_boxes_are_held_to_what_a_plan_allows() -> None:
    panda = next(item for item in seen(READING).plan.objects if item.noun == "panda")
    assert panda.box == (-0.5, 0.1, 0.2, 0.5)


def test_an_unsure_place_is_none() -> None:
    assert seen(Reading((), {"snow": 0.4, "beach": 0.3, "night": 0.3})).plan.background == ""
    assert seen(Reading()).plan.background == ""
