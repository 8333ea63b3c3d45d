"""Plans that the library writes for requests with maps."""

from __future__ import annotations

from typing import Any

import pytest

from triptych.core.asset import Asset
from triptych.core.inputs import Control
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.evals.map_plans import fitted_plan, telling_map
from triptych.evals.scene_maps import of_scene
from triptych.library import Library
from triptych.scenes import Sprites, sample_scene

SCENE = sample_scene("shapes", 4, 1)
SIZE = (64, 64)


def control(kind: str, **more: float) -> Control:
    pixels = of_scene(kind, SCENE, SIZE, Sprites.shapes())
    return Control.model_validate({"kind": kind, "map": Asset.of(pixels, kind), **more})


def request(*controls: Control, **more: Any) -> Request:
    return Request.make(prompt="shapes", seed=1, width=64, height=64, controls=controls, **more)


def elsewhere() -> Plan:
    objects = tuple(PlanObject(noun=thing.noun, box=(0.4, 0.4, 0.5, 0.5)) for thing in SCENE.objects)
    return Plan(background=SCENE.background, objects=objects)


@pytest.mark.parametrize("kind", ["segmentation", "pose", "depth"])
def test_a_plan_takes_the_places_of_the_map(kind: str) -> None:
    found = fitted_plan(elsewhere(), request(control(kind)))
    assert len(found.objects) == len(SCENE.objects)
    for thing in SCENE.objects:
        away = [max(abs(a - b) for a, b in zip(each.box, thing.box, strict=True)) for each in found.objects]
        assert min(away) < 0.08


def test_without_maps_and_with_weak_or_late_ones_a_plan_stays() -> None:
    for controls in ((), (control("depth", weight=0.3),), (control("depth", start=0.5),)):
        assert fitted_plan(elsewhere(), request(*controls)) == elsewhere()


def test_the_most_telling_map_counts() -> None:
    found = telling_map(request(control("edges"), control("segmentation"), control("depth")))
    assert found is not None
    assert found.kind == "segmentation"
    assert telling_map(request()) is None


def test_the_library_fits_its_own_plans_only_and_says_so(tiny_library: Library) -> None:
    with_map = request(control("segmentation"))
    written = tiny_library.plan(with_map, 0)
    assert written is not None
    assert sorted(thing.noun for thing in written.objects) == sorted(thing.noun for thing in SCENE.objects)
    capabilities = tiny_library.family("flow").capabilities

    def told(asked: Request) -> list[str]:
        return [note.text for note in tiny_library.notes(asked, capabilities) if note.parameter == "plan"]

    assert told(with_map) == ["its things are placed where the segmentation map has them, if it tells"]
    assert told(with_map.model_copy(update={"plan": elsewhere()})) == []
    assert told(with_map.model_copy(update={"use_plan": False})) == []
    assert told(request()) == []
