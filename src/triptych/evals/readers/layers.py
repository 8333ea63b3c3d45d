"""The one layer that all readers are built of."""

from __future__ import annotations

from torch import nn


def conv_norm(inside: int, outside: int, stride: int | tuple[int, int] = 1) -> list[nn.Module]:
    """A 3x3 convolution, batch norm, ReLU. Batch norm, for in evaluation it looks at no other picture."""
    return [nn.Conv2d(inside, outside, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outside), nn.ReLU()]
