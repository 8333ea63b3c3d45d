from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.sampling import noise
from triptych.sampling.tokens import draw, entropy

INF = float("inf")
LOGITS = torch.tensor([0.1, 2.0, -1.0, 2.0, 0.5])
BEFORE_ONE = 1 - 2**-53
U = [i / 500 for i in range(500)] + [BEFORE_ONE]

vectors = st.lists(st.floats(-30, 30) | st.just(-INF), min_size=1, max_size=20).filter(lambda row: max(row) > -INF)


def test_temperature_zero_is_the_first_of_the_most_likely() -> None:
    assert draw(LOGITS, 0.0, 0, 1.0, 0.9) == 1


def test_u_walks_from_likely_to_unlikely() -> None:
    assert [draw(LOGITS, 1.0, 0, 1.0, u) for u in (0.0, 0.5, 0.85, 0.95, BEFORE_ONE)] == [1, 3, 4, 0, 2]


def test_frequencies_follow_the_softmax() -> None:
    u = noise.uniform(5, 0, 0, (4000,))
    drawn = torch.tensor([draw(LOGITS, 0.7, 0, 1.0, value) for value in u.tolist()])
    expected = (LOGITS / 0.7).softmax(0) * len(u)
    counts = torch.bincount(drawn, minlength=5)
    assert ((counts - expected) ** 2 / expected).sum() < 23.5  # chi^2, 4 degrees of freedom, p = 0.0001


def kept(logits: torch.Tensor, temperature: float, top_k: int, top_p: float) -> set[int]:
    return {draw(logits, temperature, top_k, top_p, u) for u in U}


def test_top_k_and_top_p() -> None:
    assert kept(LOGITS, 1.0, 2, 1.0) == {1, 3}
    assert kept(LOGITS, 1.0, 0, 0.5) == {1, 3}
    assert kept(LOGITS, 1.0, 0, 1e-9) == {1}
    assert kept(LOGITS, 1.0, 99, 1.0) == {0, 1, 2, 3, 4}
    # top_p counts what top_k left: of the three, the first two hold 90 %.
    assert kept(LOGITS, 1.0, 3, 0.85) == {1, 3}


@pytest.mark.parametrize(("temperature", "top_k", "top_p"), [(1.0, 0, 0.9), (0.7, 12, 1.0), (1.3, 20, 0.8)])
def test_kept_tokens_agree_with_the_reference(temperature: float, top_k: int, top_p: float) -> None:
    process = pytest.importorskip("transformers.generation.logits_process")
    logits = noise.normal(2, 0, 0, (32,)) * 2
    row, ids = logits[None], torch.zeros(1, 1, dtype=torch.long)
    row = process.TemperatureLogitsWarper(temperature)(ids, row)
    if top_k:
        row = process.TopKLogitsWarper(top_k)(ids, row)
    if top_p < 1:
        row = process.TopPLogitsWarper(top_p)(ids, row)
    assert kept(logits, temperature, top_k, top_p) == set(torch.isfinite(row[0]).nonzero().flatten().tolist())


@given(vectors, st.floats(0, 5), st.integers(0, 25), st.floats(0.01, 1), st.floats(0, BEFORE_ONE))
@settings(deadline=None)
def test_a_drawn_token_is_always_allowed(row: list[float], temperature: float, k: int, p: float, u: float) -> None:
    token = draw(torch.tensor(row), temperature, k, p, u)
    assert row[token] > -INF


def test_extreme_logits_do_not_overflow() -> None:
    logits = torch.tensor([1e30, -1e30, 0.0])
    assert draw(logits, 1e-3, 0, 0.9, BEFORE_ONE) == 0


@pytest.mark.parametrize("row", [[-INF, -INF], [math.nan, 1.0], [INF, 0.0]])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nothing_to_draw_from(row: list[float], temperature: float) -> None:
    with pytest.raises(ValueError, match="logit"):
        draw(torch.tensor(row), temperature, 0, 1.0, 0.5)


@pytest.mark.parametrize("u", [-0.1, 1.0, math.nan])
def test_u_out_of_range(u: float) -> None:
    with pytest.raises(ValueError, match="u is"):
        draw(LOGITS, 1.0, 0, 1.0, u)


def test_entropy() -> None:
    assert entropy(torch.zeros(8)).item() == pytest.approx(math.log(8))
    assert entropy(torch.tensor([5.0, -INF, -INF])).item() == 0
    rows = noise.normal(1, 0, 0, (3, 4, 16))
    expected = torch.distributions.Categorical(logits=rows).entropy()
    torch.testing.assert_close(entropy(rows), expected)
