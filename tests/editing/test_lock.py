"""The whole way of an edit with a small fake painter: every pixel outside stays, at any size, mode and mask."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import FileProblem, TriptychError
from triptych.core.plan import Plan, PlanObject
from triptych.core.request import Request
from triptych.editing import blend
from triptych.editing.crop import parts_of, window_for
from triptych.editing.dial import Dial
from triptych.editing.lock import Edit, Patch, composed, request_for
from triptych.editing.masks import feathered, of_boxes
from triptych.editing.verify import compared

BASE = Request(prompt="a fox", seed=1, steps=2)
NATIVE = (64, 64)


def painter(request: Request) -> np.ndarray:
    """Paints brick where it is free, and is off by a few levels everywhere, as decoders are."""
    assert request.init is not None
    assert request.strength_map is not None
    free = request.strength_map.pixels[..., None].astype(np.float64) / 255
    painted = request.init.pixels * (1 - free) + free * np.array([200.0, 60.0, 20.0]) + 5
    return np.clip(painted, 0, 255).astype(np.uint8)


def patches_of(mask: np.ndarray) -> list[Patch]:
    return [Patch(window, place) for window, place in parts_of(mask, NATIVE)]


def edited(source: np.ndarray, mask: np.ndarray, edit: Edit) -> np.ndarray:
    patches = patches_of(mask)
    painted = [painter(request_for(BASE, source, mask, patch, edit)) for patch in patches]
    return composed(source, mask, patches, painted, edit)


def picture(width: int, height: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300), st.integers(1, 200), st.integers(0, 10_000), st.sampled_from([3, 4]), st.integers(0, 9),
    st.sampled_from(["box", "noise", "pixel", "stripes"]),
)  # fmt: skip
def test_at_lock_one_no_pixel_outside_ever_changes(
    width: int, height: int, seed: int, channels: int, feather: int, kind: str
) -> None:
    draw = np.random.default_rng(seed)
    source = picture(width, height, channels, seed)
    mask = np.zeros((height, width), bool)
    y, x = int(draw.integers(0, height)), int(draw.integers(0, width))
    if kind == "box":
        mask[y : y + int(draw.integers(1, height + 1)), x : x + int(draw.integers(1, width + 1))] = True
    elif kind == "noise":
        mask = draw.random((height, width)) < 0.1
    elif kind == "stripes":
        mask[:: 1 + y % 7] = True
    if not mask.any():
        mask[y, x] = True
    result = edited(source, mask, Edit(Dial(1.0), feather))
    assert result.shape == source.shape
    assert np.array_equal(result[~mask], source[~mask])
    if channels == 4:
        assert np.array_equal(result[..., 3], source[..., 3])


def test_the_source_itself_is_left_alone() -> None:
    source, mask = picture(90, 70), of_boxes([(10, 10, 40, 50)], (90, 70))
    before = source.copy()
    assert not np.array_equal(edited(source, mask, Edit(Dial(1.0))), source)
    assert np.array_equal(source, before)


def test_what_is_painted_arrives_and_its_tone_meets_the_border() -> None:
    source, mask = np.full((128, 128, 3), 90, np.uint8), of_boxes([(40, 40, 90, 100)], (128, 128))
    result = edited(source, mask, Edit(Dial(1.0))).astype(int)
    assert np.abs(result[60:80, 60:70] - (200, 60, 20)).max() <= 6 + blend.MOST


def test_a_feather_mixes_inside_only() -> None:
    source, mask = np.full((64, 64, 3), 90, np.uint8), of_boxes([(16, 16, 48, 48)], (64, 64))
    hard, soft = (edited(source, mask, Edit(Dial(1.0), feather))[32, 16:32, 0].astype(int) for feather in (0, 6))
    assert hard[0] > 150 > soft[0] > 90
    assert soft[8] == pytest.approx(hard[8], abs=2)
    assert (feathered(mask, 6)[~mask] == 0).all()


@pytest.mark.parametrize("size", [(64, 64), (200, 150), (40, 30)])
def test_along_the_dial_the_outside_changes_ever_more(size: tuple[int, int]) -> None:
    y, x = np.indices(size[::-1])
    source = np.stack([x % 200, y % 200, (x + y) % 200], axis=-1).astype(np.uint8)
    mask = of_boxes([(5, 5, size[0] // 3, size[1] // 3)], size)
    changes = []
    for lock in (1, 0.9, 0.75, 0.6, 0.5, 0.3, 0.1):
        edit = Edit(Dial(lock))
        if edit.dial.pastes:
            result = edited(source, mask, edit)
        else:
            window = window_for((0, 0, *size), size, NATIVE)
            patch = Patch(window, (5, 5, size[0] // 3, size[1] // 3))
            result = composed(source, mask, [patch], [painter(request_for(BASE, source, mask, patch, edit))], edit)
        changes.append(compared(source, result, mask).outside_mean)
    assert changes[0] == 0
    assert all(later >= earlier - 0.3 for earlier, later in itertools.pairwise(changes))
    assert changes[-1] > changes[1] > 0


def test_the_request_says_where_it_is_free_and_what_is_there() -> None:
    source, mask = picture(300, 200, 4), of_boxes([(100, 50, 130, 90)], (300, 200))
    plan = Plan(background="snow", objects=(PlanObject(noun="fox", box=(0.2, 0.2, 0.8, 0.8)),))
    ((window, place),) = parts_of(mask, NATIVE)
    request = request_for(BASE, source, mask, Patch(window, place, plan), Edit(Dial(1.0), strength=0.8))
    assert request.init is not None
    assert request.strength_map is not None
    assert request.init.channels == 3
    assert (request.width, request.height) == NATIVE
    assert (request.plan, request.use_plan, request.strength) == (plan, True, 0.8)
    x0, y0, x1, y1 = (round(side * 64) for side in window.fraction(place))
    free = request.strength_map.pixels
    assert (free[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1] == 255).all()
    assert (free == 0).mean() > 0.6
    fresh = request_for(BASE, source, mask, Patch(window, place, plan), Edit(Dial(0.0)))
    assert fresh.init is None
    assert fresh.strength_map is None


def test_a_painter_that_gives_another_size_is_told() -> None:
    source, mask = picture(64, 64), of_boxes([(4, 4, 20, 20)], (64, 64))
    with pytest.raises(TriptychError, match=r"the painter gave \(63, 64, 3\)"):
        composed(source, mask, patches_of(mask), [np.zeros((63, 64, 3), np.uint8)], Edit(Dial(1.0)))


def test_a_patch_survives_its_json() -> None:
    plan = Plan(background="snow", objects=(PlanObject(noun="fox", colour="red", box=(0.1, 0.2, 1 / 3, 0.9)),))
    for mask in (of_boxes([(10, 10, 40, 50)], (300, 70)), of_boxes([(0, 0, 2, 2)], (30, 40))):
        for window, place in parts_of(mask, NATIVE):
            for patch in (Patch(window, place, plan), Patch(window, place)):
                assert Patch.parse(patch.as_json()) == patch


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"window": [1, 2, 3], "pad": [0] * 4, "place": [0] * 4, "size": [1, 1], "plan": None},
        None,
        {"window": "abcd"},
    ],
)
def test_a_damaged_patch_is_a_file_problem(data: object) -> None:
    with pytest.raises(FileProblem, match="damaged"):
        Patch.parse(data)


@pytest.mark.slow
def test_twelve_megapixels_take_less_than_a_gibibyte() -> None:
    size = (4000, 3000)
    source = np.zeros((3000, 4000, 3), np.uint8)
    source[::2] = 90
    y, x = np.ogrid[:3000, :4000]
    mask = ((x - 2000) / 1500) ** 2 + ((y - 1500) / 1200) ** 2 < 1
    patches = patches_of(mask)
    tracemalloc.start()
    try:
        edit = Edit(Dial(1.0), 40)
        result = composed(source, mask, patches, [np.full((64, 64, 3), 120, np.uint8)] * len(patches), edit)
        report = compared(source, result, mask)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert report.outside_changed_pixels == 0
    assert report.outside_total_pixels == size[0] * size[1] - int(mask.sum())
    assert peak < 2**30
