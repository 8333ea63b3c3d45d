"""Windows and walks of large pictures: they cover, overlap, see what the whole sees, and leave the native size be."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.adapters.plan_input import rasterise
from triptych.core.asset import Asset
from triptych.core.plan import Plan, PlanObject
from triptych.families.reading import Reading
from triptych.families.steering import Steering
from triptych.families.tiles import GROWTH, Stage, Window, measured, stages
from triptych.library import Library

from .painting import PLAN, paint, resolved, rows_of, walk

NATIVE = (16, 16)


@pytest.mark.parametrize("size", [(16, 16), (8, 16), (12, 16), (8, 8), (10, 20)])
def test_a_picture_within_the_native_size_is_one_walk_that_sees_all_of_it(size: tuple[int, int]) -> None:
    assert stages(size, NATIVE, 2) == (Stage(size),)


def test_a_wide_picture_is_one_walk_in_windows() -> None:
    (wide,) = stages((16, 48), NATIVE, 2)
    assert {(each.top, each.height, each.width) for each in wide.windows} == {(0, 16, 16)}
    assert [each.left for each in wide.windows] == list(range(0, 33, 4))
    assert wide.measure == (1.0, 1 / 3)


def test_a_large_picture_grows_from_the_native_short_side() -> None:
    sizes = [stage.size for stage in stages((64, 128), NATIVE, 2)]
    assert sizes == [(16, 32), (32, 64), (64, 128)]
    assert [stage.size for stage in stages((18, 18), NATIVE, 2)] == [(16, 16), (18, 18)]
    # All walks measure boxes by the window of the first one, in which things are as large as in training.
    assert {stage.measure for stage in stages((64, 128), NATIVE, 2)} == {(1.0, 0.5)}


@settings(deadline=None)
@given(
    st.sampled_from([2, 4]).flatmap(
        lambda unit: st.tuples(st.just(unit), st.integers(8 // unit, 128 // unit), st.integers(8 // unit, 128 // unit))
    )
)
def test_windows_cover_every_cell_and_lie_on_the_units_grid(drawn: tuple[int, int, int]) -> None:
    unit, rows, columns = drawn
    size = rows * unit, columns * unit
    walks = stages(size, NATIVE, unit)
    assert walks[-1].size == size
    for small, large in itertools.pairwise(walks):
        for a, b in zip(small.size, large.size, strict=True):
            assert a <= b <= GROWTH * (a + unit)
    for stage in walks:
        seen = np.zeros(stage.size, int)
        for window in stage.windows:
            assert (window.height, window.width) == stage.seen
            assert window.top % unit == window.left % unit == 0
            window.cut(torch.from_numpy(seen)).add_(1)
        assert not stage.windows or seen.min() >= 1
        assert max(stage.seen) <= 24
        assert stage.seen[0] * stage.seen[1] <= 16 * 16


def test_a_window_cuts_maps_tokens_and_control_features_alike() -> None:
    h, w, window = 8, 12, Window(2, 4, 4, 6)
    cells = torch.arange(h * w).view(1, h, w)
    blocks = torch.arange(h * w // 4).view(1, h // 2, w // 2)
    tokens = blocks.flatten(1).T
    steering = Steering((cells.flatten(1).T, tokens))
    cut = window.cut_reading(Reading(torch.zeros(1), tokens, (steering,)), (h, w))
    expected = blocks[:, 1:3, 2:5].flatten(1).T
    assert torch.equal(cut.position, expected)
    assert torch.equal(cut.steering[0].features[0], cells[:, 2:6, 4:10].flatten(1).T)
    assert torch.equal(cut.steering[0].features[1], expected)
    assert torch.equal(window.cut_position(cells, (h, w)), cells[:, 2:6, 4:10])
    with pytest.raises(ValueError, match="do not lie on a grid"):
        window.cut_tokens(torch.zeros(7, 1), (h, w))


def test_a_window_measures_boxes_as_if_it_were_the_picture(tiny_library: Library) -> None:
    """A thing that stands in the window is read as in a native picture of that window."""
    vocabulary = tiny_library.family("flow").vocabulary
    stage = Stage((8, 24), (Window(0, 8, 8, 8),), (1.0, 1 / 3))
    wide = Plan(objects=(PlanObject(noun="star", box=(0.4, 0.25, 0.6, 0.75)),))
    alone = Plan(objects=(PlanObject(noun="star", box=(0.2, 0.25, 0.8, 0.75)),))
    raster = measured(rasterise(wide, vocabulary, stage.size), stage)
    native = rasterise(alone, vocabulary, (8, 8))
    window = stage.windows[0]
    assert torch.equal(window.cut(raster.noun), native.noun)
    assert torch.allclose(window.cut(raster.place), native.place, atol=1e-5)


@pytest.fixture(params=["flow", "diffusion"])
def family(request: pytest.FixtureRequest, tiny_library: Library) -> Any:
    return tiny_library.family(request.param)


def test_a_large_picture_is_painted_walk_after_walk_in_one_state(family: Any) -> None:
    request = resolved(family, steps=4, width=256, height=128, sampler="euler")
    states = walk(family, request, PLAN)
    assert [tuple(state.sampler.x.shape[1:]) for state in states] == [(8, 16)] * 4 + [(16, 32)] * 2
    assert [state.step for state in states] == [0, 1, 2, 3, 4, 5]
    assert {state.total for state in states} == {5}
    assert states[-1].done
    assert family.decode(states[-1:])[0].shape == (128, 256, 3)


def test_rows_of_a_call_are_bounded(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(family, monkeypatch, "predict")
    request = resolved(family, steps=1, width=512, height=64)
    states = [family.begin(request, family.encode(request, PLAN), index) for index in range(2)]
    with torch.inference_mode():
        together = family.forward(states)
    assert max(rows) <= 32 < sum(rows)
    with torch.inference_mode():
        alone = [family.forward([state])[0] for state in states]
    assert all(torch.equal(a, b) for a, b in zip(together, alone, strict=True))


def test_the_enlarged_picture_is_the_small_one_gone_over(family: Any) -> None:
    """Its own noise is little, and not the noise that the small picture began with."""
    request = resolved(family, steps=8, width=128, height=128, sampler="euler")
    states = walk(family, request, PLAN)
    start = next(state for state in states if state.number == 1)
    small = family.begin(request, start.condition, 0).sampler.x
    assert start.sampler.schedule.level(0)[1] < 0.5
    flat, other = start.sampler.x.flatten()[: small.numel()], small.flatten()
    assert abs(torch.corrcoef(torch.stack((flat, other)))[0, 1]) < 0.2


def test_hardly_changing_a_large_picture_never_makes_it_small(family: Any) -> None:
    picture = Asset.of(np.full((128, 128, 3), 90, np.uint8))
    request = resolved(family, steps=20, width=128, height=128, init=picture, strength=0.1)
    states = walk(family, request, PLAN)
    assert {tuple(state.sampler.x.shape[1:]) for state in states} == {(16, 16)}
    assert len(states) == 3


def test_a_picture_that_is_partly_kept_is_painted_at_its_own_size_where_it_may_change(
    family: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    picture = Asset.of(rng.integers(0, 256, (64, 256, 3), dtype=np.uint8))
    free = np.zeros((64, 256), np.uint8)
    free[:, 192:] = 255
    fields: dict[str, Any] = {"init": picture, "strength_map": Asset.of(free), "width": 256, "height": 64, "steps": 4}
    rows = rows_of(family, monkeypatch, "predict")
    states = walk(family, resolved(family, **fields, sampler="euler", guidance=1.0), PLAN)
    # Of the 13 windows the last four reach into the free quarter.
    assert rows == [4] * 4
    init = states[-1].condition.init
    assert torch.equal(states[-1].sampler.x[:, :, :24], init[:, :, :24])
    assert not torch.equal(states[-1].sampler.x[:, :, 24:], init[:, :, 24:])
    assert torch.isfinite(states[-1].sampler.x).all()


def test_one_voice_in_all_windows_that_agree_is_the_whole(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Averaging answers that are equal where windows overlap changes nothing: no seam comes from the blending."""
    monkeypatch.setattr(family, "predict", lambda x, *rest, **named: x * 0.5)
    request = resolved(family, steps=3, width=160, height=64, guidance=1.0, sampler="euler")
    state = family.begin(request, family.encode(request, PLAN), 0)
    prediction = family.forward([state])[0]
    x = state.sampler.x
    whole = {"flow": x - 1.0 * (x * 0.5), "diffusion": -(x * 0.5)}[family.name]
    assert torch.allclose(prediction, whole, atol=1e-5)


def test_paint_differs_by_seed_at_every_size(family: Any) -> None:
    assert not np.array_equal(
        paint(family, PLAN, steps=2, width=128, height=128), paint(family, PLAN, steps=2, width=128, height=128, seed=9)
    )
