"""The proof of a lock is about the file: encoders that lose pixels and pastes that are off by one are caught."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from triptych.core.errors import InvalidRequest, TriptychError
from triptych.editing.verify import check_lossless, compared, decoded, proved


def encoded(pixels: np.ndarray, format: str = "PNG", **options: object) -> bytes:
    data = io.BytesIO()
    Image.fromarray(pixels).save(data, format, **options)
    return data.getvalue()


@pytest.fixture
def source() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((50, 60), bool)
    mask[10:20, 30:45] = True
    return mask


def test_what_changed_is_counted_on_both_sides(source: np.ndarray, mask: np.ndarray) -> None:
    result = source.copy()
    result[12:14, 31:33] ^= 1
    result[0, :5] ^= 3
    report = compared(source, result, mask)
    assert (report.outside_changed_pixels, report.outside_total_pixels) == (5, 50 * 60 - 150)
    assert report.inside_changed_pixels == 4
    assert report.outside_mean == pytest.approx(np.abs(result[0, :5].astype(int) - source[0, :5]).mean() * 5 / 2850)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_a_lossless_file_is_proved(source: np.ndarray, mask: np.ndarray, format: str) -> None:
    result = source.copy()
    result[mask] = 7
    report = proved(source, encoded(result, format, lossless=True), mask)
    assert report.outside_changed_pixels == 0
    assert report.as_json()["outside_total_pixels"] == 2850


def test_a_lossy_file_is_not(source: np.ndarray, mask: np.ndarray) -> None:
    with pytest.raises(TriptychError, match=r"the lock does not hold: .* of 2850 pixels outside of the mask changed"):
        proved(source, encoded(source, "JPEG", quality=99), mask)


def test_one_pixel_is_enough(source: np.ndarray, mask: np.ndarray) -> None:
    result = source.copy()
    result[49, 59, 2] ^= 1
    with pytest.raises(TriptychError, match="1 of 2850 pixels"):
        proved(source, encoded(result), mask)


def test_another_size_is_told(source: np.ndarray, mask: np.ndarray) -> None:
    with pytest.raises(TriptychError, match="the result is 59x50"):
        proved(source, encoded(source[:, :-1]), mask)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_transparency_counts_as_a_channel(mask: np.ndarray, format: str) -> None:
    source = np.random.default_rng(1).integers(0, 256, (50, 60, 4), dtype=np.uint8)
    assert proved(source, encoded(source, format, lossless=True, exact=True), mask).outside_changed_pixels == 0
    clearer = source.copy()
    clearer[0, 0, 3] ^= 1
    assert compared(source, clearer, mask).outside_changed_pixels == 1


def test_an_opaque_alpha_plane_may_be_left_out_by_the_file() -> None:
    source = np.full((8, 8, 4), 255, np.uint8)
    assert np.array_equal(decoded(encoded(source, "WEBP", lossless=True), 4), source)
    with pytest.raises(TriptychError, match="4 channels"):
        decoded(encoded(np.zeros((8, 8, 4), np.uint8)), 3)


def test_a_file_that_loses_pixels_is_refused_for_a_lock_only() -> None:
    with pytest.raises(InvalidRequest, match="out: JPEG loses pixels"):
        check_lossless("JPEG", 1)
    check_lossless("JPEG", 0.9)
    check_lossless("WEBP", 1)
