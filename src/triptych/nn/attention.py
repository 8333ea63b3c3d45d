"""Scaled dot-product attention with heads laid out as the checkpoints of the field have them."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, heads * D) -> (B, heads, N, D)."""
    B, N, C = x.shape
    return x.view(B, N, heads, C // heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, N, D) -> (B, N, heads * D)."""
    B, H, N, D = x.shape
    return x.transpose(1, 2).reshape(B, N, H * D)


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, *, causal: bool = False) -> Tensor:
    """softmax(q k^T / sqrt(D)) v; q, k, v: (B, heads, N, D); mask: True = may look, broadcastable to (B, heads, N, M)."""
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal)
