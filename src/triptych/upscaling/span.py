"""SPAN, the swift network with parameter-free attention (Wan et al. 2023, arXiv 2311.12770, figure 2 and eq. 3-5).

In its files each convolution is three and a shortcut, which are one 3x3 convolution in sum; `folded` makes that one.
Parameter names are else those of its files. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BLOCKS = 6
MEAN = (0.4488, 0.4371, 0.4040)
RANGE = 255.0
"""What its authors take off the picture and multiply it by. No file says it; with the key `no_norm` neither is done."""


@dataclass(frozen=True)
class SpanConfig:
    width: int = 48
    scale: int = 4
    normed: bool = True


class Span(nn.Module):
    """(B, 3, H, W) in [0, 1] -> (B, 3, scale H, scale W)."""

    name = "SPAN"

    def __init__(self, config: SpanConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.conv_1 = _conv(3, width)
        for number in range(1, BLOCKS + 1):
            self.add_module(f"block_{number}", _Block(width))
        self.conv_cat = nn.Conv2d(4 * width, width, 1)
        self.conv_2 = _conv(width, width)
        self.upsampler = nn.Sequential(_conv(width, 3 * config.scale**2), nn.PixelShuffle(config.scale))
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)

    @property
    def scale(self) -> int:
        return self.config.scale

    @property
    def margin(self) -> int:
        """How far a pixel sees, in pixels of the small picture."""
        return 1 + 3 * BLOCKS + 1 + 1

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory of a forward in float32, for each pixel of the small picture."""
        return 4 * (12 * self.config.width + 6 * self.scale**2)

    def forward(self, x: Tensor, scale: int) -> Tensor:
        if self.config.normed:
            x = (x - self.get_buffer("mean")) * RANGE
        first = self.conv_1(x)
        features, early, inner = first, first, first
        for number in range(1, BLOCKS + 1):
            features, inner = self.get_submodule(f"block_{number}")(features)
            early = features if number == 1 else early
        joined = torch.cat([first, self.conv_2(features), early, inner], dim=1)
        return self.upsampler(self.conv_cat(joined))


class _Block(nn.Module):
    """Three convolutions whose answer weighs itself: (B, C, H, W) -> what it made, and its first activation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c1_r = _conv(width, width)
        self.c2_r = _conv(width, width)
        self.c3_r = _conv(width, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inner = F.silu(self.c1_r(x))
        made = self.c3_r(F.silu(self.c2_r(inner)))
        return (made + x) * (torch.sigmoid(made) - 0.5), inner


def folded(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Each `NAME.conv.0..2` (1x1, 3x3, 1x1) with its shortcut `NAME.sk` (1x1) as one 3x3 convolution `NAME`.

    A kept sum (`NAME.eval_conv`) is used where the branches are missing; beside them it may be out of date.
    """
    names = {name.partition(".sk.")[0] for name in tensors if ".sk." in name}
    sums = {name.partition(".eval_conv.")[0] for name in tensors if ".eval_conv." in name} - names
    made: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        owner = next((each for each in names | sums if name.startswith(f"{each}.")), None)
        if owner is None:
            made[name] = tensor
        elif owner in sums:
            made[name.replace(".eval_conv.", ".")] = tensor
        elif not name.startswith((f"{owner}.sk.", f"{owner}.conv.", f"{owner}.eval_conv.")):
            made[name] = tensor
    for name in names:
        made[f"{name}.weight"], made[f"{name}.bias"] = _folded(tensors, name)
    return made


def _folded(tensors: dict[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    """The kernel and bias of the chain: matrices over the channels multiply, the shortcut joins the middle pixel."""
    first, middle, last = (tensors[f"{name}.conv.{step}.weight"].float() for step in range(3))
    first_bias, middle_bias, last_bias = (tensors[f"{name}.conv.{step}.bias"].float() for step in range(3))
    outer = last[:, :, 0, 0]
    kernel = torch.einsum("om,mnhw,ni->oihw", outer, middle, first[:, :, 0, 0])
    kernel[:, :, 1, 1] += tensors[f"{name}.sk.weight"].float()[:, :, 0, 0]
    # The first bias reaches every tap of the middle kernel: at the border too, where the chain is padded last.
    through = middle_bias + middle.sum((2, 3)) @ first_bias
    return kernel, outer @ through + last_bias + tensors[f"{name}.sk.bias"].float()


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
