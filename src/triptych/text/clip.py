"""Contrastive training of text and pictures (CLIP; Radford et al. 2021, section 2.3 and figure 3).

The image tower is only a teacher: it gives the text encoder's words their looks, and similarity of text to
pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.block import Block
from triptych.nn.norm import RMSNorm
from triptych.nn.rows import with_enough_rows

# B batch, C width

MAX_LOGIT_SCALE = math.log(100.0)


@dataclass(frozen=True)
class ImageTowerConfig:
    """size: side of the pictures it looks at; larger ones are averaged down. width: of the shared space."""

    size: int = 64
    width: int = 160
    layers: int = 2
    heads: int = 5


class ImageTower(nn.Module):
    """Three strided convolutions to an eighth of the side, a few transformer blocks, the mean."""

    def __init__(self, config: ImageTowerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ImageTowerConfig()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 48, 4, stride=4),
            nn.GELU(),
            nn.Conv2d(48, 96, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(96, config.width, 2, stride=2),
        )
        self.position = nn.Parameter(torch.empty((config.size // 8) ** 2, config.width))
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(config.layers))
        self.norm = RMSNorm(config.width)
        self.projection = nn.Linear(config.width, config.width, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        nn.init.normal_(self.position, std=0.2)

    def forward(self, pictures: Tensor) -> Tensor:
        """pictures (B, 3, H, W) in [-1, 1], H = W a multiple of `size` -> (B, C), of length one."""
        if pictures.shape[-1] != self.config.size:
            pictures = F.adaptive_avg_pool2d(pictures, self.config.size)
        x = self.stem(pictures).flatten(2).transpose(1, 2) + self.position
        for block in self.blocks:
            x = block(x)
        pooled = self.norm(x).mean(1)
        return F.normalize(with_enough_rows(self.projection, pooled).float(), dim=-1)


def same_captions(ids: Tensor) -> Tensor:
    """ids (B, T) -> (B, B), True where two captions are equal: a picture of one is no wrong answer for the
    other.
    """
    return (ids[:, None, :] == ids[None, :, :]).all(-1)


def clip_loss(text: Tensor, image: Tensor, logit_scale: Tensor, same: Tensor | None = None) -> Tensor:
    """Symmetric InfoNCE: each caption picks its picture among the batch, and each picture its caption.

    text, image: (B, C) of length one, row i of each belonging together; logit_scale: log of the inverse
    temperature, learned, held below log 100 as in the paper; same: (B, B), pairs beside the diagonal that are
    not negatives.
    """
    logits = logit_scale.clamp(max=MAX_LOGIT_SCALE).exp() * text @ image.T
    if same is not None:
        others = same & ~torch.eye(len(text), dtype=torch.bool, device=text.device)
        logits = logits.masked_fill(others, float("-inf"))
    target = torch.arange(len(text), device=text.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
