"""Averaged weights, and the counting of arithmetic."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from triptych.training.ema import Ema
from triptych.training.flops import step_flops


def test_average_follows_the_formula() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1.0)
    ema = Ema(module, decay=0.5)
    nn.init.constant_(module.weight, 2.0)
    ema.update(module, 0)  # the decay warms up: 1 / 10
    assert float(ema.shadow["weight"]) == pytest.approx(0.1 * 1 + 0.9 * 2)
    nn.init.constant_(module.weight, 4.0)
    ema.update(module, 1000)  # the full decay
    assert float(ema.shadow["weight"]) == pytest.approx(0.5 * 1.9 + 0.5 * 4)


def test_average_is_swapped_in_and_out_again_even_on_failure() -> None:
    module = nn.Linear(1, 1, bias=False)
    nn.init.constant_(module.weight, 1.0)
    ema = Ema(module, 0.9)
    nn.init.constant_(module.weight, 5.0)
    seen: list[float] = []

    def fails() -> None:
        with ema.swapped_in(module):
            seen.append(module.weight.item())
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert seen == [1.0]
    assert float(module.weight) == 5.0


def test_saved_averages_are_taken_over_and_others_refused() -> None:
    ema = Ema(nn.Linear(2, 2), 0.9)
    saved = {name: torch.full_like(value, 3.0) for name, value in ema.shadow.items()}
    ema.load(saved)
    assert all((value == 3).all() for value in ema.shadow.values())
    assert all(ema.shadow[name] is not saved[name] for name in saved)
    with pytest.raises(KeyError):
        Ema(nn.Linear(2, 2), 0.9).load({"other": torch.ones(2)})


class Counts(nn.Module):
    """A frozen layer, a trained one, and a buffer that every call changes."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(8, 16, bias=False).requires_grad_(False)
        self.trained = nn.Linear(16, 4, bias=False)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.trained(nn.functional.dropout(self.frozen(x), 0.5))


def test_flops_of_a_step_are_counted_and_nothing_is_changed() -> None:
    module = Counts()
    x = torch.ones(3, 8)
    weights = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    flops = step_flops(module, lambda: module(x).sum())
    # Forward: both layers. Backward: the gradient of the trained weights alone, since nothing before them learns.
    assert flops == 2 * 3 * (8 * 16 + 16 * 4) + 2 * 3 * 16 * 4
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, weights[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())
