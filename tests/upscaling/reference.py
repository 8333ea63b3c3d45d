"""The public upscalers told a second time, straight over the tensors of their files: what the loader is held against.

Written from the papers and the layouts of published checkpoints, with nothing of the package in it. `*_tensors` make
random checkpoints in those layouts.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

Tensors = dict[str, Tensor]


def conv(tensors: Tensors, name: str, x: Tensor, padding: int = 1) -> Tensor:
    return F.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=padding)


class Maker:
    """Random kernels of a sensible size, from a seed."""

    def __init__(self, seed: int) -> None:
        self.generator, self.tensors = torch.Generator().manual_seed(seed), Tensors()

    def conv(self, name: str, inputs: int, outputs: int, side: int = 3, gain: float = 1.0) -> None:
        spread = gain / (inputs * side * side) ** 0.5
        self.tensors[f"{name}.weight"] = torch.randn(outputs, inputs, side, side, generator=self.generator) * spread
        self.tensors[f"{name}.bias"] = torch.randn(outputs, generator=self.generator) * 0.1


# ESRGAN


def rrdb_tensors(layout: str, *, growth: int = 4, blocks: int = 2, doublings: int = 2, fold: int = 1) -> Tensors:
    """layout: "new" (RealESRGAN), "trunk" (ESRGAN's later files) or "old" (its first, numbered ones)."""
    make, width, last = Maker(1), 8, 4 + 3 * doublings
    trunk, near, end = f"model.1.sub.{blocks}", f"model.{last - 2}", f"model.{last}"
    names = {
        "new": ("conv_first", "body.{}.rdb{}.conv{}", "conv_body", "conv_up{}", "conv_hr", "conv_last"),
        "trunk": ("conv_first", "RRDB_trunk.{}.RDB{}.conv{}", "trunk_conv", "upconv{}", "HRconv", "conv_last"),
        "old": ("model.0", "model.1.sub.{}.RDB{}.conv{}.0", trunk, "up", near, end),
    }
    first, dense, body, up, hr, end = names[layout]
    make.conv(first, 3 * fold**2, width)
    for block in range(blocks):
        for part in (1, 2, 3):
            for step in range(1, 6):
                outputs = width if step == 5 else growth
                make.conv(dense.format(block, part, step), width + (step - 1) * growth, outputs)
    make.conv(body, width, width)
    for step in range(1, doublings + 1):
        make.conv(f"model.{3 * step}" if layout == "old" else up.format(step), width, width)
    make.conv(hr, width, width)
    make.conv(end, width, 3)
    return make.tensors


def rrdb(tensors: Tensors, x: Tensor, *, blocks: int = 2, doublings: int = 2, fold: int = 1) -> Tensor:
    """ESRGAN's forward over tensors of the layout "new"; the sides of x are multiples of `fold`."""

    def act(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    features = first = conv(tensors, "conv_first", F.pixel_unshuffle(x, fold))
    for block in range(blocks):
        came = features
        for part in (1, 2, 3):
            seen = [features]
            for step in range(1, 5):
                seen.append(act(conv(tensors, f"body.{block}.rdb{part}.conv{step}", torch.cat(seen, 1))))
            features = conv(tensors, f"body.{block}.rdb{part}.conv5", torch.cat(seen, 1)) * 0.2 + features
        features = features * 0.2 + came
    features = first + conv(tensors, "conv_body", features)
    for step in range(1, doublings + 1):
        doubled = features.repeat_interleave(2, -1).repeat_interleave(2, -2)
        features = act(conv(tensors, f"conv_up{step}", doubled))
    return conv(tensors, "conv_last", act(conv(tensors, "conv_hr", features)))


# SRVGGNetCompact


def compact_tensors(*, width: int = 8, convs: int = 3, scale: int = 4) -> Tensors:
    make = Maker(2)
    make.conv("body.0", 3, width)
    for layer in range(convs + 1):
        make.tensors[f"body.{2 * layer + 1}.weight"] = torch.rand(width, generator=make.generator)
        outputs = 3 * scale**2 if layer == convs else width
        make.conv(f"body.{2 * layer + 2}", width, outputs)
    return make.tensors


def compact(tensors: Tensors, x: Tensor, *, convs: int = 3, scale: int = 4) -> Tensor:
    features = conv(tensors, "body.0", x)
    for layer in range(convs + 1):
        slope = tensors[f"body.{2 * layer + 1}.weight"][:, None, None]
        features = conv(tensors, f"body.{2 * layer + 2}", features.clamp(min=0) + slope * features.clamp(max=0))
    nearest = x.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
    return nearest + F.pixel_shuffle(features, scale)


# SPAN


def span_tensors(*, width: int = 8, scale: int = 2) -> Tensors:
    """As its training leaves them: each convolution a chain and a shortcut, with a sum that is out of date."""
    make = Maker(3)
    chains = ["conv_1", "conv_2", *(f"block_{number}.c{step}_r" for number in range(1, 7) for step in (1, 2, 3))]
    for name in chains:
        inputs = 3 if name == "conv_1" else width
        make.conv(f"{name}.sk", inputs, width, 1, gain=0.3)
        make.conv(f"{name}.conv.0", inputs, 2 * inputs, 1)
        make.conv(f"{name}.conv.1", 2 * inputs, 2 * width, 3)
        make.conv(f"{name}.conv.2", 2 * width, width, 1)
        make.conv(f"{name}.eval_conv", inputs, width, 3)
    make.conv("conv_cat", 4 * width, width, 1)
    make.conv("upsampler.0", width, 3 * scale**2)
    return make.tensors


def span(tensors: Tensors, x: Tensor, *, scale: int = 2, normed: bool = True) -> Tensor:
    """With the chains as they are, inside a frame of zeros that is wide enough not to matter in the middle."""

    def chain(name: str, x: Tensor) -> Tensor:
        y = conv(tensors, f"{name}.conv.0", x, 0)
        y = conv(tensors, f"{name}.conv.2", conv(tensors, f"{name}.conv.1", y), 0)
        return y + conv(tensors, f"{name}.sk", x, 0)

    if normed:
        x = (x - torch.tensor([0.4488, 0.4371, 0.4040])[:, None, None]) * 255
    first = features = chain("conv_1", x)
    outputs: list[Tensor] = []
    inner = first
    for number in range(1, 7):
        inner = chain(f"block_{number}.c1_r", features)
        inner = inner * inner.sigmoid()
        second = chain(f"block_{number}.c2_r", inner)
        third = chain(f"block_{number}.c3_r", second * second.sigmoid())
        features = (third + features) * (third.sigmoid() - 0.5)
        outputs.append(features)
    joined = torch.cat([first, chain("conv_2", features), outputs[0], inner], 1)
    return F.pixel_shuffle(conv(tensors, "upsampler.0", conv(tensors, "conv_cat", joined, 0)), scale)
