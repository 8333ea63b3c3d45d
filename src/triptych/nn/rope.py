"""Rotary position embedding (Su et al. 2021, RoFormer, section 3.2) over any number of position axes.

A head of D channels is D/2 planes; each plane is turned by an angle that grows with the token's position, so
that q . k depends on differences of positions only. With several axes (FLUX: reference, row, column, place in
the text) each axis owns a part of the planes. Two layouts of the planes are in use:

  pairs    plane i = channels (2i, 2i + 1)       FLUX, LlamaGen, the original Llama code
  halves   plane i = channels (i, i + D/2)       Llama in transformers

Knows positions and channels; what the axes mean is the caller's business.

Shapes: B batch, N tokens, H heads, D channels of a head, A axes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def rope_table(ids: Tensor, axes_dims: Sequence[int], theta: float) -> Tensor:
    """exp(i * angle) for every token and plane.

    ids: (..., N, A), positions on each axis; axes_dims: channels that each axis owns, all even.
    Returns (..., N, sum(axes_dims) / 2), complex64. Angles are taken in float64, as the references do: at
    position 1000 a float32 angle is off by 1e-4.
    """
    angles = []
    for axis, dim in enumerate(axes_dims):
        exponent = torch.arange(0, dim, 2, dtype=torch.float64, device=ids.device) / dim
        angles.append(ids[..., axis].double()[..., None] * theta**-exponent)
    angle = torch.cat(angles, dim=-1)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64)


def rotate_pairs(x: Tensor, table: Tensor) -> Tensor:
    """Turn channels (2i, 2i + 1) of x (B, N, H, D) by `table` (N, D/2) or (B, N, D/2). Computed in float32.

    One complex product is one pass over memory, in both directions: on a CPU, with gradients, four times as
    fast as the same arithmetic on real and imaginary parts.
    """
    planes = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(planes * table.unsqueeze(-2)).flatten(-2).to(x.dtype)


def rotate_halves(x: Tensor, table: Tensor) -> Tensor:
    """Turn channels (i, i + D/2) of x (B, N, H, D) by `table` (N, D/2) or (B, N, D/2), in float32."""
    cos, sin = table.real.unsqueeze(-2), table.imag.unsqueeze(-2)
    first, second = x.float().chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1).to(x.dtype)


class RopeCache:
    """Keeps the last table for each shape of ids, so that a sampling or training loop computes it once.

    A table is used again only if the ids are equal, value for value; comparing them costs microseconds. Holds
    no parameters and is not part of a state dict.
    """

    def __init__(self, axes_dims: Sequence[int], theta: float) -> None:
        self.axes_dims = tuple(axes_dims)
        self.theta = theta
        self._kept: dict[tuple[torch.Size, torch.device], tuple[Tensor, Tensor]] = {}

    def __call__(self, ids: Tensor) -> Tensor:
        """ids (..., N, A) -> table (..., N, D/2), complex64."""
        key = (ids.shape, ids.device)
        kept = self._kept.get(key)
        if kept is not None and torch.equal(kept[0], ids):
            return kept[1]
        if len(self._kept) >= 32:  # many picture sizes in one process: begin again rather than grow for ever
            self._kept.clear()
        # Made outside of inference mode, so that a table first needed while sampling still serves training.
        with torch.inference_mode(False), torch.no_grad():
            ids = ids.clone()
            table = rope_table(ids, self.axes_dims, self.theta)
        self._kept[key] = (ids, table)
        return table
