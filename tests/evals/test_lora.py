"""Measures of a LoRA against known answers, and the sets that it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.core.plan import Plan, PlanObject
from triptych.evals import lora
from triptych.evals.lora import Distance, Lesson, Pixels
from triptych.evals.lora_sets import KINDS, made, write_set, zorp
from triptych.evals.reading import Detection, Reading
from triptych.scenes import Sprites


def plain(*colour: int, side: int = 32) -> Pixels:
    return np.full((side, side, 3), colour, np.uint8)


def drawn(seed: int, side: int = 64) -> Pixels:
    """A few rectangles: edges at places of its own."""
    chance = np.random.default_rng(seed)
    picture = plain(200, 210, 220, side=side)
    for _ in range(4):
        x, y = chance.integers(0, side - 20, 2)
        picture[y : y + 20, x : x + 16] = chance.integers(0, 255, 3)
    return picture


def test_equal_looks_are_no_distance_and_other_hues_are_two() -> None:
    red, blue, grey = plain(250, 20, 20), plain(20, 20, 250), plain(128, 128, 128)
    assert lora.distance([red, red], [red]).value == 0
    assert lora.distance([red], [blue]).value == pytest.approx(2)
    assert lora.distance([red], [plain(255, 90, 90)]).value == 0, "a paler red is a red"
    assert lora.distance([grey], [plain(150, 160, 140)]).value == 0, "nearly grey is grey"
    half = lora.distance([red, blue], [red])
    assert (half.value, half.low, half.high) == (1, 0, 2)


def test_edges_are_grey_levels_a_pixel() -> None:
    ramp = np.repeat(np.arange(0, 256, 8, dtype=np.uint8)[None, :, None], 32, axis=0).repeat(3, axis=2)
    assert np.allclose(lora.edges(ramp), 8)
    shares = lora.looks([ramp])[0]
    assert shares[lora.HUES + lora.GREYS + 1] == 1, "all of the second strength, from 6.7 grey levels on"


def test_a_thing_is_cut_out_by_its_plan() -> None:
    picture = plain(9, 9, 9, side=40)
    picture[10:30, 20:40] = 200
    plan = Plan(objects=(PlanObject(noun="fox", box=(0.5, 0.25, 1.2, 0.75)),))
    assert np.array_equal(lora.cut_out(picture, plan), plain(200, 200, 200, side=20))
    assert lora.cut_out(picture, None) is picture
    tiny = Plan(objects=(PlanObject(noun="fox", box=(0.0, 0.0, 0.1, 0.1)),))
    assert lora.cut_out(picture, tiny) is picture


def test_a_composition_that_is_kept_correlates_and_another_does_not() -> None:
    pictures = [drawn(seed) for seed in range(6)]
    negatives = [255 - picture for picture in pictures]
    same, other = lora.kept(negatives, pictures)
    assert same == pytest.approx(1, abs=1e-6)
    assert other < 0.5


def test_a_copy_is_near_and_a_fresh_picture_is_not() -> None:
    shown = [drawn(seed) for seed in range(4)]
    assert lora.nearest([shown[2]], shown) == 0
    assert lora.nearest([drawn(9)], shown) > 5


def test_found_asks_for_the_noun_and_a_score() -> None:
    readings = [
        Reading((Detection("fox", 0.8, (0, 0, 1, 1), {}),)),
        Reading((Detection("fox", 0.1, (0, 0, 1, 1), {}),)),
        Reading((Detection("cat", 0.9, (0, 0, 1, 1), {}),)),
        Reading(),
    ]
    assert lora.found(readings, ["fox"] * 4) == 0.25


def test_likeness_is_to_the_direction_of_the_mean() -> None:
    shown = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert lora.likeness(shown, shown) == 1
    assert lora.likeness(np.array([[0.0, 1.0]]), shown) == 0


def test_the_way_is_from_the_bare_model_to_the_floor() -> None:
    lesson = Lesson(Distance(2.0, 1.9, 2.1), Distance(1.0, 0.9, 1.1), 0.5, 0.1, 0.7, 0.9, 0.5, 0.1, 40, 42, 1.0, 0.9)
    assert lesson.way_of_looks == pytest.approx(2 / 3)
    assert lesson.way_of_likeness == pytest.approx(0.75)
    assert lesson.as_json()["before"] == {"value": 2.0, "low": 1.9, "high": 2.1}


@pytest.mark.font
def test_sets_show_what_the_world_does_not_hold(tmp_path: Path) -> None:
    sprites = Sprites.load()
    for name, kind in KINDS.items():
        shown = made(name, 3, 64, sprites)
        assert [one.caption for one in shown] == [one.caption for one in made(name, 3, 64, sprites)]
        assert len({one.pixels.tobytes() for one in shown}) == 3
        (later,) = made(name, 1, 64, sprites, first=2)
        assert np.array_equal(later.pixels, shown[2].pixels)
        if kind.like:
            assert all(kind.trigger in one.caption and kind.like not in one.caption for one in shown)
            assert all([item.noun for item in one.plan.objects] == [kind.like] for one in shown)
        write_set(tmp_path / name, shown)
        assert (tmp_path / name / "02.txt").read_text().strip() == shown[2].caption
        with Image.open(tmp_path / name / "02.png") as picture:
            assert np.array_equal(np.asarray(picture), shown[2].pixels)


@pytest.mark.font
def test_pencil_is_grey_poster_has_four_inks_and_a_zorp_is_teal() -> None:
    sprites = Sprites.load()
    for one in made("pencil", 2, 64, sprites):
        assert int((one.pixels.max(axis=-1) - one.pixels.min(axis=-1)).max()) < 30
    for one in made("poster", 2, 64, sprites):
        assert len(np.unique(one.pixels.reshape(-1, 3), axis=0)) <= 4
    drawing = (sprites.drawing("dog") * 255).round().astype(np.uint8)
    animal = zorp(drawing)
    body = animal[drawing.shape[0] // 2 :][animal[drawing.shape[0] // 2 :, :, 3] > 200].astype(int)
    teal = (body[:, 1] > body[:, 0] + 30) & (body[:, 2] > body[:, 0] + 30)
    assert 0.2 < teal.mean() < 0.9
