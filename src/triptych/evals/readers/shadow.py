"""The shadow reader: the ground around a thing to where its shadow falls, and whether there is one.

The answer is (right, up) from the thing's foot in shares of its height, as `scenes.render` casts it.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from triptych.evals.readers.layers import conv_norm


class ShadowReader(nn.Module):
    """Windows (B, 3, 32, 48) in [-1, 1] -> (B, 3): logit of there being a shadow, right, up."""

    def __init__(self, widths: tuple[int, int, int] = (16, 32, 48)) -> None:
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(*conv_norm(3, first, 2), *conv_norm(first, second, 2), *conv_norm(second, third, 2))
        self.project = nn.Sequential(nn.Conv2d(third, 16, 1), nn.ReLU(), nn.Flatten())  # 4 x 6 places
        self.head = nn.Sequential(nn.Linear(16 * 24, 48), nn.ReLU(), nn.Linear(48, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.project(self.body(x))).float()


def shadow_loss(read: Tensor, there: Tensor, fall: Tensor) -> Tensor:
    """there (B,) 0 or 1, fall (B, 2). The direction counts by itself: short shadows matter as much as long ones."""
    presence = F.binary_cross_entropy_with_logits(read[:, 0], there)
    away = (read[:, 1:] - fall).abs().sum(1) + 1 - F.cosine_similarity(read[:, 1:], fall, dim=1)
    return presence + (away * there).sum() / there.sum().clamp(min=1)
