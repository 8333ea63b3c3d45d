"""Colours in linear light."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.typography import light

CODES = np.arange(256, dtype=np.uint8)


def test_every_code_comes_back() -> None:
    assert np.array_equal(light.encoded(light.decoded(CODES)), CODES)


def test_half_white_over_black_is_half_the_light_and_not_half_the_code() -> None:
    black, white = np.zeros((1, 1, 3), np.float32), np.ones((1, 1, 3), np.float32)
    assert light.encoded(light.over(black, np.full((1, 1), 0.5, np.float32), white)).tolist() == [[[188] * 3]]


def test_contrast_of_black_and_white_is_21() -> None:
    assert light.contrast(0, 1) == pytest.approx(21)
    assert light.contrast(0.3, 0.3) == 1


def test_a_scene_in_plain_white_light_changes_nothing() -> None:
    white = np.full((60, 80, 3), 255, np.uint8)
    assert np.allclose(light.lit(white, (10, 10, 70, 50), 1.0), 1, atol=1e-5)


def test_coloured_light_tints_and_shade_darkens_by_the_strength() -> None:
    ramp = np.linspace(60, 250, 160).astype(np.uint8)[None, :, None]
    scene = (ramp * np.array([1.0, 0.8, 0.4])).astype(np.uint8).repeat(60, axis=0)
    half, full = (light.lit(scene, (0, 10, 160, 50), strength) for strength in (0.5, 1.0))
    assert np.allclose(light.lit(scene, (0, 10, 160, 50), 0.0), 1)
    assert np.allclose(half - 1, (full - 1) / 2, atol=1e-5)
    assert full[20, 150, 0] > 1.3 * full[20, 10, 0]
    assert full[20, 80, 2] < 0.5 * full[20, 80, 0]
    assert full.min() > 0.05


def test_what_is_hidden_is_made_up_from_its_surroundings() -> None:
    slope = np.linspace(0, 1, 40, dtype=np.float32)[None, :, None].repeat(30, axis=0)
    hidden = np.zeros((30, 40), bool)
    hidden[10:20, 18:22] = True
    spoilt = slope.copy()
    spoilt[9:21, 17:23] = 9.0  # a pixel around what is hidden is not trusted either
    bridged = light.bridged(spoilt, hidden)
    assert np.abs(bridged - slope).max() < 0.1
    assert np.array_equal(bridged[:, :16], slope[:, :16])
