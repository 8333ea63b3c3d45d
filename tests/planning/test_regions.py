"""Plans of regions as one plan: things in their region, and others out of the way."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.asset import Asset
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Region
from triptych.core.plan import MAX_OBJECTS, Plan, PlanObject
from triptych.planning.regions import extent, largest_free, merged

FOX = Plan(background="snow", light="left", objects=(PlanObject(noun="fox", box=(0.3, 0.3, 0.7, 0.7)),))
OWL = Plan(background="night", objects=(PlanObject(noun="owl", box=(0.3, 0.3, 0.7, 0.7)),))
LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


def inside(box: tuple[float, ...], place: tuple[float, ...]) -> bool:
    return place[0] <= box[0] < box[2] <= place[2] and place[1] <= box[1] < box[3] <= place[3]


def test_every_thing_stands_in_its_region() -> None:
    plan = merged(Plan(background="meadow"), [(FOX, LEFT), (OWL, RIGHT)], (1.0, 1.0))
    assert plan.background == "meadow"
    assert plan.light == "left"
    fox, owl = plan.objects
    assert inside(fox.box, LEFT)
    assert inside(owl.box, RIGHT)


def test_what_the_whole_asks_for_goes_where_no_region_is() -> None:
    plan = merged(OWL, [(FOX, (0.25, 0.25, 0.75, 0.75))], (1.0, 1.0))
    owl, fox = plan.objects
    assert (owl.noun, fox.noun) == ("owl", "fox")
    x0, y0, x1, y1 = owl.box
    assert x1 <= 0.25 or x0 >= 0.75 or y1 <= 0.25 or y0 >= 0.75


def test_what_is_beside_the_regions_stays() -> None:
    base = Plan(objects=(PlanObject(noun="owl", box=(0.6, 0.1, 0.9, 0.4)),))
    assert merged(base, [(FOX, LEFT)], (1.0, 1.0)).objects[0] == base.objects[0]


def test_where_nothing_is_free_things_stay_where_they_are() -> None:
    plan = merged(OWL, [(FOX, (0.0, 0.0, 1.0, 1.0))], (1.0, 1.0))
    assert plan.objects[0] == OWL.objects[0]


def test_more_than_a_plan_can_hold_is_cut_at_the_wholes_own() -> None:
    many = Plan(objects=tuple(PlanObject(noun="star", box=(0.8, 0.0, 0.9, 0.1)) for _ in range(MAX_OBJECTS)))
    plan = merged(many, [(FOX, LEFT)], (1.0, 1.0))
    assert len(plan.objects) == MAX_OBJECTS
    assert plan.objects[-1].noun == "fox"


def test_without_a_prompt_for_the_whole_the_place_is_the_first_regions() -> None:
    assert merged(None, [(FOX, LEFT), (OWL, RIGHT)], (1.0, 1.0)).background == "snow"


def test_the_extent_of_a_mask_is_the_box_around_what_is_white() -> None:
    grey = np.zeros((40, 80), np.uint8)
    grey[10:20, 40:60] = 200
    assert extent(Region(prompt="a fox", mask=Asset.of(grey))) == (0.5, 0.25, 0.75, 0.5)
    assert extent(Region(prompt="a fox", box=LEFT)) == LEFT
    with pytest.raises(InvalidRequest, match="selects nothing"):
        extent(Region(prompt="a fox", mask=Asset.of(np.zeros((4, 4), np.uint8))))


def test_the_largest_free_rectangle() -> None:
    assert largest_free([]) == (0.0, 0.0, 1.0, 1.0)
    assert largest_free([LEFT]) == (0.5, 0.0, 1.0, 1.0)
    assert largest_free([LEFT, (0.5, 0.0, 1.0, 0.5)]) == (0.5, 0.5, 1.0, 1.0)
    assert largest_free([(0.0, 0.0, 1.0, 0.95)]) is None
    found = largest_free([(0.4, 0.4, 0.6, 0.6)])
    assert found is not None
    assert (found[2] - found[0]) * (found[3] - found[1]) == pytest.approx(0.375)
