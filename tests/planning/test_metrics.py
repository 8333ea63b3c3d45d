from __future__ import annotations

import pytest

from triptych.core.plan import Plan, PlanObject
from triptych.planning.metrics import facts_match, mean_facts, overlap, sides_match

LEFT, RIGHT = (0.0, 0.0, 0.4, 0.4), (0.6, 0.0, 1.0, 0.4)


def thing(noun: str, box=LEFT, colour: str | None = None, text: str | None = None) -> PlanObject:
    return PlanObject(noun=noun, colour=colour, box=box, text=text)


def scene(*objects: PlanObject, background: str = "beach", light: str | None = None) -> Plan:
    return Plan(background=background, light=light, objects=objects)


def test_places_and_order_are_no_facts() -> None:
    one = scene(thing("fox", LEFT, "red"), thing("cat", RIGHT))
    other = scene(thing("cat", LEFT), thing("fox", RIGHT, "red"))
    assert all(facts_match(one, other).values())


@pytest.mark.parametrize(
    ("plan", "wrong"),
    [
        (scene(thing("fox", colour="red"), thing("cat"), thing("cat")), {"counts", "colours"}),
        (scene(thing("fox", colour="red")), {"nouns", "counts", "colours"}),
        (scene(thing("fox"), thing("cat", colour="red")), {"colours"}),
        (scene(thing("fox", colour="red"), thing("cat"), background="snow"), {"background"}),
        (scene(thing("fox", colour="red"), thing("cat"), light="left"), {"light"}),
        (scene(thing("fox", colour="red"), thing("cat", text="HI")), {"text"}),
    ],
)
def test_each_fact_fails_by_itself(plan: Plan, wrong: set[str]) -> None:
    truth = scene(thing("fox", colour="red"), thing("cat"))
    match = facts_match(plan, truth)
    assert {name for name, right in match.items() if not right} == wrong | {"all"}


def test_mean_of_matches() -> None:
    assert mean_facts([{"all": True, "light": True}, {"all": False, "light": True}]) == {
        "all": 0.5,
        "light": 1.0,
    }
    assert mean_facts([]) == {}


def test_overlap() -> None:
    assert overlap(LEFT, LEFT) == pytest.approx(1.0)
    assert overlap(LEFT, RIGHT) == 0.0
    assert overlap((0, 0, 1, 1), (0.5, 0, 1.5, 1)) == pytest.approx(1 / 3)


def test_sides() -> None:
    truth = scene(thing("fox", LEFT), thing("cat", RIGHT))
    assert sides_match(scene(thing("cat", RIGHT), thing("fox", LEFT)), truth) is True
    assert sides_match(scene(thing("cat", LEFT), thing("fox", RIGHT)), truth) is False
    assert sides_match(scene(thing("cat", LEFT)), truth) is None
    assert sides_match(truth, scene(thing("cat", LEFT))) is None
