"""Maps of things whose silhouettes are known."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.control.things import (
    NEAREST,
    SKELETON,
    Thing,
    depth,
    keypoints,
    legend,
    nearest_nouns,
    nearness,
    palette,
    pose,
    segmentation,
)

SIZE = (40, 32)


def block(noun: str, x0: int, y0: int, x1: int, y1: int) -> Thing:
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[y0:y1, x0:x1] = True
    return Thing(noun, mask, (x0 / SIZE[0], y0 / SIZE[1], x1 / SIZE[0], y1 / SIZE[1]))


FOX, TREE = block("fox", 4, 10, 20, 28), block("tree", 12, 2, 30, 20)
COLOURS = legend(["fox", "tree", "car"])


def test_colours_are_bright_and_far_apart() -> None:
    colours = np.array(palette(130), float)
    assert len({tuple(colour) for colour in colours}) == 130
    assert colours.max(axis=1).min() >= 153
    first = colours[:34]
    apart = np.linalg.norm(first[:, None] - first, axis=-1) + 1e9 * np.eye(34)
    assert apart.min() >= 70


def test_the_legend_does_not_depend_on_what_comes_after() -> None:
    assert legend(["fox", "tree"]) == {noun: COLOURS[noun] for noun in ("fox", "tree")}


def test_a_segmentation_shows_what_is_in_front_and_reads_back() -> None:
    made = segmentation([TREE, FOX], SIZE, COLOURS)
    numbers = nearest_nouns(made, COLOURS)
    assert (numbers[FOX.mask] == 1).all()
    assert (numbers[TREE.mask & ~FOX.mask] == 2).all()
    assert (numbers[~TREE.mask & ~FOX.mask] == 0).all()
    worn = np.clip(made.astype(int) + np.random.default_rng(0).integers(-20, 21, made.shape), 0, 255).astype(np.uint8)
    assert (nearest_nouns(worn, COLOURS) == numbers).all()


def test_nearer_is_brighter_by_foot_and_by_what_it_covers() -> None:
    low, high = nearness([TREE, FOX])[::-1]
    assert low > high
    behind, front = nearness([FOX, TREE])  # the tree stands higher, but was laid over the fox
    assert front > behind
    assert max(nearness([FOX] * 20)) <= 1.0
    assert nearness([block("fox", 0, 0, 4, SIZE[1])]) == [NEAREST]


def test_depth_has_black_sky_and_a_ground_that_comes_nearer() -> None:
    made = depth([FOX], SIZE, horizon=0.5)[..., 0]
    assert (made[:16][~FOX.mask[:16]] == 0).all()
    ground = made[17:, -1].astype(int)
    assert (np.diff(ground) >= 0).all()
    assert ground[-1] > ground[0] > 0
    foot = made[27]
    assert foot[FOX.mask[27]].min() > foot[~FOX.mask[27]].max()


def test_a_pose_has_its_points_where_the_thing_s_are() -> None:
    made = pose([FOX], (400, 320)).astype(int)
    for name, (x, y) in keypoints(FOX).items():
        at = made[min(round(y * 320), 319), min(round(x * 400), 399)]
        assert np.abs(at - SKELETON[name]).max() < 60, name
    assert (pose([], SIZE) == 0).all()


def test_left_and_right_are_told_apart() -> None:
    points = keypoints(FOX)
    assert points["left"][0] < points["right"][0]
    assert points["top"][1] < points["foot"][1]
    assert SKELETON["left"] != SKELETON["right"]


@pytest.mark.parametrize("count", [0, 1, 34])
def test_palettes_of_any_length(count: int) -> None:
    assert len(palette(count)) == count
