"""Masks of edits: renders of both scenes differ inside of them alone, and they are no larger than they need be."""

from __future__ import annotations

import pytest

from triptych.core.plan import Plan, PlanObject
from triptych.editing.instruct.apply import applied, difference
from triptych.editing.instruct.pairs import draw_pair, scene_of
from triptych.editing.instruct.program import Edit, Select
from triptych.editing.instruct.reach import changed_mask, extent, kept, union_of
from triptych.scenes import render

SIZE = (128, 128)
FOX = PlanObject(noun="fox", box=(0.25, 0.5, 0.5, 0.75))
CAR = PlanObject(noun="car", box=(0.6, 0.5, 0.9, 0.7))


@pytest.mark.font
def test_what_two_scenes_differ_by_lies_in_the_mask() -> None:
    """Where things overlap, the shadow of what changes may fall on what stays; that is left as it is, and is rare."""
    differing = beyond = 0
    for index in range(60):
        pair = draw_pair("small", 77, index)
        if not pair.readable or pair.applied.everywhere or not (pair.applied.before or pair.applied.after):
            continue
        source = pair.turns[0].plan
        first, second = (render(scene_of(plan, pair.source), 128) for plan in (source, pair.applied.plan))
        mask = changed_mask(source, pair.applied, SIZE)
        differs = (first != second).any(axis=2)
        differing += int(differs.sum())
        beyond += int((differs & ~mask).sum())
    assert differing > 10_000
    assert beyond < 0.002 * differing


def test_a_mask_is_the_thing_with_its_shadow_and_no_more() -> None:
    plan = Plan(background="meadow", light="left", objects=(FOX, CAR))
    mask = changed_mask(plan, applied(plan, (Edit("remove", Select("fox", None, (0,))),)), SIZE)
    assert mask[70:90, 40:60].all()
    assert 0.08 < mask.mean() < 0.2
    assert not mask[:50].any()  # above the fox is only sky
    assert not mask[64:89, 77:115].any()  # the car stays, though the shadow falls towards it


@pytest.mark.parametrize(("light", "side"), [("left", 1), ("right", -1)])
def test_shadows_fall_away_from_the_light(light: str, side: int) -> None:
    box, shadow = extent(FOX, Plan(background="meadow", light=light, objects=(FOX,)))
    assert box == FOX.box
    further = shadow[2] - box[2] if side > 0 else box[0] - shadow[0]
    assert further > 0.12
    unknown = extent(FOX, Plan(background="meadow", objects=(FOX,)), light_known=False)
    assert len(unknown) > 3


def test_in_the_sky_nothing_casts_a_shadow() -> None:
    bird = PlanObject(noun="bird", box=(0.2, 0.1, 0.4, 0.3))
    assert extent(bird, Plan(background="meadow", objects=(bird,))) == [bird.box]


def test_background_and_light_reach_everywhere() -> None:
    plan = Plan(background="meadow", objects=(FOX,))
    for edit in (Edit("background", background="night"), Edit("light", light="left")):
        found = applied(plan, (edit,))
        assert changed_mask(plan, found, SIZE).all()
        assert kept(plan, found) == [FOX]


def test_a_changed_thing_is_free_even_behind_a_kept_one() -> None:
    behind = PlanObject(noun="tree", box=(0.4, 0.4, 0.6, 0.75))
    plan = Plan(objects=(behind, FOX))
    mask = changed_mask(plan, difference(plan, Plan(objects=(FOX,))), SIZE)
    assert mask[union_of([behind.box], SIZE)].mean() > 0.95
