"""Holes: where they are, what their figures say, and that only the adapter is what differs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from triptych.evals.control_holes import figures, hole, hole_figures, paint_holes
from triptych.library import Library
from triptych.scenes import sample_scene

from .test_control import bench


def test_a_hole_covers_the_right_half_of_the_front_thing() -> None:
    scene = sample_scene("shapes", 3, 1)
    mask = hole(scene, 100)
    x0, y0, x1, y1 = scene.objects[-1].box
    assert mask[round((y0 + y1) * 50), round((x0 * 0.25 + x1 * 0.75) * 100)] == 255
    assert mask[round((y0 + y1) * 50), round((x0 * 0.75 + x1 * 0.25) * 100)] == 0
    assert hole(scene.without_objects(), 100).any()


def test_figures_of_known_fillings() -> None:
    ramp = np.repeat(np.arange(40, dtype=np.uint8)[None] * 3, 40, axis=0)
    picture = np.repeat(ramp[..., None], 3, axis=-1)
    mask = np.zeros((40, 40), np.uint8)
    mask[10:20, 10:20] = 255
    same = figures(picture, picture, mask)
    assert same == {"difference": 0.0, "step": 1.0}
    outside = picture.copy()
    outside[30:] = 0  # what is not in the hole does not count
    assert figures(outside, picture, mask) == same
    flat = picture.copy()
    flat[10:20, 10:20] = 200
    assert figures(flat, picture, mask)["difference"] == pytest.approx(200 - 14.5 * 3)
    assert figures(flat, picture, mask)["step"] > 10


def test_the_adapter_is_put_back_and_is_all_that_differs(tiny_library: Library) -> None:
    family: Any = tiny_library.family("flow")
    before = family.steers
    measures = bench(tiny_library, 2, quality="low")
    seen, blind = (paint_holes(measures, "flow", seeing=seeing, planned=True) for seeing in (True, False))
    assert family.steers is before
    assert seen != blind
    assert paint_holes(measures, "flow", seeing=False, planned=True) == blind
    assert paint_holes(measures, "flow", seeing=False, planned=False) != blind
    told = hole_figures(measures, "flow", planned=False)
    difference = told["difference"]
    assert difference["gain"].value == pytest.approx(difference["not seeing"].value - difference["seeing"].value)
