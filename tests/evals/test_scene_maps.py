"""Maps of scenes, of plans and of what readers found."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.control import canny
from triptych.control.things import nearest_nouns
from triptych.core.errors import InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.evals.reading import Detection, Reading, true_reading
from triptych.evals.scene_maps import KINDS, of_plan, of_scene, plan_of_reading, things_of_plan, world_legend
from triptych.scenes import Sprites, render, sample_scene
from triptych.scenes.nouns import SMALL_NOUNS

SPRITES = Sprites.shapes()
SIZE = (64, 64)


@pytest.mark.parametrize("kind", KINDS)
def test_maps_are_pictures_of_the_size_asked_for(kind: str) -> None:
    scene = sample_scene("shapes", 1, 4)
    made = of_scene(kind, scene, (96, 48), SPRITES)
    assert made.shape == (48, 96, 3)
    assert made.dtype == np.uint8
    assert made.any()


def test_edges_are_those_of_the_render() -> None:
    scene = sample_scene("shapes", 1, 4)
    assert np.array_equal(of_scene("edges", scene, SIZE, SPRITES)[..., 0] > 0, canny(render(scene, SIZE, SPRITES)))


@pytest.mark.parametrize("kind", ["segmentation", "depth", "pose"])
@pytest.mark.parametrize("index", range(6))
def test_a_scene_s_plan_and_a_faultless_reading_give_the_scene_s_own_map(kind: str, index: int) -> None:
    scene = sample_scene("shapes", 1, index)
    exact = of_scene(kind, scene, SIZE, SPRITES)
    assert np.array_equal(of_plan(kind, scene.plan(), SIZE, SPRITES), exact)
    if not scene.relations:  # who is in front is no part of a reading
        assert np.array_equal(of_plan(kind, plan_of_reading(true_reading(scene)), SIZE, SPRITES), exact)


def test_colours_name_the_nouns() -> None:
    scene = sample_scene("shapes", 1, 2)
    nouns = list(world_legend())
    numbers = nearest_nouns(of_scene("segmentation", scene, SIZE, SPRITES), world_legend())
    shown = {nouns[number - 1] for number in np.unique(numbers) if number}
    assert shown == {thing.noun for thing in scene.objects}
    assert nouns[: len(SMALL_NOUNS)] == list(SMALL_NOUNS)


def test_what_cannot_be_drawn_is_a_box() -> None:
    objects = (PlanObject(noun="face", box=(0, 0, 0.5, 0.5)), PlanObject(noun="sphinx", box=(0.5, 0.5, 1, 1)))
    made = of_plan("depth", Plan(background="meadow", objects=objects), SIZE, SPRITES)
    assert len(set(made[:32, :32, 0].ravel().tolist())) == 1
    assert len(set(made[32:, 32:, 0].ravel().tolist())) == 1
    assert [thing.mask.sum() for thing in things_of_plan(Plan(objects=objects), SIZE, SPRITES)] == [1024, 1024]


def test_uncertain_detections_do_not_count_and_the_lower_stands_in_front() -> None:
    things = tuple(
        Detection(noun, score, box, {})
        for noun, score, box in (
            ("star", 0.9, (0.1, 0.5, 0.4, 0.9)), ("ring", 0.8, (0.1, 0.1, 0.4, 0.5)), ("cross", 0.2, (0, 0, 1, 1)),
        )
    )  # fmt: skip
    plan = plan_of_reading(Reading(things, {"night": 0.9}))
    assert [thing.noun for thing in plan.objects] == ["ring", "star"]
    assert plan.background == "night"


def test_edges_of_a_plan_and_unknown_kinds_are_refused_with_close_ones() -> None:
    with pytest.raises(InvalidRequest, match="'edges' is not known"):
        of_plan("edges", Plan(), SIZE, SPRITES)
    with pytest.raises(InvalidRequest, match="did you mean 'depth'"):
        of_scene("dept", sample_scene("shapes", 1, 0), SIZE, SPRITES)
