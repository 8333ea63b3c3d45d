"""Shift and colour of an answer are found and taken back, and what cannot be is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from triptych.editing.align import aligned

SIDE = 96


def scene(seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Smooth patches with edges, as pictures have them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (side // 8, side // 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def moved(pixels: np.ndarray, right: float, down: float) -> np.ndarray:
    """By the Fourier shift theorem, so that nothing of the code under test makes the test's picture."""
    fy, fx = np.fft.fftfreq(pixels.shape[0])[:, None], np.fft.fftfreq(pixels.shape[1])[None, :]
    phase = np.exp(-2j * np.pi * (fx * right + fy * down))
    planes = [np.fft.ifft2(np.fft.fft2(pixels[:, :, k].astype(float)) * phase).real for k in range(3)]
    return np.rint(np.stack(planes, axis=2)).clip(0, 255).astype(np.uint8)


def kept(side: int = SIDE) -> np.ndarray:
    mask = np.ones((side, side), np.bool_)
    mask[side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = False
    return mask


@settings(max_examples=25, deadline=None)
@given(right=st.floats(-4, 4), down=st.floats(-4, 4), seed=st.integers(0, 50))
def test_a_fractional_shift_is_found_and_taken_back(right: float, down: float, seed: int) -> None:
    asked = scene(seed)
    answer = moved(asked, right, down)
    answer[SIDE // 3 : 2 * SIDE // 3, SIDE // 3 : 2 * SIDE // 3] = (200, 30, 30)  # what was asked for
    result, told = aligned(asked, answer, kept())
    if told.before > 2:  # a smaller one cannot be told from rounding
        assert told.shift == pytest.approx((right, down), abs=0.05)
        assert told.after < max(told.before / 3, 2)  # what the cubic of a resampling leaves of a scene's strokes
    inner = np.abs(result[8:24, 8:-8].astype(int) - asked[8:24, 8:-8])
    assert inner.mean() < 2


@settings(max_examples=25, deadline=None)
@given(gain=st.floats(0.7, 1.1), offset=st.floats(-10, 20))
def test_gain_and_offset_are_taken_back(gain: float, offset: float) -> None:
    asked = scene(3) // 2 + 40
    answer = np.rint(asked * gain + offset).clip(0, 255).astype(np.uint8)
    result, told = aligned(asked, answer, kept())
    assert told.after < 1
    assert np.abs(result.astype(int) - asked)[kept()].mean() < 1
    if told.before > 2:
        assert told.gain[0] == pytest.approx(1 / gain, abs=0.03)
    assert told.changed == 0


def test_another_picture_is_reported_as_one_and_left_as_it_is() -> None:
    asked, answer = scene(1), scene(2)
    _, told = aligned(asked, answer, kept())
    assert told.changed > 0.5
    assert told.after > 20
    assert told.after <= told.before


def test_another_size_is_scaled_and_said() -> None:
    asked = scene(5)
    answer = np.asarray(Image.fromarray(asked).resize((144, 120), Image.Resampling.LANCZOS))
    result, told = aligned(asked, answer, kept())
    assert result.shape == asked.shape
    assert told.size == (144, 120)
    assert told.after < 3


def test_the_same_picture_stays_the_same_bytes() -> None:
    asked = scene(6)
    result, told = aligned(asked, asked.copy(), kept())
    assert np.array_equal(result, asked)
    assert (told.before, told.after, told.shift) == (0, 0, (0.0, 0.0))


def test_without_pixels_that_stay_nothing_is_corrected() -> None:
    asked, answer = scene(1), scene(2)
    result, told = aligned(asked, answer, np.zeros((SIDE, SIDE), np.bool_))
    assert np.array_equal(result, answer)
    assert told.kept == 0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_flat_picture_has_nothing_to_go_by(level: int) -> None:
    flat = np.full((SIDE, SIDE, 3), level, np.uint8)
    result, told = aligned(flat, flat, kept())
    assert np.array_equal(result, flat)
    assert told.shift == (0.0, 0.0)


@pytest.mark.parametrize("wide", [1, 2, 3, 8])
def test_a_thin_rest_is_too_little_to_find_a_shift_by(wide: int) -> None:
    asked, answer = scene(1), moved(scene(1), 2, 1)
    rest = np.zeros((SIDE, SIDE), np.bool_)
    rest[:, :wide] = rest[:, -wide:] = True
    result, told = aligned(asked, answer, rest)
    assert result.shape == asked.shape
    assert told.after <= told.before
