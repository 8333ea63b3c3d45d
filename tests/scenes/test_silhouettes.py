"""Silhouettes against renders, and a face's landmarks against its drawing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from triptych.scenes import Sprites, render, sample_scene
from triptych.scenes.draw import Draw
from triptych.scenes.faces import draw_face
from triptych.scenes.identity import EYE_COLOURS, draw_identity, step
from triptych.scenes.silhouettes import landmarks, silhouettes

SPRITES = Sprites.shapes()
SIZE = (96, 96)


@pytest.mark.parametrize("index", range(12))
def test_the_things_are_where_the_render_differs_from_the_empty_place(index: int) -> None:
    scene = sample_scene("shapes", 3, index)
    shown = np.any(silhouettes(scene, SIZE, SPRITES), axis=0)
    picture, empty = render(scene, SIZE, SPRITES), render(scene.without_objects(), SIZE, SPRITES)
    changed = (picture != empty).any(axis=-1)
    assert changed[shown].mean() > 0.97, "a thing of its background's own colour is nowhere drawn"
    assert shown.any()


def test_a_thing_that_leaves_the_picture_is_cut() -> None:
    scene = sample_scene("shapes", 3, 0)
    thing = dataclasses.replace(scene.objects[0], box=(-0.3, -0.2, 0.3, 0.4))
    (mask,) = silhouettes(dataclasses.replace(scene, objects=(thing,)), SIZE, SPRITES)
    assert mask.shape == (96, 96)
    assert mask.any()
    assert not mask[40:].any()
    outside = dataclasses.replace(scene, objects=(dataclasses.replace(thing, box=(1.1, 0.1, 1.4, 0.5)),))
    assert not silhouettes(outside, SIZE, SPRITES)[0].any()


@pytest.mark.parametrize("index", range(10))
def test_eyes_are_where_the_drawing_has_them(index: int) -> None:
    face = dataclasses.replace(draw_identity(Draw(11, index, 0)), glasses=0.0)
    width, height = 86 * 4, 100 * 4
    drawing = draw_face(face, width, height)
    iris = np.array(EYE_COLOURS[step(EYE_COLOURS, face.eye_colour)], int)
    points = landmarks(face)
    for eye in ("left eye", "right eye"):
        x, y = points[eye]
        row, column = round(y * height), round(x * width)
        size = (0.036 + 0.022 * face.eye_size) * 0.62  # between the pupil and the iris' rim
        ring = [drawing[row, column - round(size * width), :3], drawing[row, column + round(size * width), :3]]
        assert min(np.abs(colour.astype(int) - iris).max() for colour in ring) < 12, eye


@pytest.mark.parametrize("index", range(10))
def test_the_head_s_outline_lies_on_the_head_and_the_mouth_within_it(index: int) -> None:
    face = draw_identity(Draw(12, index, 0))
    points = landmarks(face)
    width, height = 344, 400
    opacity = draw_face(face, width, height)[..., 3]
    for name, (x, y) in points.items():
        inside = (0.5 + (x - 0.5) * 0.96, 0.5 + (y - 0.5) * 0.96)
        assert opacity[round(inside[1] * (height - 1)), round(inside[0] * (width - 1))] > 0, name
    assert points["mouth left"][0] < points["mouth"][0] < points["mouth right"][0]
    assert points["nose"][1] < points["mouth"][1]
