"""What is the flow family's own: how tokens are packed, which levels a size gets, and that it learns."""

from __future__ import annotations

from typing import Any

import torch

from triptych.adapters.plan_input import rasterise, stack
from triptych.core.plan import Plan
from triptych.families.flow.family import FlowFamily, to_latents, to_tokens
from triptych.library import Library

from .painting import PLAN, learn, resolved, untrained, walk


def flow(library: Library) -> Any:
    return library.family("flow")


def test_a_token_is_a_patch_of_latents_channel_first() -> None:
    x = torch.arange(3 * 4 * 6, dtype=torch.float32).view(1, 3, 4, 6)
    tokens = to_tokens(x, 2)
    assert tokens.shape == (1, 6, 12)
    # Second token of the first row of patches: columns 2 and 3 of rows 0 and 1, one channel after the other.
    assert tokens[0, 1].tolist() == x[0, :, :2, 2:4].flatten().tolist()
    assert torch.equal(to_latents(tokens, 2, 3, 2), x)


def test_only_the_dynamic_schedule_depends_on_the_size(tiny_library: Library) -> None:
    family: FlowFamily = flow(tiny_library)
    for name, alike in (("linear", True), ("shifted", True), ("dynamic", False)):
        small, large = (
            family.schedule(resolved(family, steps=4, schedule=name, width=side, height=side)) for side in (64, 512)
        )
        assert torch.equal(small.sigmas, large.sigmas) == alike
        for schedule in (small, large):
            assert schedule.steps == 4
            assert (schedule.sigmas[0], schedule.sigmas[-1]) == (1, 0)


def test_the_network_is_told_the_time_of_the_level(tiny_library: Library, monkeypatch: Any) -> None:
    family = flow(tiny_library)
    predict, told = family.predict, []
    monkeypatch.setattr(family, "predict", lambda x, t, *rest, **more: told.append(t.tolist()) or predict(x, t, *rest))
    walk(family, resolved(family, steps=4, sampler="euler", guidance=1.0))
    assert told == [[1.0], [0.75], [0.5], [0.25]]


def test_it_learns(tiny_library: Library) -> None:
    family = untrained(tiny_library, "flow", flow(tiny_library).vocabulary)
    latents = torch.randn(4, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    raster = stack([rasterise(plan, family.vocabulary, (8, 8)) for plan in (PLAN, None, Plan(), PLAN)])
    losses = learn(family, latents, raster, steps=30, lr=3e-3)
    # Velocity noise - x0 of two unit normals: an untrained network, whose output is zero, is off by 2.
    assert abs(losses[0] - 2) < 0.2
    assert losses[-1] < 0.97 * losses[0]


def test_the_loss_reaches_every_parameter(tiny_library: Library) -> None:
    """Gates and the last layer begin at zero: it takes some steps until the words' own stream matters."""
    family = untrained(tiny_library, "flow", flow(tiny_library).vocabulary)
    latents = torch.randn(4, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    raster = stack([rasterise(PLAN, family.vocabulary, (8, 8))] * 4)
    learn(family, latents, raster, steps=6, lr=1e-2)
    named = [*family.network.named_parameters(), *family.plan_input.named_parameters()]
    assert [name for name, p in named if p.grad is None or not torch.isfinite(p.grad).all()] == []
    assert [name for name, p in family.network.named_parameters() if p.grad is None or not p.grad.any()] == []
