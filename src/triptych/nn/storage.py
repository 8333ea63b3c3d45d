"""Weights as they lie on the disk: matrices in 8 bits with one scale per row, and back.

Rounding to the nearest of 255 levels of a row's largest weight (symmetric, per output channel, as in LLM.int8(),
Dettmers et al. 2022, without its outliers) moves a weight by at most 0.4 % of that largest one. It is for storage:
networks compute with the floats that `unpacked` gives back. Knows no file and no network.
"""

from __future__ import annotations

import torch
from torch import Tensor

SCALE = ".int8_scale"
"""What a packed tensor's scales are called: its own name and this."""
LEVELS = 127
SMALLEST = 4096
"""Tensors with fewer values stay as they are: norms, biases and tables of positions cost nothing and steer much."""


def packed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Every large matrix or kernel as int8 of the same shape, with float32 scales (rows,) beside it."""
    stored: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or tensor.ndim < 2 or tensor.numel() < SMALLEST:
            stored[name] = tensor
            continue
        rows = tensor.detach().float().flatten(1)
        scale = rows.abs().amax(dim=1) / LEVELS
        scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        stored[name] = (rows / scale[:, None]).round().to(torch.int8).view(tensor.shape)
        stored[name + SCALE] = scale
    return stored


def unpacked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `packed`, in float32; tensors that have no scales are handed through."""
    return {
        name: _floats(tensor, tensors[name + SCALE]) if name + SCALE in tensors else tensor
        for name, tensor in tensors.items()
        if not name.endswith(SCALE)
    }


def _floats(levels: Tensor, scale: Tensor) -> Tensor:
    return (levels.float().flatten(1) * scale.float()[:, None]).view(levels.shape)
