"""SRVGGNetCompact, the small network of RealESRGAN (Wang et al. 2021, `realesr-general-x4v3` and its kin).

A plain chain of convolutions with learned activations that works on the small picture and ends in a pixel shuffle
over the nearest enlargement. Parameter names are those of its files. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class CompactConfig:
    """convs: between the first and the last."""

    width: int = 64
    convs: int = 16
    scale: int = 4


class Compact(nn.Module):
    """(B, 3, H, W) in [0, 1] -> (B, 3, scale H, scale W)."""

    name = "SRVGGNetCompact"

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        layers: list[nn.Module] = [_conv(3, width), nn.PReLU(width)]
        for _ in range(config.convs):
            layers += [_conv(width, width), nn.PReLU(width)]
        self.body = nn.Sequential(*layers, _conv(width, 3 * config.scale**2))

    @property
    def scale(self) -> int:
        return self.config.scale

    @property
    def margin(self) -> int:
        """How far a pixel sees, in pixels of the small picture."""
        return self.config.convs + 2

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory of a forward in float32, for each pixel of the small picture."""
        return 4 * (3 * self.config.width + 9 * self.scale**2)

    def forward(self, x: Tensor, scale: int) -> Tensor:
        base = F.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        return base + F.pixel_shuffle(self.body(x), self.scale)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
