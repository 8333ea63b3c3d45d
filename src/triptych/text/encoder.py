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
from triptych.nn.rows import ENOUGH_ROWS, with_enough_rows

# B batch, T tokens, C width


@dataclass(frozen=True)
class TextEncoderConfig:
    """vocabulary: number of token ids; length: tokens per prompt; pad: the id of padding."""

    vocabulary: int
    length: int = 40
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
        """ids (B, T), padded at the end -> states (B, T, C) and pooled (B, C), of length one; T is at most
        `length`.
        """
        real = ids != self.config.pad
        # Columns that are padding in every row are never computed: most captions fill a third of the length.
        width = min(ids.shape[1], -(-int(real.sum(1).max()) // ENOUGH_ROWS) * ENOUGH_ROWS)
        words = real[:, :width]
        x = self.token(ids[:, :width]) + self.position[:width]
        mask = words[:, None, None, :]
        for block in self.blocks:
            x = block(x, mask=mask)
        x = self.norm(x)
        share = words.to(x.dtype)[:, :, None]
        mean = (x * share).sum(1) / share.sum(1).clamp(min=1)
        pad = self.pad_state.to(x.dtype)
        states = torch.where(words[:, :, None], x, pad)
        rest = pad.expand(len(ids), ids.shape[1] - width, -1)
        return torch.cat((states, rest), dim=1), F.normalize(with_enough_rows(self.projection, mean).float(), dim=-1)
