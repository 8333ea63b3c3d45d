"""Pictures are true to their scene: colours, shadows, occlusion and signs are where the graph says."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest

from triptych.core.plan import Box
from triptych.scenes import LEVELS, Scene, SceneObject, Sprites, render, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS, VARIANTS, lit, paint
from triptych.scenes.colours import COLOURS
from triptych.scenes.graph import Group

MIDDLE = (0.3, 0.4, 0.7, 0.8)


def one(noun: str, colour: str | None = None, light: str | None = None, box: Box = MIDDLE) -> Scene:
    thing = SceneObject(0, noun, colour, box)
    return Scene("shapes", 0, 0, "plain", light, 0, (Group(noun, colour),), (thing,))


def test_a_picture_has_the_asked_size_and_depends_on_the_scene_alone(shapes: Sprites) -> None:
    scene = sample_scene("shapes", 0, 3)
    small, wide = render(scene, 64, shapes), render(scene, (96, 64), shapes)
    assert small.shape == (64, 64, 3)
    assert wide.shape == (64, 96, 3)
    assert small.dtype == np.uint8
    assert np.array_equal(small, render(scene, 64, Sprites.shapes()))
    small[:] = 0  # a picture is the caller's own: writing to it changes no later one
    assert render(scene, 64, shapes).any()


@pytest.mark.parametrize("colour", list(COLOURS))
def test_a_named_colour_is_what_one_sees(colour: str, shapes: Sprites) -> None:
    picture = render(one("square", colour), 128, shapes).astype(float)
    seen = np.median(picture[60:95, 45:84].reshape(-1, 3), axis=0)
    away = {name: float(np.abs(seen - np.array(rgb)).sum()) for name, rgb in COLOURS.items()}
    assert min(away, key=lambda name: away[name]) == colour


def test_sizes_agree(shapes: Sprites) -> None:
    scene = one("circle", "red")
    small, large = render(scene, 64, shapes).astype(float), render(scene, 256, shapes).astype(float)
    reduced = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    assert np.abs(reduced - small).mean() < 2.5


def darkened(light: str | None, shapes: Sprites) -> np.ndarray:
    scene = one("square", "red", light)
    empty = render(scene.without_objects(), 128, shapes).astype(int)
    return (empty - render(scene, 128, shapes).astype(int)).mean(axis=-1)


def test_shadows_fall_away_from_the_light(shapes: Sprites) -> None:
    left, right, behind = (darkened(light, shapes) for light in ("left", "right", "behind"))
    beside_left, beside_right = (slice(85, 104), slice(10, 36)), (slice(85, 104), slice(92, 118))
    assert left[beside_right].max() > 20
    assert left[beside_left].max() < 2
    assert right[beside_left].max() > 20
    assert right[beside_right].max() < 2
    below = slice(108, 118), slice(50, 80)
    assert behind[below].mean() > 15
    assert left[below].max() < 2


def test_a_thing_in_the_sky_casts_no_shadow(shapes: Sprites) -> None:
    box = (0.3, 0.1, 0.7, 0.5)
    scene = one("circle", "red", "left", box)
    difference = render(scene, 128, shapes).astype(int) - render(scene.without_objects(), 128, shapes)
    assert not difference[66:].any()


def test_the_last_thing_hides_the_others(shapes: Sprites) -> None:
    red, blue = SceneObject(0, "square", "red", MIDDLE), SceneObject(1, "square", "blue", MIDDLE)
    groups = (Group("square", "red"), Group("square", "blue"))
    scene = Scene("shapes", 0, 0, "plain", None, 0, groups, (red, blue))
    r, _, b = render(scene, 64, shapes)[38, 32]
    assert b > r
    r, _, b = render(dataclasses.replace(scene, objects=(blue, red)), 64, shapes)[38, 32]
    assert r > b


@pytest.mark.parametrize(
    "box", [(-0.3, -0.3, 0.2, 0.2), (0.8, 0.8, 1.3, 1.3), (1.1, 0.2, 1.4, 0.5), (0.1, 0.1, 0.101, 0.101)]
)
def test_boxes_may_reach_beyond_the_picture(box: Box, shapes: Sprites) -> None:
    assert render(one("circle", "red", "left", box), 64, shapes).shape == (64, 64, 3)


@pytest.mark.parametrize("name", list(BACKGROUNDS))
def test_backgrounds_differ_by_variant_and_light_and_are_soft(name: str) -> None:
    pictures = [paint(name, variant, (48, 48)) for variant in range(VARIANTS)]
    assert all(picture.shape == (48, 48, 3) for picture in pictures)
    if name != "plain":
        assert len({picture.tobytes() for picture in pictures}) == VARIANTS
    left, right = (lit(paint(name, 0, (48, 48)), light).astype(float) for light in ("left", "right"))
    assert left[:, :12].mean() > right[:, :12].mean()
    assert left[:, -12:].mean() < right[:, -12:].mean()
    assert pictures[0].astype(float).mean() > 60  # no place so dark that things drown in it


def test_backgrounds_can_be_told_apart() -> None:
    means = {name: paint(name, 0, (32, 32)).astype(float) for name in LEVELS["small"].backgrounds}
    for a, first in means.items():
        for b, second in means.items():
            assert a == b or np.abs(first - second).mean() > 12, (a, b)


@pytest.mark.font
def test_things_stand_out_from_every_background(glyphs: Sprites) -> None:
    for i in range(150):
        scene = sample_scene("small", 12, i)
        picture = render(scene, 64, glyphs).astype(float)
        empty = render(scene.without_objects(), 64, glyphs).astype(float)
        front = scene.objects[-1]
        x0, y0, x1, y1 = (round(side * 64) for side in front.box)
        inside = np.abs(picture - empty)[max(y0, 0) : y1, max(x0, 0) : x1].mean(axis=-1)
        assert np.percentile(inside, 85) > 25, (scene.background, front)


@pytest.mark.font
@pytest.mark.slow
def test_three_hundred_scenes_a_second(glyphs: Sprites) -> None:
    """Processor time, so that a busy machine does not fail it; the floor leaves room for a slow core."""
    for i in range(200):
        render(sample_scene("small", 1, i), 128, glyphs)
    start = time.process_time()
    for i in range(200):
        render(sample_scene("small", 2, i), 128, glyphs)
    assert 200 / (time.process_time() - start) > 300


@pytest.mark.font
def test_every_level_draws_at_every_usual_size(glyphs: Sprites) -> None:
    for size in (64, 128, 256):
        for i in range(12):
            assert render(sample_scene("full", 3, i), size, glyphs).shape == (size, size, 3)
