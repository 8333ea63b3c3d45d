"""The detector: where each noun of a level stands, its box, colour and visible share, and the background.

A convolutional network that finds things as peaks of one heatmap per noun at a quarter of the picture's size, after
CenterNet (Zhou, Wang, Kraehenbuehl 2019, "Objects as Points"): Gaussian targets (section 3), penalty-reduced focal loss
(eq. 1). It takes pictures of any size that 16 divides. Decoding stands in `decode`, data in `data`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.evals.readers.layers import conv_norm

STRIDE = 4
"""Pixels per cell of the heatmaps."""
COLOUR_IGNORED = -1
_RARE = -4.6
"""Logit of a hundredth: most cells hold no centre."""


@dataclass(frozen=True)
class DetectorConfig:
    """The words that it knows, in the order of its outputs. size: the picture's side that it was trained at.

    widths: channels at a half, a quarter, an eighth and a sixteenth of the picture.
    """

    nouns: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[str, ...]
    size: int = 128
    widths: tuple[int, int, int, int] = (32, 64, 96, 128)


class Maps(NamedTuple):
    """What the network says. heat (B, nouns, h, w) and visible (B, h, w) are logits, colour (B, colours, h, w) and
    background (B, backgrounds) log-odds, box (B, 4, h, w): offset of the centre in cells, logarithm of the sides in
    cells."""

    heat: Tensor
    box: Tensor
    colour: Tensor
    visible: Tensor
    background: Tensor


class Detector(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] -> `Maps`."""

    calibration: Tensor

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        half, quarter, eighth, sixteenth = config.widths
        self.stem = nn.Sequential(_conv(3, half, 2), _conv(half, quarter, 2), Residual(quarter))
        self.middle = nn.Sequential(_conv(quarter, eighth, 2), Residual(eighth))
        self.deep = nn.Sequential(_conv(eighth, sixteenth, 2), Residual(sixteenth))
        self.up_deep = nn.Conv2d(sixteenth, eighth, 1)
        self.up_middle = nn.Conv2d(eighth, quarter, 1)
        self.neck = nn.Sequential(_conv(quarter, quarter), _conv(quarter, eighth))
        self.head_heat = nn.Conv2d(eighth, len(config.nouns), 1)
        self.head_rest = nn.Conv2d(eighth, 4 + len(config.colours) + 1, 1)
        self.head_background = nn.Linear(sixteenth + eighth, len(config.backgrounds))
        nn.init.constant_(self.head_heat.bias, _RARE)  # type: ignore[arg-type]
        self.register_buffer("calibration", torch.tensor([1.0, 0.0]))

    def forward(self, x: Tensor) -> Maps:
        fine = self.stem(x)
        middle = self.middle(fine)
        deep = self.deep(middle)
        seen = torch.cat([deep.mean((2, 3)), middle.mean((2, 3))], dim=1)
        middle = middle + F.interpolate(self.up_deep(deep), scale_factor=2.0)
        fine = fine + F.interpolate(self.up_middle(F.relu(middle)), scale_factor=2.0)
        neck = self.neck(F.relu(fine))
        colours = len(self.config.colours)
        box, colour, visible = self.head_rest(neck).float().split([4, colours, 1], dim=1)
        return Maps(self.head_heat(neck).float(), box, colour, visible[:, 0], self.head_background(seen).float())


class Residual(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), of He et al. 2016."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.norm(self.second(self.first(x))))


def _conv(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*conv_norm(inside, outside, stride))


class Targets(NamedTuple):
    """The truth as maps of the same cells. heat (B, nouns, h, w) in 0..1, box (B, 4, h, w), colour (B, h, w) the
    colour's number or `COLOUR_IGNORED`, visible (B, h, w), at: (B, h, w) how much a cell's box counts, background (B,).
    """

    heat: Tensor
    box: Tensor
    colour: Tensor
    visible: Tensor
    at: Tensor
    background: Tensor


def detector_loss(maps: Maps, truth: Targets) -> tuple[Tensor, dict[str, float]]:
    """Mean loss over the batch, and its parts."""
    things = truth.heat.eq(1).sum().clamp(min=1)
    heat = focal(maps.heat, truth.heat) / things
    weight = truth.at / truth.at.sum().clamp(min=1e-6)
    box = ((maps.box - truth.box).abs().sum(1) * weight).sum()
    visible = (F.binary_cross_entropy_with_logits(maps.visible, truth.visible, reduction="none") * weight).sum()
    told = truth.at * (truth.colour != COLOUR_IGNORED)
    each = F.cross_entropy(maps.colour, truth.colour.clamp(min=0), reduction="none")
    colour = (each * told).sum() / told.sum().clamp(min=1e-6)
    background = F.cross_entropy(maps.background, truth.background)
    total = heat + box + 0.5 * colour + 0.5 * visible + 0.2 * background
    parts = {"heat": heat, "box": box, "colour": colour, "visible": visible, "background": background}
    return total, {name: float(part.detach()) for name, part in parts.items()}


def focal(logits: Tensor, target: Tensor) -> Tensor:
    """The penalty-reduced focal loss, summed (Objects as Points, eq. 1, alpha 2 and beta 4)."""
    chance = logits.sigmoid()
    centre = target.eq(1)
    hit = -F.logsigmoid(logits) * (1 - chance).square()
    miss = F.softplus(logits) * chance.square() * (1 - target).pow(4)
    return torch.where(centre, hit, miss).sum()
