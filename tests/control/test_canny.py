"""Canny's edges: known answers, and a textbook version of it written pixel by pixel."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest

from triptych.control.canny import blurred, canny, joined, sobel, thinned


def step(angle: float, size: int = 40) -> np.ndarray:
    """A picture that is dark on one side of a line through its middle and bright on the other."""
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    side = x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle))
    return (np.clip(side + 0.5, 0, 1) * 200).astype(np.uint8)


def textbook(grey: np.ndarray, sigma: float, low: float, high: float) -> np.ndarray:
    """Canny 1986 as text books have it: every pixel by itself."""
    H, W = grey.shape
    reach = int(3 * sigma + 0.5)
    kernel = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-reach, reach + 1)]

    def mirrored(i: int, n: int) -> int:
        return -i if i < 0 else 2 * (n - 1) - i if i >= n else i

    smooth = np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            total = 0.0
            for j, a in enumerate(kernel):
                for i, b in enumerate(kernel):
                    total += a * b * float(grey[mirrored(y + j - reach, H), mirrored(x + i - reach, W)])
            smooth[y, x] = total / sum(kernel) ** 2
    slope, gx, gy = np.zeros((H, W)), np.zeros((H, W)), np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            at = {
                (v, u): smooth[min(max(y + v, 0), H - 1), min(max(x + u, 0), W - 1)]
                for v in (-1, 0, 1)
                for u in (-1, 0, 1)
            }
            gx[y, x] = sum(w * (at[v, 1] - at[v, -1]) for v, w in ((-1, 1), (0, 2), (1, 1)))
            gy[y, x] = sum(w * (at[1, u] - at[-1, u]) for u, w in ((-1, 1), (0, 2), (1, 1)))
            slope[y, x] = math.hypot(gx[y, x], gy[y, x])
    ridge = np.zeros((H, W), bool)
    for y in range(1, H - 1):
        for x in range(1, W - 1):
            angle = math.degrees(math.atan2(gy[y, x], gx[y, x])) % 180
            dy, dx = [(0, 1), (1, 1), (1, 0), (1, -1)][round(angle / 45) % 4]
            ridge[y, x] = slope[y, x] >= slope[y + dy, x + dx] and slope[y, x] > slope[y - dy, x - dx]
    found = ridge & (slope >= high)
    stack = list(zip(*np.nonzero(found), strict=True))
    while stack:
        y, x = stack.pop()
        for v in (-1, 0, 1):
            for u in (-1, 0, 1):
                b, a = y + v, x + u
                if 0 <= b < H and 0 <= a < W and ridge[b, a] and slope[b, a] >= low and not found[b, a]:
                    found[b, a] = True
                    stack.append((b, a))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_textbook_pixel_for_pixel(seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (6, 7)).astype(np.uint8)
    grey = np.repeat(np.repeat(coarse, 5, axis=0), 5, axis=1)
    noisy = np.clip(grey.astype(int) + random.integers(-6, 7, grey.shape), 0, 255).astype(np.uint8)
    ours, theirs = canny(noisy, sigma=1.2, low=60, high=180), textbook(noisy, 1.2, 60, 180)
    # Rounding decides where two slopes are equal, or a direction lies on the border of two.
    assert (ours != theirs).mean() < 0.003
    assert theirs.sum() > 50


@pytest.mark.parametrize("angle", [0, 20, 45, 70, 90, 110, 135, 160])
def test_a_straight_border_gives_one_thin_line_in_its_place(angle: float) -> None:
    found = canny(step(angle))
    y, x = np.nonzero(found)
    middle = (40 - 1) / 2
    away = (x - middle) * math.cos(math.radians(angle)) + (y - middle) * math.sin(math.radians(angle))
    assert np.abs(away).max() <= 1.0
    across = found.sum(axis=0 if abs(math.sin(math.radians(angle))) > 0.7 else 1)
    assert (across[2:-2] >= 1).all(), "the line has no holes"
    assert across.max() <= 3, "a diagonal is a staircase"
    assert found.sum() <= 2 * 40


def test_colours_of_one_brightness_have_a_border() -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, :10], pixels[:, 10:] = (200, 0, 0), (0, 102, 0)  # luma 59.8 and 59.9
    assert canny(pixels).any()
    assert not canny((pixels @ np.array([0.299, 0.587, 0.114])).round().astype(np.uint8)).any()


def test_a_weak_edge_stays_where_a_strong_one_continues_it() -> None:
    weak = np.zeros((9, 9), bool)
    weak[4, :6] = True
    weak[0, 7:] = True
    strong = np.zeros((9, 9), bool)
    strong[4, 0] = True
    found = joined(weak, strong)
    assert found[4, :6].all()
    assert not found[0].any()
    diagonal = np.eye(9, dtype=bool)
    strong[:] = False
    strong[8, 8] = True
    assert joined(diagonal, strong).sum() == 9


def test_thresholds_and_blur_take_detail_away() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (48, 48), dtype=np.uint8)
    loose, strict, smooth = canny(pixels), canny(pixels, high=250), canny(pixels, sigma=3.0)
    assert strict.sum() < loose.sum()
    assert strict.sum() > 0
    assert smooth.sum() < loose.sum()
    assert (strict & ~canny(pixels, high=250, low=10)).sum() == 0


def test_flat_and_tiny_pictures_have_no_edges() -> None:
    assert not canny(np.full((32, 32, 3), 130, np.uint8)).any()
    for shape in ((1, 1), (2, 5), (1, 40, 3)):
        assert canny(np.zeros(shape, np.uint8)).shape == shape[:2]


def test_blur_keeps_the_mean_of_a_flat_picture_and_sobel_measures_a_ramp() -> None:
    flat = np.full((12, 15, 1), 80, np.float32)
    assert np.allclose(blurred(flat, 2.0), 80)
    ramp = np.repeat(np.arange(20, dtype=np.float32)[None], 20, axis=0)[..., None] * 3
    right, below = sobel(ramp)
    assert np.allclose(right[:, 1:-1], 8 * 3)
    assert np.allclose(below, 0)


def test_of_equal_slopes_one_is_kept() -> None:
    slope = np.zeros((5, 6), np.float32)
    slope[:, 2:4] = 7
    across, down = np.ones_like(slope), np.zeros_like(slope)
    assert (thinned(slope, across, down)[1:-1].sum(axis=1) == 1).all()


def test_bands_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (90, 40, 3), dtype=np.uint8)
    pixels[30:60, 10:30] //= 4
    whole = canny(pixels, high=100)
    monkeypatch.setattr(sys.modules["triptych.control.canny"], "BAND", 16)
    assert np.array_equal(canny(pixels, high=100), whole)
    assert whole.any()
