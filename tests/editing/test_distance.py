"""Distances against a brute-force second way."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.editing import distance as module
from triptych.editing.distance import distance


def brute(targets: np.ndarray, limit: int) -> np.ndarray:
    ys, xs = np.nonzero(targets)
    grid = np.indices(targets.shape)
    if not len(ys):
        return np.full(targets.shape, limit + 1.0)
    squared = (grid[0][..., None] - ys) ** 2 + (grid[1][..., None] - xs) ** 2
    return np.minimum(np.sqrt(squared.min(axis=-1)), limit + 1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("limit", [0, 1, 3, 40])
def test_it_is_the_euclidean_distance_up_to_the_limit(seed: int, limit: int) -> None:
    draw = np.random.default_rng(seed)
    targets = draw.random((draw.integers(1, 24), draw.integers(1, 24))) < 0.06
    assert np.allclose(distance(targets, limit), brute(targets, limit), atol=1e-5)


def test_bands_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    targets = np.random.default_rng(3).random((37, 20)) < 0.03
    whole = distance(targets, 9)
    monkeypatch.setattr(module, "_BAND_PIXELS", 60)
    assert np.array_equal(distance(targets, 9), whole)
