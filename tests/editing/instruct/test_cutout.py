"""Things cut out of a picture by the same picture without them."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.editing.instruct.cutout import cut_out
from triptych.editing.instruct.mirror import mirrored


def ground(height: int = 96, width: int = 128, horizon: float = 0.5) -> np.ndarray:
    picture = np.empty((height, width, 3), np.uint8)
    picture[: int(horizon * height)] = (150, 200, 250)
    picture[int(horizon * height) :] = (120, 190, 90)
    return picture


def with_disc(picture: np.ndarray, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> np.ndarray:
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    inside = (columns - x * width) ** 2 + (rows - y * height) ** 2 <= (radius * width) ** 2
    picture = picture.copy()
    picture[inside] = colour
    return picture


BOX = (0.35, 0.36, 0.65, 0.77)


def test_a_thing_is_found_and_its_shadow_and_a_slipped_horizon_are_not() -> None:
    empty = ground()
    shadowed = empty.copy()
    shadowed[66:74, 50:90] = (shadowed[66:74, 50:90] * 0.7).astype(np.uint8)
    picture = with_disc(shadowed, 0.5, 0.56, 0.14, (220, 40, 40))
    true = with_disc(np.zeros_like(empty), 0.5, 0.56, 0.14, (255, 255, 255))[..., 0] > 0
    mask, found = cut_out(picture, ground(horizon=0.53), [BOX])
    assert found == [0]
    assert (mask & true).sum() > 0.97 * true.sum()
    assert (mask & ~true).sum() < 0.05 * true.sum()


def test_holes_belong_to_the_thing() -> None:
    picture = with_disc(with_disc(ground(), 0.5, 0.56, 0.14, (220, 40, 40)), 0.5, 0.56, 0.05, (120, 190, 90))
    mask, _ = cut_out(picture, ground(), [BOX])
    assert mask[54, 64]


def test_a_thing_that_the_other_picture_has_as_well_is_not_found() -> None:
    picture = with_disc(ground(), 0.5, 0.56, 0.14, (220, 40, 40))
    mask, found = cut_out(picture, picture, [BOX])
    assert not mask.any()
    assert found == []


@pytest.mark.parametrize("side", [40, 300, 1000])
def test_any_size_is_cut_out(side: int) -> None:
    picture = with_disc(ground(side, side), 0.5, 0.56, 0.14, (220, 40, 40))
    mask, found = cut_out(picture, ground(side, side), [BOX])
    assert mask.shape == (side, side)
    assert found == [0]
    assert 0.045 < mask.mean() < 0.075  # pi 0.14^2 is 0.062


def test_a_thing_is_turned_by_its_own_pixels_and_nothing_else_moves() -> None:
    picture = with_disc(with_disc(ground(), 0.5, 0.56, 0.14, (220, 40, 40)), 0.43, 0.52, 0.03, (20, 20, 20))
    alpha = np.dstack((picture, np.arange(128, dtype=np.uint8)[None].repeat(96, 0)))
    turned, mask = mirrored(alpha, BOX)
    assert np.array_equal(turned[~mask], alpha[~mask])
    assert np.array_equal(turned[..., 3], alpha[..., 3])
    dark = np.argwhere(turned[..., :3].max(axis=2) < 60)
    assert dark[:, 1].mean() / 128 == pytest.approx(0.57, abs=0.02)
    assert len(dark) == pytest.approx((picture.max(axis=2) < 60).sum(), abs=4)
