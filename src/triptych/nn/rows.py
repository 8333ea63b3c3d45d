"""Same numbers in any company.

A matrix product with few rows takes another kernel, and other rounding, than one with many: the same picture would
differ by a bit when it shares a batch, or when more threads split the product. Layers that see one row per picture
(timestep, pooled text, token decoding) or per word of a small table are therefore never given fewer than `ENOUGH_ROWS`
rows. docs/decisions has the measurement and what it costs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ENOUGH_ROWS = 16


def with_enough_rows(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply `layer` to x (B, ...) padded with copies of its last row to at least ENOUGH_ROWS; return B rows.

    While gradients are recorded nothing is padded: training has no use for equality between batch sizes.
    """
    missing = ENOUGH_ROWS - x.shape[0]
    if missing <= 0 or torch.is_grad_enabled():
        return layer(x)
    padded = torch.cat([x, x[-1:].expand(missing, *x.shape[1:])])
    return layer(padded)[: x.shape[0]]
