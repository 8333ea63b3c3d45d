"""RRDBNet, the network of ESRGAN and RealESRGAN (Wang et al. 2018, arXiv 1809.00219, figure 4; Wang et al. 2021).

Parameter names are those of RealESRGAN's files; `renamed` brings the two older layouts to them. Knows no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.2
DAMPED = 0.2
"""What a dense block adds is scaled by so much."""
_CONVS = 5
_PARTS = 3


@dataclass(frozen=True)
class RRDBConfig:
    """unshuffle: the picture is folded by so much first, as the 2x and 1x files do; doublings: convolutions that each
    double the size."""

    width: int = 64
    growth: int = 32
    blocks: int = 23
    doublings: int = 2
    unshuffle: int = 1

    @property
    def scale(self) -> int:
        return 2**self.doublings // self.unshuffle


class RRDBNet(nn.Module):
    """(B, 3, H, W) in [0, 1] -> (B, 3, scale H, scale W)."""

    name = "ESRGAN"

    def __init__(self, config: RRDBConfig) -> None:
        super().__init__()
        self.config, width = config, config.width
        self.conv_first = _conv(3 * config.unshuffle**2, width)
        self.body = nn.ModuleList(_Residual(width, config.growth) for _ in range(config.blocks))
        self.conv_body = _conv(width, width)
        for step in range(1, config.doublings + 1):
            self.add_module(f"conv_up{step}", _conv(width, width))
        self.conv_hr = _conv(width, width)
        self.conv_last = _conv(width, 3)

    @property
    def scale(self) -> int:
        return self.config.scale

    @property
    def margin(self) -> int:
        """How far a pixel sees, in pixels of the small picture, rounded up."""
        config = self.config
        return config.unshuffle * (2 + config.blocks * _PARTS * _CONVS + 2) + 1

    @property
    def bytes_per_pixel(self) -> int:
        """Peak memory of a forward in float32, for each pixel of the small picture: three maps at full size."""
        return 4 * 3 * self.config.width * self.scale**2

    def forward(self, x: Tensor, scale: int) -> Tensor:
        height, width = x.shape[-2:]
        fold = self.config.unshuffle
        if fold > 1:
            x = F.pixel_unshuffle(F.pad(x, (0, -width % fold, 0, -height % fold), mode="replicate"), fold)
        first = self.conv_first(x)
        features = first
        for block in self.body:
            features = block(features)
        features = first + self.conv_body(features)
        for step in range(1, self.config.doublings + 1):
            larger = F.interpolate(features, scale_factor=2.0, mode="nearest")
            features = F.leaky_relu(self.get_submodule(f"conv_up{step}")(larger), SLOPE)
        made = self.conv_last(F.leaky_relu(self.conv_hr(features), SLOPE))
        return made[..., : height * self.scale, : width * self.scale]


class _Residual(nn.Module):
    """Three dense blocks on a damped residual (RRDB)."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for part in range(1, _PARTS + 1):
            self.add_module(f"rdb{part}", _Dense(width, growth))

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for part in range(1, _PARTS + 1):
            y = self.get_submodule(f"rdb{part}")(y)
        return x + DAMPED * y


class _Dense(nn.Module):
    """Five convolutions, each of which sees what all before it have made."""

    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        for step in range(1, _CONVS):
            self.add_module(f"conv{step}", _conv(width + (step - 1) * growth, growth))
        self.conv5 = _conv(width + (_CONVS - 1) * growth, width)

    def forward(self, x: Tensor) -> Tensor:
        seen = x
        for step in range(1, _CONVS):
            seen = torch.cat([seen, F.leaky_relu(self.get_submodule(f"conv{step}")(seen), SLOPE)], dim=1)
        return x + DAMPED * self.conv5(seen)


def renamed(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of an older layout under RealESRGAN's names; names that no layout knows stay as they are.

    ESRGAN's first files number the layers of one sequence (`model.0`, `model.1.sub.0.RDB1.conv1.0`, ...): a
    convolution, the blocks, for each doubling an enlargement, a convolution and an activation, then two convolutions
    with an activation between. Its later ones say `RRDB_trunk.0.RDB1.conv1`, `trunk_conv`, `upconv1`, `HRconv`.
    """
    if "model.0.weight" in tensors:
        return {_from_sequence(name, *_sequence(tensors)): tensor for name, tensor in tensors.items()}
    if "trunk_conv.weight" in tensors:
        return {_from_trunk(name): tensor for name, tensor in tensors.items()}
    return tensors


def _sequence(tensors: dict[str, Tensor]) -> tuple[int, int]:
    """The number of the last layer, and of the convolution behind the blocks."""
    layers = [int(found[1]) for name in tensors if (found := re.fullmatch(r"model\.(\d+)\.weight", name))]
    behind = [int(found[1]) for name in tensors if (found := re.fullmatch(r"model\.1\.sub\.(\d+)\.weight", name))]
    return max(layers), max(behind, default=0)


def _from_sequence(name: str, last: int, behind: int) -> str:
    dense = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB([123])\.conv([1-5])\.0\.(weight|bias)", name)
    if dense:
        return f"body.{dense[1]}.rdb{dense[2]}.conv{dense[3]}.{dense[4]}"
    layer, _, kind = name.rpartition(".")
    plain = {
        "model.0": "conv_first",
        f"model.1.sub.{behind}": "conv_body",
        f"model.{last - 2}": "conv_hr",
        f"model.{last}": "conv_last",
    }
    plain |= {f"model.{3 * step}": f"conv_up{step}" for step in range(1, (last - 2) // 3 + 1) if 3 * step < last - 2}
    return f"{plain[layer]}.{kind}" if layer in plain else name


def _from_trunk(name: str) -> str:
    dense = re.fullmatch(r"RRDB_trunk\.(\d+)\.RDB([123])\.(conv[1-5]\.(?:weight|bias))", name)
    if dense:
        return f"body.{dense[1]}.rdb{dense[2]}.{dense[3]}"
    layer, _, kind = name.rpartition(".")
    plain = {"trunk_conv": "conv_body", "HRconv": "conv_hr"}
    return f"{plain.get(layer, layer.replace('upconv', 'conv_up'))}.{kind}"


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)
