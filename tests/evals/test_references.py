"""The bench of references: what it measures of pictures whose truth is known, and which requests it makes."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.evals.readers.load import Readers
from triptych.evals.reference_likeness import Likeness, hue_error, palette_error
from triptych.evals.references import Bench, difference, interval
from triptych.library import Library
from triptych.scenes import LEVELS, Sprites
from triptych.scenes.series import draw_series


@pytest.fixture(scope="module")
def likeness() -> Likeness:
    return Likeness(Readers.load(), Sprites.load(), 128)


pytestmark = [pytest.mark.font, pytest.mark.weights]


def test_the_true_picture_is_right_and_another_of_another_series_is_wrong(likeness: Likeness) -> None:
    one, other = (draw_series("small", 77, index, "face") for index in (0, 1))
    true = one.shots[0].picture(128, likeness.sprites)
    scores = likeness.of("face", one.shots[0], true)
    assert scores["top1"] == 1
    assert scores["error"] < 0.1
    stranger = other.shots[0].scene.objects[0].face
    assert stranger is not None
    from dataclasses import replace

    swapped = tuple(replace(thing, face=stranger) if thing.face else thing for thing in one.shots[0].scene.objects)
    false = replace(one.shots[0], scene=replace(one.shots[0].scene, objects=swapped)).picture(128, likeness.sprites)
    wrong = likeness.of("face", one.shots[0], false)
    assert wrong["top1"] == 0
    assert wrong["error"] > 2 * scores["error"]


def test_colour_and_pose_of_the_true_picture_are_exact(likeness: Likeness) -> None:
    tint, pose = (draw_series("small", 77, 3, kind).shots[0] for kind in ("tint", "pose"))
    assert likeness.of("tint", tint, tint.picture(128, likeness.sprites)) == {"hue": 0.0, "noun": 1.0}
    assert likeness.of("pose", pose, pose.picture(128, likeness.sprites))["turn"] == 0
    from triptych.scenes import render

    plain = render(tint.scene, 128, likeness.sprites)
    assert likeness.of("tint", tint, plain)["hue"] > 10


def test_hues_and_palettes_by_hand() -> None:
    red, green, blue = np.eye(3) * 200.0
    assert hue_error(red, green) == pytest.approx(120)
    assert hue_error(red, blue) == pytest.approx(120)
    assert hue_error(red, red / 2 + 40) == pytest.approx(0, abs=1e-6)
    black, grey = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 100, np.uint8)
    assert palette_error(black, grey) == pytest.approx(100 / 2**0.5)


def test_the_bench_asks_for_what_it_says(tiny_library: Library, likeness: Likeness) -> None:
    bench = Bench(tiny_library, likeness.readers, LEVELS["small"], likeness.sprites, {}, 2, 128, fields={"guidance": 1})
    (one, _) = bench.series("style")
    bare, beside = (bench.request("flow", one, 0, shown, 4) for shown in (None, np.zeros((8, 8, 3), np.uint8)))
    assert bare.references == ()
    assert [each.role for each in beside.references] == ["style"]
    assert bare.plan == beside.plan == one.shots[0].plan
    assert (bare.seed, bare.guidance) == (4, 1)


def test_intervals_are_over_cases_and_differences_are_paired() -> None:
    first, second = ([{"x": float(k + shift)} for k in range(40)] for shift in (1, 0))
    told = interval(first, "x")
    assert told.low < told.value == 20.5 < told.high
    gain = difference(first, second, "x")
    assert gain.low == gain.value == gain.high == 1
