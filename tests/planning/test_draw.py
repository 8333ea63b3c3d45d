from __future__ import annotations

import numpy as np

from triptych.core.plan import Plan, PlanObject
from triptych.planning.draw import draw


def test_boxes_stand_where_the_plan_says_in_their_colour() -> None:
    plan = Plan(background="beach", objects=(PlanObject(noun="fox", colour="red", box=(0.25, 0.5, 0.75, 0.875)),))
    pixels = np.asarray(draw(plan, 256))
    assert pixels.shape == (256, 256, 3)
    assert tuple(pixels[224 - 1, 128]) == (255, 0, 0)
    assert tuple(pixels[160, 191]) == (255, 0, 0)
    inside, outside = pixels[200, 128].astype(int), pixels[30, 128].astype(int)
    assert inside[0] - inside[2] > outside[0] - outside[2] + 20


def test_any_plan_is_drawn() -> None:
    empty = draw(Plan(), (320, 200))
    assert empty.size == (320, 200)
    strange = PlanObject(noun="thing", colour="no such colour", box=(-0.5, -0.5, 1.5, 1.5), text="OPEN LATE!")
    assert draw(Plan(background="nowhere", light="left", objects=(strange,) * 12), 64).size == (64, 64)


def test_a_plan_without_objects_shows_its_place() -> None:
    assert len(np.unique(np.asarray(draw(Plan(background="beach"), 128)).reshape(-1, 3), axis=0)) > 2
