"""What a network predicts, and how to read it: both side by side, so that they cannot drift apart.

At a level x = alpha x_0 + sigma eps, on any path:

  kind      trained to predict          source
  epsilon   eps                         Ho et al. 2020
  v         alpha eps - sigma x_0       Salimans & Ho 2022
  x0        x_0
  flow      eps - x_0                   Liu et al. 2022, the velocity dx/dt of the straight path

alpha and sigma are floats, or tensors that broadcast against x (for a batch: (B, 1, 1, 1)).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Kind = Literal["epsilon", "v", "x0", "flow"]
Level = float | Tensor


def target(kind: Kind, x0: Tensor, eps: Tensor, alpha: Level, sigma: Level) -> Tensor:
    """What the network should answer at alpha x0 + sigma eps; the shape of x0."""
    match kind:
        case "epsilon":
            return eps
        case "v":
            return alpha * eps - sigma * x0
        case "x0":
            return x0
        case "flow":
            return eps - x0


def to_x0(kind: Kind, prediction: Tensor, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
    """The picture that a prediction at x implies. Raises ValueError for epsilon at alpha 0: x holds no picture."""
    match kind:
        case "epsilon":
            if _any_zero(alpha):
                raise ValueError(
                    "epsilon says nothing about the picture at alpha 0 (zero terminal SNR); predict v or x0"
                )
            return (x - sigma * prediction) / alpha
        case "v":
            # alpha x - sigma v = (alpha^2 + sigma^2) x_0; the divisor is 1 on the variance preserving path.
            return (alpha * x - sigma * prediction) / (alpha * alpha + sigma * sigma)
        case "x0":
            return prediction
        case "flow":
            # x - sigma (eps - x_0) = (alpha + sigma) x_0; the divisor is 1 on the straight path.
            return (x - sigma * prediction) / (alpha + sigma)


def to_eps(kind: Kind, prediction: Tensor, x: Tensor, alpha: Level, sigma: Level) -> Tensor:
    """The noise that a prediction at x implies. Raises ValueError for x0 where x holds no noise (sigma 0)."""
    match kind:
        case "epsilon":
            return prediction
        case "v":
            return (sigma * x + alpha * prediction) / (alpha * alpha + sigma * sigma)
        case "x0":
            if _any_zero(sigma):
                raise ValueError("x0 says nothing about the noise at sigma 0 (a clean picture)")
            return (x - alpha * prediction) / sigma
        case "flow":
            return (x + alpha * prediction) / (alpha + sigma)


def _any_zero(level: Level) -> bool:
    return bool(torch.any(level == 0)) if isinstance(level, Tensor) else level == 0
