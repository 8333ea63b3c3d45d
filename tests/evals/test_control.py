"""The control bench: fresh cases, what it asks for, and what it makes of pictures that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.core.events import Pixels
from triptych.evals.control import CONDITIONS, Bench, Case, gains, intervals, laid_out_anew
from triptych.evals.reading import Reading, true_reading
from triptych.evals.scene_maps import KINDS, of_scene
from triptych.library import Library
from triptych.scenes import LEVELS, Scene, Sprites, render

SPRITES = Sprites.shapes()
SIDE = 64


class Knows:
    """A reader that knows the scenes by their pixels, and sees nothing in all others."""

    def __init__(self, scenes: list[Scene]) -> None:
        self.known = {render(scene, SIDE, SPRITES).tobytes(): true_reading(scene) for scene in scenes}

    def read(self, pictures: list[Pixels]) -> list[Reading]:
        return [self.known.get(picture.tobytes(), Reading()) for picture in pictures]


def bench(library: Any, scenes: int = 3, **more: Any) -> Bench:
    cases = [Case.of(LEVELS["shapes"], index) for index in range(scenes)]
    knows: Any = Knows([scene for case in cases for scene in (case.scene, case.other)])
    return Bench(library, knows, LEVELS["shapes"], SPRITES, lambda pixels: pixels, scenes, SIDE, **more)


@pytest.mark.parametrize("index", range(8))
def test_laying_out_anew_keeps_all_that_the_caption_says(index: int) -> None:
    case = Case.of(LEVELS["small"], index)
    assert case.other.facts() == case.scene.facts()
    assert len(case.other.objects) == len(case.scene.objects)
    assert sorted(thing.noun for thing in case.other.objects) == sorted(thing.noun for thing in case.scene.objects)
    assert {thing.box for thing in case.other.objects} != {thing.box for thing in case.scene.objects}
    assert laid_out_anew(case.scene) == case.other


@pytest.mark.parametrize("kind", KINDS)
def test_the_render_agrees_with_its_own_map_and_less_with_another(kind: str) -> None:
    measures = bench(None)
    for case in measures.cases:
        if case.scene.relations:
            continue  # which of two overlapping things is in front is no part of a reading
        picture = render(case.scene, SIDE, SPRITES)
        assert measures.agreement(kind, picture, case.scene) == pytest.approx(1)
        assert measures.agreement(kind, picture, case.other) < 1
        assert np.array_equal(measures.map_of(kind, picture), of_scene(kind, case.scene, (SIDE, SIDE), SPRITES))


def test_requests_carry_the_map_that_is_to_be_followed() -> None:
    measures = bench(None)
    case = measures.cases[0]
    with_plan = measures.request("flow", case, "edges", use_plan=True)
    assert np.array_equal(with_plan.controls[0].map.pixels, of_scene("edges", case.scene, (SIDE, SIDE), SPRITES))
    assert with_plan.plan is None
    against = measures.request("flow", case, "edges", use_plan=True, against=True)
    assert np.array_equal(against.controls[0].map.pixels, of_scene("edges", case.other, (SIDE, SIDE), SPRITES))
    assert against.plan == case.scene.plan()
    assert measures.request("flow", case, None, use_plan=False).controls == ()


def test_every_condition_has_a_figure_for_every_scene(tiny_library: Library) -> None:
    family: Any = tiny_library.family("flow")
    before = family.capabilities
    family.capabilities = before.model_copy(update={"controls": KINDS})
    told: list[str] = []
    try:
        measures = bench(tiny_library, 2, kinds=("edges", "depth"), quality="low", report=told.append)
        scores = measures.run("flow")
    finally:
        family.capabilities = before
    assert set(scores) == {"edges", "depth"}
    assert all(set(each) == set(CONDITIONS) and all(len(v) == 2 for v in each.values()) for each in scores.values())
    assert scores["edges"]["ceiling"] == [1.0, 1.0]
    assert scores["edges"]["with"] != scores["edges"]["without"]
    assert len(told) == 3


def test_figures_are_paired_over_scenes() -> None:
    better = {name: [0.2, 0.4, 0.6] for name in CONDITIONS} | {"with": [0.3, 0.5, 0.7]}
    figures, more = intervals({"edges": better}), gains({"edges": better})
    assert figures["edges"]["with"].value == pytest.approx(0.5)
    gain = more["edges"]["with the plan"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.1, 0.1, 0.1))
    assert more["edges"]["without a plan"].value == 0
