"""Windows: of the model's shape, around the selection, within the picture, and back to the same pixels."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.editing.crop import MAX_WINDOWS, Window, parts_of, window_for
from triptych.editing.masks import of_boxes

NATIVE = (128, 128)
SIZES = [(128, 128), (64, 64), (1, 1), (1, 9), (300, 40), (40, 300), (641, 479), (4000, 3000)]


def random_box(draw: np.random.Generator, size: tuple[int, int]) -> tuple[int, int, int, int]:
    x0, y0 = (int(draw.integers(0, side)) for side in size)
    x1, y1 = int(draw.integers(x0 + 1, size[0] + 1)), int(draw.integers(y0 + 1, size[1] + 1))
    return x0, y0, x1, y1


@pytest.mark.parametrize("native", [NATIVE, (192, 96)])
@pytest.mark.parametrize("size", SIZES)
def test_a_window_holds_the_box_and_has_the_models_shape(size: tuple[int, int], native: tuple[int, int]) -> None:
    draw = np.random.default_rng(sum(size))
    for _ in range(40):
        box = random_box(draw, size)
        window = window_for(box, size, native)
        x0, y0, x1, y1 = window.box
        assert 0 <= x0 <= box[0] < box[2] <= x1 <= size[0]
        assert 0 <= y0 <= box[1] < box[3] <= y1 <= size[1]
        width, height = x1 - x0 + window.pad[0] + window.pad[2], y1 - y0 + window.pad[1] + window.pad[3]
        assert abs(width / native[0] - height / native[1]) <= 1 / min(native)
        # Mirroring is for a picture that ends there, never for room that the picture has.
        assert window.pad[0] + window.pad[2] == 0 or (x0, x1) == (0, size[0])
        assert window.pad[1] + window.pad[3] == 0 or (y0, y1) == (0, size[1])


def test_a_small_selection_of_a_large_picture_is_seen_at_its_own_scale() -> None:
    window = window_for((2000, 1000, 2020, 1030), (4000, 3000), NATIVE)
    assert window.shape == (128, 128)
    assert window.scale == 1


def test_a_picture_of_the_models_size_is_seen_whole() -> None:
    assert window_for((3, 3, 20, 20), NATIVE, NATIVE).box == (0, 0, 128, 128)


@pytest.mark.parametrize("size", SIZES[:-1])
def test_there_and_back_at_scale_one_is_exact_and_else_close(size: tuple[int, int]) -> None:
    y, x = np.indices(size[::-1])
    waves = np.stack([x, y, x + y], axis=-1) * 9 / max(size)
    picture = (120 + 60 * np.sin(waves)).astype(np.uint8)
    window = window_for((0, 0, *size), size, NATIVE)
    seen = window.to_model(window.cut(picture))
    assert seen.shape == (128, 128, 3)
    back = window.from_model(seen)
    assert back.shape == (*window.shape, 3)
    difference = np.abs(back.astype(int) - window.cut(picture)).mean()
    assert difference == 0 if size == NATIVE else difference < 3


@pytest.mark.parametrize("size", [(128, 128), (50, 30), (900, 700)])
def test_what_is_seen_of_a_mask_is_any_pixel_underneath(size: tuple[int, int]) -> None:
    draw = np.random.default_rng(5)
    window = window_for((0, 0, *size), size, NATIVE)
    for _ in range(5):
        mask = np.zeros(size[::-1], bool)
        y, x = int(draw.integers(0, size[1])), int(draw.integers(0, size[0]))
        mask[y, x] = True
        seen = window.seen(window.cut(mask))
        assert seen.any()
        x0, y0, x1, y1 = window.fraction((x, y, x + 1, y + 1))
        rows, columns = np.nonzero(seen)
        assert rows.min() / 128 <= y0 <= y1 <= (rows.max() + 1) / 128 + 1e-9
        assert columns.min() / 128 <= x0 <= x1 <= (columns.max() + 1) / 128 + 1e-9
        assert seen.sum() <= max((128 * 128) // (size[0] * size[1]), 1) * 16


def test_zeros_of_a_plane_stay_zeros() -> None:
    window = Window((0, 0, 500, 400), (0, 50, 0, 50), NATIVE)
    plane = np.zeros((128, 128), np.float32)
    plane[40:60, 40:60] = 1
    spread = window.spread(plane)
    assert spread.shape == (400, 500)
    assert (spread[:80] == 0).all()
    assert spread.max() == pytest.approx(1)


def test_parts_that_lie_far_apart_get_windows_of_their_own() -> None:
    size = (4000, 3000)
    mask = of_boxes([(100, 100, 160, 150), (3000, 2500, 3060, 2560)], size)
    parts = parts_of(mask, NATIVE)
    assert [box for _, box in parts] == [(100, 100, 160, 150), (3000, 2500, 3060, 2560)]
    assert all(window.scale == 1 for window, _ in parts)


def test_parts_near_each_other_or_too_many_share_a_window() -> None:
    size = (4000, 3000)
    assert len(parts_of(of_boxes([(100, 100, 160, 150), (180, 100, 240, 150)], size), NATIVE)) == 1
    many = [(x, y, x + 9, y + 9) for x in range(50, 3900, 700) for y in range(50, 2900, 700)]
    assert len(many) > MAX_WINDOWS
    ((window, box),) = parts_of(of_boxes(many, size), NATIVE)
    assert box == (50, 50, many[-1][2], many[-1][3])
    assert window.scale > 20
    assert len(parts_of(of_boxes([(1, 1, 9, 9), (90, 90, 99, 99)], (128, 128)), NATIVE)) == 1
