"""The dial's figures on pictures whose answers are known, and the question whether a middle exists."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from triptych.evals import dial
from triptych.evals.dial import FACE_EVERY, FREE, POSITIONS, Case, figures, middle, stands, summary
from triptych.evals.reading import Detection, Reading
from triptych.evals.statistics import Interval
from triptych.scenes import Scene, Sprites
from triptych.scenes.draw import Draw
from triptych.scenes.graph import Group, SceneObject
from triptych.scenes.identity import draw_identity

CAR = Detection("car", 0.9, (0.6, 0.6, 0.9, 0.8), {"red": 1.0})
TREE = Detection("tree", 0.8, (0.1, 0.5, 0.3, 0.9), {"green": 1.0})
FOX = Detection("fox", 0.9, (0.15, 0.1, 0.35, 0.35), {"blue": 1.0})
BEFORE = Reading((CAR, TREE), {"meadow": 1.0})
SCENE = Scene("small", 0, 0, "meadow", None, 0)


@pytest.fixture
def one() -> Case:
    pixels = np.random.default_rng(0).integers(60, 200, (64, 64, 3), dtype=np.uint8)
    return Case(0, SCENE, pixels, (6, 4, 26, 26), "fox", "blue")


def test_nothing_done_changes_nothing_and_succeeds_at_nothing(one: Case) -> None:
    found = figures(one, one.pixels, BEFORE, BEFORE, 1.0)
    assert (found["outside_mean"], found["outside_share"], found["outside_seen"]) == (0, 0, 0)
    assert (found["kept"], found["place"], found["similarity"], found["success"]) == (1, 1, 1, 0)
    assert "same_face" not in found


def test_changes_outside_are_counted_and_weighed(one: Case) -> None:
    result = one.pixels.copy()
    result[one.mask] = 0
    result[40:48] += 20
    result[50:52] += 1
    found = figures(one, result, BEFORE, dataclasses.replace(BEFORE, things=(CAR, TREE, FOX)), 0.5)
    outside = 64 * 64 - 20 * 22
    assert found["outside_share"] == pytest.approx(10 * 64 / outside)
    assert found["outside_seen"] == pytest.approx(8 * 64 / outside)
    assert found["outside_mean"] == pytest.approx((8 * 64 * 20 + 2 * 64) / outside)
    assert found["success"] == 1


@pytest.mark.parametrize(
    ("after", "kept", "place"),
    [
        (Reading((CAR,), {"meadow": 1.0}), 0.5, 1),
        (Reading((CAR, dataclasses.replace(TREE, colours={"red": 1.0})), {"snow": 1.0}), 0.5, 0),
        (Reading((CAR, dataclasses.replace(TREE, box=(0.4, 0.1, 0.6, 0.5))), {"meadow": 1.0}), 0.5, 1),
        (Reading((), {"meadow": 1.0}), 0, 1),
    ],
)
def test_what_is_kept_is_there_in_place_and_colour(one: Case, after: Reading, kept: float, place: float) -> None:
    found = figures(one, one.pixels, BEFORE, after, 1.0)
    assert (found["kept"], found["place"]) == (kept, place)


def test_a_thing_under_the_mask_need_not_be_kept(one: Case) -> None:
    under = Detection("owl", 0.9, (0.12, 0.1, 0.3, 0.3), {"brown": 1.0})
    found = figures(one, one.pixels, Reading((CAR, under), {"meadow": 1.0}), BEFORE, 1.0)
    assert found["kept"] == 1


@pytest.mark.parametrize(
    ("thing", "there"),
    [
        (FOX, True),
        (dataclasses.replace(FOX, colours={"red": 1.0}), False),
        (dataclasses.replace(FOX, box=(0.5, 0.1, 0.7, 0.3)), False),
        (dataclasses.replace(FOX, score=0.2), False),
        (dataclasses.replace(FOX, noun="dog"), False),
    ],
)
def test_success_is_the_thing_in_its_colour_in_the_mask(one: Case, thing: Detection, there: bool) -> None:
    assert stands(one, Reading((thing,), {})) is there
    plain = dataclasses.replace(one, colour=None)
    assert stands(plain, Reading((thing,), {})) is (there or thing.colours == {"red": 1.0})


def test_a_face_is_the_same_if_it_is_nearest_in_the_gallery(one: Case) -> None:
    identity, other = (draw_identity(Draw(9, index)) for index in (0, 1))
    box = (0.55, 0.3, 0.95, 0.9)
    scene = dataclasses.replace(
        SCENE,
        groups=(Group("face", kind="face", face=identity),),
        objects=(SceneObject(0, "face", None, box, "face", None, identity),),
    )
    faced = dataclasses.replace(one, scene=scene)
    for vector, place, same in (
        (identity.vector(), box, 1),
        (other.vector(), box, 0),
        (identity.vector(), (0.0, 0.0, 0.3, 0.3), 0),
    ):
        seen = Reading((Detection("face", 0.9, place, {}, face=vector),), {"meadow": 1.0})
        assert figures(faced, faced.pixels, BEFORE, seen, 1.0)["same_face"] == same


def means(values: list[float], seams: list[float]) -> dict[float, dict[str, Interval]]:
    there = [position for position in POSITIONS if position != FREE]
    return {
        position: {
            "outside_mean": Interval(value, value, value),
            "outside_seen": Interval(value / 50, value, value),
            "similarity": Interval(1 - value / 100, 0, 1),
            "seam_local": Interval(seam, seam, seam),
        }
        for position, value, seam in zip(there, values, seams, strict=True)
    }


def test_a_slope_and_a_switch_are_told_apart() -> None:
    count = len(POSITIONS) - 1
    slope = middle(means([float(k) for k in range(count)], [2.0] + [1.0] * (count - 1)))
    assert slope["largest_step_outside_mean"] == pytest.approx(slope["even"], abs=1e-3)
    assert len(slope["between"]) == count - 4  # the ends, and what is within a tenth of them
    assert (slope["gentlest"], slope["outside_seen_at_gentlest"]) == (0.95, 0.02)
    switch = middle(means([0.0] * 5 + [9.0] * (count - 5), [2.0] * 5 + [1.0] * (count - 5)))
    assert switch["largest_step_outside_mean"] == 1
    assert switch["between"] == []
    assert switch["gentlest"] == POSITIONS[5]


def test_means_are_over_the_pictures_that_have_the_figure() -> None:
    lines = [{"position": 1.0, "kept": 1.0, "success": 1.0}, {"position": 1.0, "success": 0.0}]
    found = summary(lines)
    assert set(found) == {1.0}
    assert (found[1.0]["kept"].value, found[1.0]["success"].value) == (1.0, 0.5)


def test_the_plot_is_drawn() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    assert matplotlib
    lines = [
        {"position": position, **dict.fromkeys(dial.FIGURES, 0.3 + number / 10)}
        for position in POSITIONS
        for number in range(3)
    ]
    figure = dial.drawn({"flow": summary(lines)})
    assert len(figure.axes) == 4


@pytest.mark.font
def test_cases_ask_for_what_is_not_there_yet() -> None:
    sprites = Sprites.load()
    for number in range(12):
        one, again = (dial.case(number, 64, sprites) for _ in range(2))
        assert np.array_equal(one.pixels, again.pixels)
        assert one.noun not in {thing.noun for thing in one.scene.objects}
        assert one.instruction.startswith(("a ", "an "))
        assert 0 < one.mask.sum() < 0.8 * one.mask.size
        faces = [thing for thing in one.scene.objects if thing.noun == "face"]
        assert len(faces) == (number % FACE_EVERY == FACE_EVERY - 1)
