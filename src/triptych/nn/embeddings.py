"""Sinusoidal embeddings of a scalar (timestep, guidance) and the two-layer network behind them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from triptych.nn.rows import with_enough_rows


def sinusoidal(
    t: Tensor, dim: int, *, max_period: float = 10_000.0, cosine_first: bool = True, shift: float = 0.0
) -> Tensor:
    """Sinusoidal features of a scalar (Vaswani et al. 2017, section 3.5).

    t: (B,) in network units (Stable Diffusion: 0..999; FLUX: 1000 * sigma). Returns (B, dim), float32.
    The last frequency is 1 / max_period where `shift` is 1 (the `freq_shift` of diffusers), just short of it at 0.
    """
    half = dim // 2
    steps = torch.arange(half, dtype=torch.float32, device=t.device)
    exponent = -math.log(max_period) * steps / (half - shift)
    angles = t.float()[:, None] * torch.exp(exponent)[None, :]
    sine, cosine = torch.sin(angles), torch.cos(angles)
    return torch.cat((cosine, sine) if cosine_first else (sine, cosine), dim=-1)


class TimestepEmbedding(nn.Module):
    """Linear, SiLU, linear; parameter names `linear_1`, `linear_2` as in diffusers."""

    def __init__(self, in_channels: int, dim: int, *, bias: bool = True) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(in_channels, dim, bias=bias)
        self.act = nn.SiLU()
        self.linear_2 = nn.Linear(dim, dim, bias=bias)

    def forward(self, features: Tensor) -> Tensor:
        """(B, in_channels) -> (B, dim)."""
        return with_enough_rows(lambda rows: self.linear_2(self.act(self.linear_1(rows))), features)
