"""What is the diffusion family's own: its levels begin at pure noise, its network predicts v, and it learns."""

from __future__ import annotations

from typing import Any

import torch

from triptych.adapters.plan_input import rasterise, stack
from triptych.core.plan import Plan
from triptych.families.diffusion.family import TABLE
from triptych.library import Library
from triptych.sampling import parameterization

from .painting import PLAN, learn, resolved, untrained, walk


def diffusion(library: Library) -> Any:
    return library.family("diffusion")


def test_the_last_level_is_pure_noise(tiny_library: Library) -> None:
    family = diffusion(tiny_library)
    for name in family.capabilities.schedules:
        schedule = family.schedule(resolved(family, steps=5, schedule=name))
        assert schedule.steps == 5
        assert schedule.level(5) == (1, 0)
        assert torch.allclose(schedule.alphas**2 + schedule.sigmas**2, torch.ones(6, dtype=torch.float64))
    trailing = family.schedule(resolved(family, steps=5))
    assert trailing.alphas[0] < 1e-3
    assert trailing.times[0] == len(TABLE.alphas_cumprod) - 1


def test_v_gives_back_the_picture_where_there_is_only_noise() -> None:
    """At alpha = 0 epsilon says nothing about x0; v = -x0 says all (Lin et al. 2023, section 3.3)."""
    x0, noise = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    alpha, sigma = torch.tensor(0.0), torch.tensor(1.0)
    v = parameterization.target("v", x0, noise, alpha, sigma)
    assert torch.allclose(parameterization.to_x0("v", v, noise, 0.0, 1.0), x0)


def test_the_network_is_told_the_trained_time(tiny_library: Library, monkeypatch: Any) -> None:
    family = diffusion(tiny_library)
    predict, told = family.predict, []
    monkeypatch.setattr(family, "predict", lambda x, t, *rest, **more: told.append(t.tolist()) or predict(x, t, *rest))
    walk(family, resolved(family, steps=4, sampler="euler", guidance=1.0))
    assert told == [[999.0], [749.0], [499.0], [249.0]]


def test_it_learns(tiny_library: Library) -> None:
    family = untrained(tiny_library, "diffusion", diffusion(tiny_library).vocabulary)
    latents = torch.randn(4, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    raster = stack([rasterise(plan, family.vocabulary, (8, 8)) for plan in (PLAN, None, Plan(), PLAN)])
    losses = learn(family, latents, raster, steps=12, lr=3e-3)
    assert all(torch.isfinite(torch.tensor(losses)))
    assert losses[-1] < 0.97 * losses[0]


def test_the_loss_is_finite_at_every_level(tiny_library: Library) -> None:
    """Signal-to-noise goes from 0 to thousands; neither end may divide by zero."""
    family = untrained(tiny_library, "diffusion", diffusion(tiny_library).vocabulary)
    latents = torch.randn(2, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    text = torch.stack([family.text.states("a ring")] * 2)
    raster = stack([rasterise(None, family.vocabulary, (8, 8))] * 2)
    drawn = torch.randint
    for level in (0, len(TABLE.alphas_cumprod) - 1):
        torch.randint = lambda high, size, level=level, **_: torch.full(size, level)  # type: ignore[assignment]
        try:
            with torch.inference_mode():
                loss = family.loss(latents, text, raster, torch.Generator().manual_seed(1))
        finally:
            torch.randint = drawn
        assert torch.isfinite(loss)
        assert loss > 0
