"""The token family: rows and slots of the cache, chance, settings of sampling, previews, and that it learns."""

from __future__ import annotations

from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pytest
import torch

from triptych.adapters.plan_input import rasterise, stack
from triptych.core.errors import OutOfMemory
from triptych.core.plan import Plan
from triptych.families.autoregressive.family import SLOTS, TokenState
from triptych.library import Library

from .painting import PLAN, learn, paint, resolved, rows_of, untrained, walk


@pytest.fixture
def family(tiny_library: Library) -> Any:
    return tiny_library.family("tokens")


def test_a_picture_is_written_token_by_token(family: Any) -> None:
    states = walk(family, resolved(family))
    assert [len(state.drawn) for state in states] == list(range(65))
    assert all(after.drawn[: state.step] == state.drawn for state, after in pairwise(states))
    last = states[-1]
    assert isinstance(last, TokenState)
    vocabulary = family.tokenizer.vocabulary
    assert all(0 <= token < vocabulary for token in last.drawn)
    assert all(0 < nats <= log(vocabulary) + 1e-5 for nats in last.entropies)
    assert family.decode([last])[0].shape == (64, 64, 3)


@pytest.mark.parametrize(("width", "height"), [(128, 64), (64, 112)])
def test_a_larger_picture_is_written_in_windows_that_read_what_is_there(family: Any, width: int, height: int) -> None:
    states = walk(family, resolved(family, width=width, height=height), PLAN)
    last = states[-1]
    assert last.total // 64 > 1
    # A step at a position that an earlier window wrote repeats its token.
    written: dict[int, int] = {}
    for place, token in zip(last.condition.order, last.drawn, strict=True):
        assert written.setdefault(place, token) == token
    assert sorted(written) == list(range(width * height // 64))
    assert family.decode([last])[0].shape == (height, width, 3)
    assert family.cache.free == SLOTS


def test_guidance_costs_a_row_and_a_slot(family: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for guidance, expected in ((1.0, 1), (3.0, 2)):
        with monkeypatch.context() as patch:
            rows = rows_of(family, patch, "prefill", "decode_step")
            states = walk(family, resolved(family, guidance=guidance))
        assert len(states[0].slots) == expected
        assert rows == [expected] * 64


def test_slots_are_taken_lowest_first_and_given_back_once(family: Any) -> None:
    assert family.cache.free == SLOTS
    request = resolved(family, n=3)
    condition = family.encode(request, None)
    states = [family.begin(request, condition, index) for index in range(3)]
    assert [state.slots for state in states] == [(0, 1), (2, 3), (4, 5)]
    family.release(states[1])
    again = family.begin(request, condition, 1)
    assert again.slots == (2, 3)
    for state in (states[0], again, states[2]):
        family.release(state)
    assert family.cache.free == SLOTS
    with pytest.raises(ValueError, match="not in use"):
        family.release(again)


def test_a_full_cache_is_told_and_takes_nothing(family: Any) -> None:
    guided, alone = resolved(family), resolved(family, guidance=1.0)
    condition = family.encode(guided, None)
    taken = [family.begin(alone, condition, index) for index in range(SLOTS - 1)]
    try:
        with pytest.raises(OutOfMemory, match="fewer pictures at once"):
            family.begin(guided, condition, 0)
        assert family.cache.free == 1
    finally:
        for state in taken:
            family.release(state)


def test_a_slot_s_former_tenant_leaves_no_trace(family: Any) -> None:
    fresh = paint(family, seed=5)
    family.cache.k.fill_(float("nan"))
    family.cache.v.fill_(float("nan"))
    assert np.array_equal(paint(family, seed=5), fresh)


def test_pictures_at_the_start_and_under_way_take_turns(family: Any) -> None:
    states = walk(family, resolved(family))
    assert family.batch_key(states[0]) != family.batch_key(states[1])
    assert family.batch_key(states[1]) == family.batch_key(states[40])


def test_words_negative_words_guidance_seed_plan_and_chance_all_change_the_picture(family: Any) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"prompt": "a red square"},
        {"negative": "a red square"},
        {"guidance": 6.0},
        {"guidance": 1.0},
        {"seed": 4},
        {"index": 1},
        {"plan": PLAN},
        {"plan": Plan(background="meadow")},
        {"temperature": 0.3},
        {"top_k": 2},
        {"top_p": 0.3},
    ]
    tokens = []
    for change in changes:
        plan, index = change.pop("plan", None), change.pop("index", 0)
        tokens.append(walk(family, resolved(family, **{"guidance": 3.0, **change}), plan, index)[-1].drawn)
    assert len(set(tokens)) == len(changes)


def test_greedy_needs_no_chance(family: Any) -> None:
    first, second = (walk(family, resolved(family, temperature=0.0, seed=seed))[-1].drawn for seed in (1, 2))
    assert first == second


def test_a_preview_grows_from_the_top(family: Any) -> None:
    states = walk(family, resolved(family))
    assert family.preview(states[0]) is None
    half, whole = family.preview(states[32]), family.preview(states[64])
    assert half.shape == whole.shape == (64, 64, 3)
    assert np.array_equal(whole, family.decode(states[-1:])[0])
    # The decoder's convolutions carry a little of the lower half, which is not written yet, into the upper one.
    change = np.abs(half.astype(float) - whole).mean((1, 2))
    assert change[:16].mean() < change[48:].mean() / 4


def test_it_learns(tiny_library: Library, family: Any) -> None:
    student = untrained(tiny_library, "tokens", family.vocabulary)
    vocabulary = family.tokenizer.vocabulary
    codes = torch.randint(vocabulary, (4, 8, 8), generator=torch.Generator().manual_seed(0))
    raster = stack([rasterise(plan, family.vocabulary, (8, 8)) for plan in (PLAN, None, Plan(), PLAN)])
    losses = learn(student, codes, raster, steps=15, lr=1e-2)
    # An untrained decoder finds every code about equally likely.
    assert abs(losses[0] - log(vocabulary)) < 0.3
    assert losses[-1] < 0.8 * losses[0]
