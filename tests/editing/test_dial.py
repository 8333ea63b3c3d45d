"""The dial: monotone in every pixel, exact where it says so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from triptych.core.errors import InvalidRequest
from triptych.editing.dial import Dial, as_map, paste_weights, strength_plane

LOCKS = np.linspace(0, 1, 41)


def disc(radius: float) -> np.ndarray:
    y, x = np.indices((64, 64))
    return (x - 25) ** 2 + (y - 40) ** 2 < radius**2


@pytest.mark.parametrize("radius", [0.5, 6, 20])
def test_the_strength_of_every_pixel_falls_with_the_lock(radius: float) -> None:
    mask = disc(radius)
    planes = [strength_plane(mask, Dial(float(lock))) for lock in LOCKS]
    for lower, higher in itertools.pairwise(planes):
        assert (higher <= lower + 1e-6).all()
    for plane in planes:
        assert (plane[mask] == 1).all()
        assert plane.min() >= 0
        assert plane.max() <= 1


def test_its_ends_are_all_or_nothing() -> None:
    mask = disc(10)
    assert np.array_equal(strength_plane(mask, Dial(1.0)), mask)
    assert (strength_plane(mask, Dial(0.0)) == 1).all()


def test_it_is_continuous_in_the_lock() -> None:
    mask = disc(10)
    locks = np.linspace(0, 0.999, 500)
    planes = np.stack([strength_plane(mask, Dial(float(lock))).mean() for lock in locks])
    assert np.abs(np.diff(planes)).max() < 0.01


@pytest.mark.parametrize("lock", [0.999, 0.9, 0.75, 0.6, 0.51])
def test_what_is_not_free_keeps_its_pixels_when_feathered(lock: float) -> None:
    plane = strength_plane(disc(6), Dial(lock))
    weights = paste_weights(plane)
    assert ((weights == 0) == (plane == 0)).all()
    assert (as_map(plane) > 0)[plane > 0].all()
    assert (as_map(plane) == 0)[plane == 0].all()


def test_the_locked_part_shrinks_from_all_to_little() -> None:
    shares = [(strength_plane(disc(6), Dial(lock)) == 0).mean() for lock in (1.0, 0.9, 0.75, 0.6, 0.5)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.95
    assert shares[-1] < 0.25


@pytest.mark.parametrize(
    ("lock", "position"), [(1, "lock"), (0.99, "feather"), (0.5, "strength"), (0.01, "strength"), (0, "references")]
)
def test_positions_have_names(lock: float, position: str) -> None:
    assert Dial(lock).position == position
    assert Dial(lock).pastes == (lock > 0.5)
    assert Dial(lock).refers == (lock == 0)


@pytest.mark.parametrize("lock", [-0.1, 1.01, float("nan")])
def test_what_is_no_position_is_refused(lock: float) -> None:
    with pytest.raises(InvalidRequest, match=r"lock: .* is not allowed: 0 .* to 1"):
        Dial(lock)
