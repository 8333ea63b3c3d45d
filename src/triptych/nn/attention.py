"""Scaled dot-product attention with heads laid out as the checkpoints of the field have them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.nn.rows import ENOUGH_ROWS

MAX_WRITTEN_OUT = 1024
"""Keys up to which the whole score matrix may be written out, of few queries more; beyond, memory matters more than
time."""


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, heads * D) -> (B, heads, N, D)."""
    B, N, C = x.shape
    return x.view(B, N, heads, C // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, N, D) -> (B, N, heads * D)."""
    B, H, N, D = x.shape
    return x.transpose(1, 2).reshape(B, N, H * D)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
    """softmax(q k^T / sqrt(D)) v.

    q, k, v: (B, heads, N, D). mask: True = may look, broadcastable to (B, heads, N, M).
    """
    if q.device.type == "cpu" and min(q.shape[-2], ENOUGH_ROWS) * k.shape[-2] <= ENOUGH_ROWS * MAX_WRITTEN_OUT:
        backwards = torch.is_grad_enabled() and (q.requires_grad or k.requires_grad or v.requires_grad)
        # The fused kernel is slow backwards in bfloat16: 108 ms against 23 ms written out, where float32 takes
        # 38 ms (64 x 6 heads, 104 tokens, D = 32, one Zen 4 core).
        slow = backwards and q.dtype == torch.bfloat16
        # With one query (token decoding) its bits depend on which thread computes a row: each thread's scratch
        # memory is aligned differently, and a product with few rows takes another path for that.
        unsteady = q.shape[-2] < ENOUGH_ROWS
        if slow or unsteady:
            return _written_out(q, k, v, mask, causal)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)


def _written_out(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool) -> Tensor:
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if causal:
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return torch.softmax(scores, dim=-1, dtype=q.dtype) @ v
