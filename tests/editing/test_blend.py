"""The membrane against a direct solution, and what matching the border does to a picture."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.editing.blend import harmonised, membrane


def solved(values: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Laplace's equation by Gaussian elimination."""
    height, width = values.shape
    number = np.full(values.shape, -1)
    number[unknown] = np.arange(unknown.sum())
    matrix, right = np.zeros((unknown.sum(),) * 2), np.zeros(unknown.sum())
    for y, x in zip(*np.nonzero(unknown), strict=True):
        i = number[y, x]
        for v, u in ((y, x + 1), (y + 1, x), (y, x - 1), (y - 1, x)):
            if 0 <= v < height and 0 <= u < width:
                matrix[i, i] += 1
                if unknown[v, u]:
                    matrix[i, number[v, u]] -= 1
                else:
                    right[i] += values[v, u]
    result = values.astype(float)
    result[unknown] = np.linalg.solve(matrix, right)
    return result


def regions(height: int, width: int) -> dict[str, np.ndarray]:
    y, x = np.indices((height, width))
    return {
        "ellipse": ((x - width / 2) / (0.4 * width)) ** 2 + ((y - height / 2) / (0.4 * height)) ** 2 < 1,
        "at the border": (x > 0.3 * width) & (y < 0.8 * height),
        "blobs": np.sin(x / 5) + np.cos(y / 6) > 0.1,
        "stripe": (x > 0.4 * width) & (x < 0.5 * width),
        "one pixel": (x == 5) & (y == 7),
    }


@pytest.mark.parametrize("name", list(regions(9, 9)))
def test_the_membrane_solves_laplaces_equation(name: str) -> None:
    draw = np.random.default_rng(0)
    for shape in ((47, 56), (30, 21)):
        y, x = np.indices(shape)
        values = (20 * np.sin(x / 9) + 15 * np.cos(y / 7) + draw.normal(0, 1, shape)).astype(np.float32)
        unknown = regions(*shape)[name]
        found = membrane(values, unknown)
        assert np.array_equal(found[~unknown], values[~unknown])
        assert np.abs(found - solved(values, unknown))[unknown].max() < 1.0


def test_a_plane_is_harmonic_already() -> None:
    y, x = np.indices((64, 64))
    values = (0.5 * x - 0.25 * y).astype(np.float32)
    unknown = np.zeros((64, 64), bool)
    unknown[10:50, 15:60] = True
    assert np.abs(membrane(values, unknown) - values).max() < 0.15


def test_nothing_known_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing is known"):
        membrane(np.zeros((5, 5), np.float32), np.ones((5, 5), bool))


def scene(shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A shaded picture, the same with a thing in the middle and another tone, and the mask of the middle."""
    y, x = np.indices((96, 96))
    source = np.stack([60 + x, 90 + y / 2, 120 + 0 * x], axis=-1)
    painted = source + shift
    inner = ((x - 48) ** 2 + (y - 48) ** 2) < 12**2
    painted[inner] = (200, 40, 40)
    mask = ((x - 48) ** 2 + (y - 48) ** 2) < 30**2
    return source.astype(np.uint8), np.clip(painted, 0, 255).astype(np.uint8), mask


@pytest.mark.parametrize("shift", [-12, 9])
def test_another_tone_is_taken_back_inside(shift: float) -> None:
    source, painted, mask = scene(shift)
    result = harmonised(source, painted, mask).astype(int)
    y, x = np.indices(mask.shape)
    ground = mask & (((x - 48) ** 2 + (y - 48) ** 2) > 14**2)
    assert np.abs(result - source)[ground].max() <= 1
    assert np.abs(painted.astype(int) - source)[ground].min() > 5
    # The thing keeps its own contrast to the ground: it takes the same correction.
    assert np.abs(result[48, 48] - (painted[48, 48].astype(int) - shift)).max() <= 2


def test_outside_it_is_the_new_picture_as_it_was() -> None:
    source, painted, mask = scene(7)
    assert np.array_equal(harmonised(source, painted, mask)[~mask], painted[~mask])


def test_a_thing_cut_by_the_border_does_not_colour_the_inside() -> None:
    source, painted, mask = scene(0)
    source = source.copy()
    source[20:60, 0:19] = (255, 0, 0)  # something that the new picture does not have, touching the mask
    result = harmonised(source, painted, mask).astype(int)
    assert np.abs(result[48, 60:70] - painted[48, 60:70]).max() <= 4


def test_without_a_border_nothing_happens() -> None:
    source, painted, _ = scene(5)
    assert harmonised(source, painted, np.ones((96, 96), bool)) is painted
