from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from triptych.core.plan import Plan, PlanObject
from triptych.planning.tokens import PAD, START, PlanTokens
from triptych.planning.writer import PlanWriter, PlanWriterConfig, draw, floored, nucleus, softmax

TOKENS = PlanTokens(("fox", "house", "sign"), ("red",), ("beach", "night"), ("left",), bins=16, max_objects=3)


def fresh_writer(seed: int = 0) -> PlanWriter:
    torch.manual_seed(seed)
    config = PlanWriterConfig(len(TOKENS), TOKENS.max_length, context=24, width=32, layers=2, heads=2)
    return PlanWriter(config).eval()


def states(seed: int = 0) -> torch.Tensor:
    return torch.randn(6, 24, generator=torch.Generator().manual_seed(seed))


def uniforms(seed: int):
    return lambda number: random.Random(f"{seed} {number}").random()


@pytest.mark.parametrize("seed", range(8))
def test_untrained_weights_still_write_well_formed_plans(seed: int) -> None:
    plan = fresh_writer(seed).write(states(seed), TOKENS, uniforms(seed), temperature=2.0, top_p=1.0, fact_floor=0.0)
    assert TOKENS.decode(TOKENS.encode(plan)) == plan
    assert len(plan.objects) <= 3


def test_a_plan_depends_on_states_and_uniforms_alone() -> None:
    writer = fresh_writer()
    first = writer.write(states(), TOKENS, uniforms(1))
    torch.rand(7)
    assert writer.write(states(), TOKENS, uniforms(1)) == first
    assert any(writer.write(states(), TOKENS, uniforms(seed)) != first for seed in range(2, 6))
    certain = [writer.write(states(), TOKENS, uniforms(s), temperature=0, fact_floor=1) for s in (1, 2)]
    assert certain[0] == certain[1]


def test_no_token_sees_later_ones() -> None:
    writer = fresh_writer()
    ids = torch.tensor([[START, *TOKENS.padded(Plan(background="beach"), 9)]])
    changed = ids.clone()
    changed[0, 5:] = 7
    before, after = (writer(states()[None], row)[0] for row in (ids, changed))
    torch.testing.assert_close(before[:5], after[:5])
    assert not torch.allclose(before[5:], after[5:])


def test_padding_costs_nothing() -> None:
    writer = fresh_writer()
    plan = Plan(background="night", objects=(PlanObject(noun="fox", box=(0, 0, 0.5, 1)),))
    short, long = (torch.tensor([TOKENS.padded(plan, length)]) for length in (9, 30))
    torch.testing.assert_close(writer.loss(states()[None], short), writer.loss(states()[None], long))
    assert int((long == PAD).sum()) == 21


def test_it_learns_plans_by_heart() -> None:
    fox = PlanObject(noun="fox", colour="red", box=(0.2, 0.2, 0.6, 0.8))
    sign = PlanObject(noun="sign", box=(0.4, 0.0, 1.0, 0.4), text="HI")
    plans = [Plan(background="beach", objects=(fox, fox, sign)), Plan(background="night", light="left")]
    lines = torch.stack([states(1), states(2)])
    target = torch.tensor([TOKENS.padded(plan, 26) for plan in plans])
    writer = fresh_writer().train()
    optimizer = torch.optim.Adam(writer.parameters(), lr=3e-3)
    for _ in range(120):
        optimizer.zero_grad()
        loss = writer.loss(lines, target)
        loss.backward()
        optimizer.step()
    assert loss < 0.05
    for line, plan in zip(lines, plans, strict=True):
        assert TOKENS.encode(writer.eval().write(line, TOKENS, uniforms(0))) == TOKENS.encode(plan)


def test_softmax_and_its_limit() -> None:
    logits = np.array([1.0, 3.0, 2.0])
    assert softmax(logits, 1.0) == pytest.approx(np.exp(logits) / np.exp(logits).sum())
    assert softmax(logits, 0.0).tolist() == [0.0, 1.0, 0.0]


def test_nucleus_keeps_the_least_that_reaches_p() -> None:
    shares = np.array([0.1, 0.5, 0.15, 0.25])
    assert nucleus(shares, 0.7) == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert nucleus(shares, 0.0).tolist() == [0, 1, 0, 0]
    assert nucleus(shares, 1.0) == pytest.approx(shares)


def test_floor_is_relative_to_the_best() -> None:
    shares = np.array([0.1, 0.5, 0.15, 0.25])
    assert floored(shares, 0.5) == pytest.approx([0, 2 / 3, 0, 1 / 3])
    assert floored(shares, 1.0).tolist() == [0, 1, 0, 0]
    assert floored(shares, 0.0) == pytest.approx(shares)


def test_draw_inverts_the_distribution() -> None:
    shares = np.array([0.0, 0.25, 0.0, 0.75, 0.0])
    assert [draw(shares, u) for u in (0.0, 0.2, 0.25, 0.9, 1.0)] == [1, 1, 3, 3, 3]
    counts = np.bincount([draw(shares, (i + 0.5) / 400) for i in range(400)], minlength=5)
    assert counts.tolist() == [0, 100, 0, 300, 0]
