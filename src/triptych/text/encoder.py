"""The text encoder: token ids to token states, which the painters attend to, and a pooled vector for
similarity.

Bidirectional, small, and the same for every family. Padding is masked inside and leaves as one learned state,
so that downstream networks need no mask. A prompt without words is the start mark alone: its states are the
unconditional ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.block import Block
from triptych.nn.norm import RMSNorm
from triptych.nn.rows import with_enough_rows

# B batch, T tokens, C width


@dataclass(frozen=True)
class TextEncoderConfig:
    """vocabulary: number of token ids; length: tokens per prompt; pad: the id of padding."""

    vocabulary: int
    length: int = 48
    width: int = 160
    layers: int = 3
    heads: int = 5
    pad: int = 0


class TextEncoder(nn.Module):
    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Parameter(torch.empty(config.length, config.width))
        self.blocks = nn.ModuleList(Block(config.width, config.heads) for _ in range(config.layers))
        self.norm = RMSNorm(config.width)
        self.pad_state = nn.Parameter(torch.zeros(config.width))
        self.projection = nn.Linear(config.width, config.width, bias=False)
        # Embeddings at the scale of one unit per channel: the default would drown the positions.
        nn.init.normal_(self.position, std=0.5)

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """ids (B, T) -> states (B, T, C) and pooled (B, C), of length one; T is at most `length`."""
        real = ids != self.config.pad
        x = self.token(ids) + self.position[: ids.shape[1]]
        mask = real[:, None, None, :]
        for block in self.blocks:
            x = block(x, mask=mask)
        x = self.norm(x)
        share = real.to(x.dtype)[:, :, None]
        mean = (x * share).sum(1) / share.sum(1).clamp(min=1)
        states = torch.where(real[:, :, None], x, self.pad_state.to(x.dtype))
        return states, F.normalize(with_enough_rows(self.projection, mean).float(), dim=-1)
