"""Plans on other canvases: proportions are kept, neighbours that overlap move as one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.plan import Plan, PlanObject
from triptych.planning.fit import into_box, to_shape, together

FOX = PlanObject(noun="fox", box=(0.1, 0.2, 0.4, 0.6))
OWL = PlanObject(noun="owl", box=(0.3, 0.5, 0.6, 0.9))
CAR = PlanObject(noun="car", box=(0.7, 0.7, 0.9, 0.9))
PLAN = Plan(background="meadow", objects=(FOX, OWL, CAR))


def test_the_native_shape_changes_nothing() -> None:
    assert to_shape(PLAN, 1.0) is PLAN


@settings(deadline=None)
@given(st.floats(0.15, 7))
def test_things_keep_their_shape_and_stay_inside(aspect: float) -> None:
    for before, after in zip(PLAN.objects, to_shape(PLAN, aspect).objects, strict=True):
        (a, b, c, d), (x0, y0, x1, y1) = before.box, after.box
        # On a canvas `aspect` wide and 1 high the thing is as wide, over its height, as it was on a square.
        assert (x1 - x0) * aspect / (y1 - y0) == pytest.approx((c - a) / (d - b))
        assert min(x0, y0) >= 0
        assert max(x1, y1) <= 1


def test_a_lone_thing_keeps_its_place_and_a_pair_its_overlap() -> None:
    fox, owl, car = to_shape(PLAN, 3.0).objects
    assert (car.box[0] + car.box[2]) / 2 == pytest.approx(0.8)
    assert owl.box[0] - fox.box[0] == pytest.approx((OWL.box[0] - FOX.box[0]) / 3)
    assert fox.box[2] - owl.box[0] == pytest.approx((FOX.box[2] - OWL.box[0]) / 3)


def test_what_hangs_together() -> None:
    assert together([FOX.box, CAR.box, OWL.box]) == [[0, 2], [1], [0, 2]]
    assert together([]) == []
    chain = [(0.0, 0.0, 0.4, 1.0), (0.6, 0.0, 1.0, 1.0), (0.3, 0.0, 0.7, 1.0)]
    assert together(chain) == [[0, 1, 2]] * 3


def test_things_that_fit_into_a_box_keep_their_size() -> None:
    (fox,) = into_box([FOX], (0.5, 0.0, 1.0, 1.0), (0.5, 1.0))  # the right half of a canvas twice as wide
    x0, y0, x1, y1 = fox.box
    assert x1 - x0 == pytest.approx(0.3 * 0.5)
    assert y1 - y0 == pytest.approx(0.4)
    assert 0.5 < x0 < x1 < 1


def test_things_that_do_not_fit_shrink_together() -> None:
    fox, owl = into_box([FOX, OWL], (0.0, 0.0, 0.25, 0.25), (1.0, 1.0))
    for item, own in ((fox, FOX), (owl, OWL)):
        x0, y0, x1, y1 = item.box
        a, b, c, d = own.box
        assert (x1 - x0) / (y1 - y0) == pytest.approx((c - a) / (d - b))
        assert 0 < min(x0, y0) < max(x1, y1) < 0.25
    assert fox.box[2] > owl.box[0]  # they overlap as they did
    assert into_box([], (0.0, 0.0, 1.0, 1.0), (1.0, 1.0)) == []


def test_things_lie_as_far_along_the_box_as_in_their_own_picture() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    low, high = (PlanObject(noun="fox", box=(0.3, y, 0.7, y + 0.4)) for y in (0.0, 0.6))
    (top,) = into_box([low], box, (0.5, 0.5))
    (bottom,) = into_box([high], box, (0.5, 0.5))
    assert top.box[1] == pytest.approx(0.04)
    assert bottom.box[3] == pytest.approx(0.96)
