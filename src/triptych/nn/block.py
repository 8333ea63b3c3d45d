"""A pre-norm transformer block (Vaswani et al. 2017; RMSNorm, SwiGLU of Shazeer 2020) for our own small
networks.

Not for the families, whose blocks carry the structure and names of published checkpoints.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.attention import attention, merge_heads, split_heads
from triptych.nn.norm import RMSNorm

# B batch, N tokens, M context tokens, C width


class Attention(nn.Module):
    """Multi-head attention of x to itself, or to a context of width `context`."""

    def __init__(self, width: int, heads: int, context: int | None = None) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}")
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(context or width, 2 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None, *, causal: bool = False
    ) -> Tensor:
        """x (B, N, C), context (B, M, context); mask True = may look, broadcastable to (B, heads, N, M)."""
        keys, values = self.key_value(x if context is None else context).chunk(2, dim=-1)
        q, k, v = (split_heads(part, self.heads) for part in (self.query(x), keys, values))
        return self.output(merge_heads(attention(q, k, v, mask, causal=causal)))


class SwiGLU(nn.Module):
    """(silu(x W1) * x W2) W3, with the hidden width that keeps the cost of a plain 4x network."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = -(-width * 8 // 3 // 16) * 16
        self.gate_up = nn.Linear(width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)


class Block(nn.Module):
    """Self-attention, cross-attention where `context` gives a width, and SwiGLU; each on a normed residual."""

    def __init__(self, width: int, heads: int, *, context: int | None = None) -> None:
        super().__init__()
        self.self_norm = RMSNorm(width)
        self.self_attention = Attention(width, heads)
        self.cross_norm = None if context is None else RMSNorm(width)
        self.cross_attention = None if context is None else Attention(width, heads, context)
        self.mlp_norm = RMSNorm(width)
        self.mlp = SwiGLU(width)

    def forward(
        self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None, *, causal: bool = False
    ) -> Tensor:
        """x (B, N, C) -> (B, N, C). `mask` is for the self-attention; the context is seen whole."""
        x = x + self.self_attention(self.self_norm(x), mask=mask, causal=causal)
        if self.cross_norm is not None and self.cross_attention is not None:
            x = x + self.cross_attention(self.cross_norm(x), context)
        return x + self.mlp(self.mlp_norm(x))
