"""Pages and leaves: the same for the same numbers, as rich as told; and how pictures are shrunk and harmed."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.upscaling.degrade import BLURRED, COMPRESSED, FILTERS, harmed, shrink, through_jpeg
from triptych.upscaling.made import KINDS, chance, made


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_a_function_of_its_numbers(kind: str) -> None:
    first = made(kind, 96, 1, 2)
    assert first.shape == (96, 96, 3)
    assert first.dtype == np.uint8
    assert (first == made(kind, 96, 1, 2)).all()
    assert (first != made(kind, 96, 1, 3)).any()
    assert (first != made(kind, 96, 2, 2)).any()


def test_pages_are_flat_and_leaves_are_not() -> None:
    """A page has large areas of one colour, as drawings have; of leaves hardly two pixels are alike."""

    def same(pixels: np.ndarray) -> float:
        return float((pixels[:, 1:] == pixels[:, :-1]).all(axis=2).mean())

    assert np.mean([same(made("page", 128, 0, index)) for index in range(4)]) > 0.6
    assert np.mean([same(made("leaves", 128, 0, index)) for index in range(4)]) < 0.5


def test_leaves_have_details_of_every_size() -> None:
    """Averaged twofold, a photograph loses little of its contrast, noise loses half."""

    def kept(pixels: np.ndarray) -> float:
        grey = pixels.astype(float).mean(axis=2)
        half = grey.reshape(64, 2, 64, 2).mean((1, 3))
        return float(half.std() / grey.std())

    assert min(kept(made("leaves", 128, 5, index)) for index in range(4)) > 0.9


@pytest.mark.parametrize("method", FILTERS)
def test_shrinking_keeps_the_mean_and_stays_in_place(method: str) -> None:
    large = np.zeros((64, 64, 3), np.uint8)
    large[:32, :32] = 240
    small = shrink(large, 4, method)
    assert small.shape == (16, 16, 3)
    assert abs(float(small.mean()) - 60) < 1
    assert small[:6, :6].min() > 220
    assert small[10:].max() < 20


def test_most_pictures_are_left_clean() -> None:
    pixels = made("page", 32, 0, 0)
    count = 400
    unharmed = sum((harmed(pixels, chance(0, index)) == pixels).all() for index in range(count))
    share = 1 - BLURRED - COMPRESSED
    assert abs(unharmed / count - share) < 4 * (share * (1 - share) / count) ** 0.5


def test_a_jpeg_of_low_quality_harms_more() -> None:
    pixels = made("leaves", 64, 0, 0)
    errors = [np.square(through_jpeg(pixels, quality).astype(float) - pixels).mean() for quality in (95, 50)]
    assert 0 < errors[0] < errors[1]
