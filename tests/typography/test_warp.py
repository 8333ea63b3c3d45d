"""Planes in perspective, against the definition and against counting."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import InvalidRequest
from triptych.typography import warp

CORNERS = ((12.0, 20.0), (90.0, 5.0), (80.0, 70.0), (20.0, 60.0))


def test_the_homography_takes_corners_to_corners_and_lines_to_lines() -> None:
    homography = warp.of_corners(CORNERS, 40, 30)
    plane = np.array([(0, 0), (40, 0), (40, 30), (0, 30)], float)
    assert np.allclose(warp.through(homography, plane), CORNERS)
    a, b, c = warp.through(homography, np.array([(5, 5), (15, 10), (25, 15)], float))
    assert np.linalg.det(np.stack([b - a, c - a])) == pytest.approx(0, abs=1e-9)


def test_a_rotation_is_clockwise_about_the_middle() -> None:
    homography = warp.of_rotation((10, 20, 40, 20), 90)
    middle, right = warp.through(homography, np.array([(20, 10), (40, 10)], float))
    assert middle == pytest.approx((30, 30))
    assert right == pytest.approx((30, 50))  # what was on the right is below


@pytest.mark.parametrize("size", [(160, 120), (400, 300), (1600, 1200)])
def test_coverage_is_the_share_of_each_pixel(size: tuple[int, int]) -> None:
    """A disc on the plane, seen at about 2, 5 and 20 samples per pixel's side, against 16 x 16 points per pixel."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width] + 0.5
    disc = (np.hypot(x - width / 2, y - height / 2) < 0.45 * height) * np.uint8(255)
    homography = warp.of_corners(CORNERS, width, height)
    seen = warp.seen(disc.astype(np.uint8), homography, (0, 0, 100, 80))
    v, u = (np.mgrid[0 : 80 * 16, 0 : 100 * 16] + 0.5) / 16
    w = np.linalg.inv(homography) @ np.stack([u.ravel(), v.ravel(), np.ones(u.size)])
    inside = np.hypot(w[0] / w[2] - width / 2, w[1] / w[2] - height / 2) < 0.45 * height
    true = inside.reshape(80, 16, 100, 16).mean(axis=(1, 3)) * 255
    assert np.abs(seen - true).mean() < 1.0
    assert np.abs(seen - true).max() < 60
    assert seen.sum() == pytest.approx(true.sum(), rel=0.01)


def test_flattening_undoes_the_view() -> None:
    y, x = np.mgrid[0:60, 0:80]
    plane = np.stack([x * 3, y * 4, x + y], axis=2).astype(np.uint8)
    homography = warp.of_corners(((0.0, 0.0), (80.0, 0.0), (80.0, 60.0), (0.0, 60.0)), 80, 60)
    assert np.array_equal(warp.flattened(plane, homography, 80, 60), plane)
    shifted = warp.flattened(plane, homography @ np.array([[1, 0, 10], [0, 1, 5], [0, 0, 1]]), 20, 20)
    assert np.array_equal(shifted, plane[5:25, 10:30])


def test_a_margin_beyond_the_horizon_is_refused() -> None:
    steep = warp.of_corners(((45.0, 10.0), (55.0, 10.0), (100.0, 90.0), (0.0, 90.0)), 50, 50)
    assert len(warp.outer(steep, 50, 50, 1)) == 4
    with pytest.raises(InvalidRequest, match="too steep"):
        warp.outer(steep, 50, 50, 400)


def test_a_large_window_keeps_its_areas() -> None:
    """2200 x 1200 pixels, where fewer samples are taken: a square of 50 becomes one of 1000, to the pixel."""
    mask = np.zeros((60, 110), np.uint8)
    mask[5:55, 30:80] = 255
    seen = warp.seen(mask, np.diag([20.0, 20.0, 1.0]), (0, 0, 2200, 1200))
    assert seen.sum() / 255 == pytest.approx(1000 * 1000, rel=0.001)
    assert (seen[115:1085, 615:1585] == 255).all()
    assert not seen[:85].any()
