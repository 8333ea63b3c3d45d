"""Fonts that every development machine has: matplotlib's DejaVu, and the one inside Pillow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from triptych.typography.fonts import Font, FontBook, load


@pytest.fixture(scope="session")
def book() -> FontBook:
    return FontBook.installed()


@pytest.fixture(scope="session")
def sans(book: FontBook) -> Font:
    """Latin, Greek, Cyrillic, Hebrew and Arabic letters."""
    return load(book.find("DejaVu Sans"))


@pytest.fixture
def scene() -> npt.NDArray[np.uint8]:
    """A picture without a flat spot: 240 x 320, smooth colours and some noise."""
    y, x = np.mgrid[0:240, 0:320]
    smooth = np.stack([x * 255 // 319, y * 255 // 239, (x + y) * 255 // 558], axis=2)
    return np.clip(smooth + np.random.default_rng(1).integers(-9, 10, smooth.shape), 0, 255).astype(np.uint8)
