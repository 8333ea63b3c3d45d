"""The gated feed-forward network of today's transformers (Shazeer 2020, arXiv 2002.05202)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def swiglu(x: Tensor) -> Tensor:
    """SiLU(first half) * second half of the last axis: (..., 2 * C) -> (..., C)."""
    gate, value = x.chunk(2, dim=-1)
    return F.silu(gate) * value


class SwiGLU(nn.Module):
    """Linear to twice `hidden`, gate, linear back; no biases. Parameter names as in FLUX.2."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.linear_in = nn.Linear(dim, 2 * hidden, bias=False)
        self.linear_out = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        return self.linear_out(swiglu(self.linear_in(x)))
