"""Weights of a network in 8 bits, turned into floats where they are used: a quarter of float32's memory.

Symmetric, one scale per row (`nn.storage`). A layer's `weight` stays what it is for whoever reads it, LoRA included;
its floats live for as long as one product takes. Knows no architecture.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from triptych.nn.storage import SCALE, packed


class _Rows(nn.Module):
    """int8 levels with a scale per row, as a weight."""

    scale: Tensor

    def __init__(self, scale: Tensor, dtype: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("scale", scale, persistent=False)
        self._dtype = dtype

    def forward(self, levels: Tensor) -> Tensor:
        return (levels.float().flatten(1) * self.scale[:, None]).view(levels.shape).to(self._dtype)


def in_eight_bits(network: nn.Module) -> nn.Module:
    """The network, its large matrices and kernels in 8 bits from now on; the floats are let go one by one."""
    for layer in list(network.modules()):
        weight = getattr(layer, "weight", None)
        if not isinstance(layer, nn.Linear | nn.Conv2d) or not isinstance(weight, Tensor):
            continue
        stored = packed({"weight": weight.data})
        if f"weight{SCALE}" not in stored:
            continue
        levels = nn.Parameter(stored["weight"], requires_grad=False)
        rows = _Rows(stored[f"weight{SCALE}"], weight.dtype)
        layer.weight = levels
        parametrize.register_parametrization(layer, "weight", rows, unsafe=True)
    return network
