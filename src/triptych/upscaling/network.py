"""The built-in upscaler: a plain convolutional network with a head for 2x and a head for 4x.

It sees the small picture only, in sRGB, and adds to the bicubic enlargement what that lacks; both heads share the
trunk, so 4x costs one pass over the small picture (decision 0031). No attention, no norms, no statistics over space:
what a pixel becomes depends on `margin` pixels around it and on nothing else, so tiles are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALES = (2, 4)
SLOPE = 0.1
"""Of the activations below zero. They have a corner, since pictures in [0, 1] make small features: there a smooth
activation is nearly a straight line, and the whole network nearly one linear filter (decision 0031)."""
_BICUBIC_REACH = 3  # pixels of the small picture that a cubic kernel sees on one side, and one for the phase


@dataclass(frozen=True)
class UpscalerConfig:
    """width: channels; blocks: pairs of convolutions; scales: the heads."""

    width: int = 48
    blocks: int = 10
    scales: tuple[int, ...] = SCALES


class Upscaler(nn.Module):
    """(B, 3, H, W) in [0, 1] -> (B, 3, scale H, scale W), not clamped."""

    name = "upscaler"

    def __init__(self, config: UpscalerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or UpscalerConfig()
        self.conv_in = _conv(3, config.width)
        self.blocks = nn.ModuleList(_Block(config.width) for _ in range(config.blocks))
        self.conv_trunk = _conv(config.width, config.width)
        self.heads = nn.ModuleDict({f"x{scale}": _conv(config.width, 3 * scale**2) for scale in config.scales})
        for head in self.heads.values():  # untrained, it is the bicubic enlargement
            nn.init.zeros_(head.weight)  # type: ignore[arg-type]

    @property
    def margin(self) -> int:
        """How far a pixel sees, in pixels of the small picture."""
        return max(1 + 2 * self.config.blocks + 1 + 1, _BICUBIC_REACH)

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory of a forward in float32, for each pixel of the small picture: trunk, head, and the sum."""
        return 4 * (4 * self.config.width + 9 * max(self.config.scales) ** 2)

    def forward(self, x: Tensor, scale: int) -> Tensor:
        base = F.interpolate(x, scale_factor=float(scale), mode="bicubic", align_corners=False)
        first = self.conv_in((x - 0.5).contiguous(memory_format=torch.channels_last))
        features = first
        for block in self.blocks:
            features = block(features)
        features = first + self.conv_trunk(features)
        return base + F.pixel_shuffle(self.heads[f"x{scale}"](features), scale)


class _Block(nn.Module):
    """Two convolutions on a residual (Lim et al. 2017, EDSR), whose answer starts small."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = _conv(width, width)
        with torch.no_grad():
            self.second.weight.mul_(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.leaky_relu(self.first(x), SLOPE))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    conv = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv
