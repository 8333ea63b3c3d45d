"""A network that answers its target exactly gives back the picture and the noise, in every parameterization."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from triptych.sampling import Kind, noise, target, to_eps, to_x0

KINDS = get_args(Kind)


@given(st.sampled_from(KINDS), st.sampled_from(["vp", "flow"]), st.floats(0.01, 0.99))
def test_round_trip(kind: Kind, path: str, place: float) -> None:
    if path == "vp":
        alpha, sigma = math.cos(place * math.pi / 2), math.sin(place * math.pi / 2)
    else:
        alpha, sigma = 1 - place, place
    x0, eps = noise.normal(1, 0, 0, (2, 4, 4)).double(), noise.normal(1, 0, 1, (2, 4, 4)).double()
    x = alpha * x0 + sigma * eps
    prediction = target(kind, x0, eps, alpha, sigma)
    torch.testing.assert_close(to_x0(kind, prediction, x, alpha, sigma), x0)
    torch.testing.assert_close(to_eps(kind, prediction, x, alpha, sigma), eps)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_levels(kind: Kind) -> None:
    x0, eps = noise.normal(1, 0, 0, (3, 2, 4, 4)), noise.normal(1, 0, 1, (3, 2, 4, 4))
    alpha = torch.tensor([0.9, 0.5, 0.1]).view(3, 1, 1, 1)
    sigma = (1 - alpha**2).sqrt()
    x = alpha * x0 + sigma * eps
    together = to_x0(kind, target(kind, x0, eps, alpha, sigma), x, alpha, sigma)
    torch.testing.assert_close(together, x0, rtol=1e-4, atol=1e-5)
    for row in range(3):
        a, s = alpha[row].item(), sigma[row].item()
        torch.testing.assert_close(to_x0(kind, target(kind, x0[row], eps[row], a, s), x[row], a, s), together[row])


def test_the_named_targets() -> None:
    x0, eps = torch.tensor([2.0]), torch.tensor([-1.0])
    assert target("epsilon", x0, eps, 0.6, 0.8).item() == -1
    assert target("v", x0, eps, 0.6, 0.8).item() == pytest.approx(0.6 * -1 - 0.8 * 2)
    assert target("x0", x0, eps, 0.6, 0.8).item() == 2
    assert target("flow", x0, eps, 0.3, 0.7).item() == -3


@pytest.mark.parametrize("kind", ["v", "x0", "flow"])
def test_pure_noise_is_safe(kind: Kind) -> None:
    x0, eps = torch.ones(2), torch.full((2,), -0.5)
    assert torch.equal(to_x0(kind, target(kind, x0, eps, 0.0, 1.0), eps, 0.0, 1.0), x0)


def test_epsilon_cannot_be_read_in_pure_noise() -> None:
    x = torch.zeros(2, 1)
    with pytest.raises(ValueError, match="alpha 0"):
        to_x0("epsilon", x, x, 0.0, 1.0)
    with pytest.raises(ValueError, match="alpha 0"):
        to_x0("epsilon", x, x, torch.tensor([[0.5], [0.0]]), torch.tensor([[0.8], [1.0]]))
    with pytest.raises(ValueError, match="sigma 0"):
        to_eps("x0", x, x, 1.0, 0.0)
