from __future__ import annotations

import pytest
import torch
from torch import nn

from triptych.training.optim import MuonAdamW, OptimConfig, build, orthogonalise, rate


@pytest.mark.parametrize("shape", [(64, 64), (32, 128), (128, 32)])
def test_orthogonalise_brings_singular_values_near_one(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrix))
    # A random square matrix has a few values near zero, which five iterations do not lift all the way.
    assert values.max() < 1.3
    assert (values > 0.5).float().mean() > 0.95


def test_adamw_equals_torch() -> None:
    torch.manual_seed(0)
    ours, theirs = nn.Linear(8, 4), nn.Linear(8, 4)
    theirs.load_state_dict(ours.state_dict())
    config = OptimConfig(lr=1e-2, weight_decay=0.1)
    mine = MuonAdamW([{"params": list(ours.parameters())}], config)
    reference = torch.optim.AdamW(theirs.parameters(), lr=1e-2, betas=config.betas, weight_decay=0.1)
    for step in range(10):
        x = torch.randn(16, 8, generator=torch.Generator().manual_seed(step))
        for model, optimizer in ((ours, mine), (theirs, reference)):
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


def test_muon_gets_hidden_matrices_only() -> None:
    module = nn.ModuleDict({
        "x_embedder": nn.Linear(32, 64), "hidden": nn.Linear(64, 64),
        "norm": nn.LayerNorm(64), "proj_out": nn.Linear(64, 32),
    })  # fmt: skip
    groups = {group["rule"]: group["params"] for group in build(module, OptimConfig()).param_groups}
    assert [p is module["hidden"].weight for p in groups["muon"]] == [True]
    assert len(groups["adamw"]) == 7


def test_rate_warms_up_stays_and_falls_to_zero() -> None:
    config = OptimConfig(warmup=10, decay=0.5)
    rates = [rate(step, 100, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == rates[49] == 1.0
    assert rates[75] == pytest.approx(0.5)
    assert rates[100] == 0.0
