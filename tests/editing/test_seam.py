"""Seams with known answers."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.editing import seam as module
from triptych.editing.seam import mean_step, seam


def noise(shape: tuple[int, int], spread: float, seed: int = 0) -> np.ndarray:
    values = 128 + np.random.default_rng(seed).normal(0, spread, (*shape, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


def disc(shape: tuple[int, int], radius: float) -> np.ndarray:
    y, x = np.indices(shape)
    return (x - shape[1] / 2) ** 2 + (y - shape[0] / 2) ** 2 < radius**2


def test_the_mean_step_is_that_of_all_neighbours() -> None:
    picture = noise((37, 23), 20)
    wide = picture.astype(int)
    across, down = np.abs(np.diff(wide, axis=1)), np.abs(np.diff(wide, axis=0))
    assert mean_step(picture) == pytest.approx((across.sum() + down.sum()) / (across.size + down.size))
    assert mean_step(picture[:1, :1]) == 0


def test_bands_do_not_change_the_mean_step(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise((37, 23), 20)
    whole = mean_step(picture)
    monkeypatch.setattr(module, "_BAND", 5)
    assert mean_step(picture) == pytest.approx(whole)


def test_an_untouched_picture_has_no_seam() -> None:
    source = noise((80, 90), 15)
    found = seam(source, disc((80, 90), 25), source)
    assert found.seam_error == pytest.approx(1, abs=0.1)
    assert 5 < found.percentile < 95
    assert found.local == pytest.approx(1, abs=0.1)


def test_a_step_along_the_border_is_measured() -> None:
    source = np.full((60, 60, 3), 100, np.uint8)
    source[:, ::2] += 4  # every pair across has a step of 4, every pair down none
    mask = np.zeros((60, 60), bool)
    mask[20:40, 20:40] = True
    result = source.copy()
    result[mask] += 50
    found = seam(result, mask, source)
    # 40 pairs down with 50; across, at 40 pairs, 50 with or against the 4.
    assert found.pairs == 80
    assert 48 < found.step < 52
    assert found.seam_error == pytest.approx(found.step / mean_step(source))
    assert found.percentile == 100
    assert found.local > 20


def test_a_rough_picture_hides_what_a_smooth_one_shows() -> None:
    mask = disc((80, 80), 20)
    errors = []
    for spread in (2, 30):
        source = noise((80, 80), spread)
        result = source.copy()
        result[mask] = np.clip(source[mask].astype(int) + 8, 0, 255)
        errors.append(seam(result, mask, source).seam_error)
    assert errors[0] > 2 * errors[1]


def test_no_border_no_seam() -> None:
    source = noise((20, 20), 9)
    for mask in (np.ones((20, 20), bool), np.zeros((20, 20), bool)):
        assert seam(source, mask, source).as_json()["seam_error"] == 0
        assert seam(source, mask, source).pairs == 0


def test_a_plain_picture_has_finite_figures() -> None:
    source = np.full((20, 20, 3), 7, np.uint8)
    mask = disc((20, 20), 5)
    result = source.copy()
    result[mask] = 17
    found = seam(result, mask, source)
    assert found.seam_error == 20  # ten levels over the least divisor of half a level
    assert found.percentile == 100


def test_many_pairs_are_thinned_to_the_same_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    source = noise((120, 120), 10)
    mask = np.random.default_rng(1).random((120, 120)) < 0.5
    whole = seam(source, mask, source)
    monkeypatch.setattr(module, "MAX_PAIRS", 3000)
    thinned = seam(source, mask, source)
    assert thinned.pairs == whole.pairs > 10_000
    assert thinned.step == pytest.approx(whole.step, rel=0.05)


def test_a_mask_of_one_pixel_in_a_corner() -> None:
    source = noise((9, 9), 10)
    mask = np.zeros((9, 9), bool)
    mask[8, 8] = True
    found = seam(source, mask, source)
    expected = [np.abs(source[8, 8].astype(int) - source[y, x]).mean() for y, x in ((7, 8), (8, 7))]
    assert found.step == pytest.approx(np.mean(expected))
