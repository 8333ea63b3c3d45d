"""Low-rank terms that are added to a layer's output from outside, so that its own weights are never touched.

A term is y + scale * up(down(x)) (Hu et al. 2021, LoRA), for linear layers and for convolutions. Terms hang on a layer
only while a `hung` block lasts. A network that multiplies several layers' weights at once, instead of calling them,
asks `with_added` itself. Knows no file, no name and no network.

Shapes: r rank, B pictures.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.rows import ENOUGH_ROWS

_TERMS = "added_terms"


@dataclass(frozen=True)
class LowRank:
    """down: (r, in), or (r, in, kh, kw) for a convolution; up: (out, r). Both may be parameters that are trained."""

    down: Tensor
    up: Tensor
    scale: float = 1.0

    def delta(self) -> Tensor:
        """What the term adds to the layer's weight: (out, in) or (out, in, kh, kw), float32."""
        return (self.scale * (self.up.float() @ self.down.float().flatten(1))).view(len(self.up), *self.down.shape[1:])

    def on(self, weight: Tensor) -> LowRank:
        """The same term in the dtype of a layer's weight, where that lies."""
        return LowRank(self.down.to(weight), self.up.to(weight), self.scale)

    def padded(self) -> LowRank:
        """The same term with a rank of at least ENOUGH_ROWS, by zeros: a product with one column rounds by its rows."""
        missing = max(0, ENOUGH_ROWS - len(self.down))
        down = F.pad(self.down.flatten(1), (0, 0, 0, missing)).view(-1, *self.down.shape[1:])
        return LowRank(down, F.pad(self.up, (0, missing)), self.scale)

    def __call__(self, layer: nn.Module, x: Tensor) -> Tensor:
        """The term for the layer's input x: of the shape of the layer's output."""
        if isinstance(layer, nn.Linear):
            return self.scale * F.linear(F.linear(x, self.down.to(x.dtype)), self.up.to(x.dtype))
        if not isinstance(layer, nn.Conv2d):
            raise TypeError(f"no low-rank term fits a {type(layer).__name__}")
        return self.scale * self._over_patches(layer, x)

    def _over_patches(self, layer: nn.Conv2d, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H', W'), as a matrix product over patches, whose bits do not depend on B."""
        high, wide = (
            (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for side, pad, dilation, kernel, stride in zip(
                x.shape[-2:], _pair(layer.padding), layer.dilation, layer.kernel_size, layer.stride, strict=True
            )
        )
        patches = F.unfold(x, layer.kernel_size, layer.dilation, _pair(layer.padding), layer.stride).transpose(1, 2)
        cells = F.linear(F.linear(patches, self.down.flatten(1).to(x.dtype)), self.up.to(x.dtype))
        return cells.transpose(1, 2).unflatten(2, (high, wide))


def _pair(padding: Any) -> tuple[int, int]:
    if isinstance(padding, str):
        raise TypeError(f"no low-rank term fits a convolution with padding {padding!r}")
    return padding


def fits(layer: nn.Module) -> bool:
    """Whether a low-rank term can be added to this layer."""
    return isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1)


def with_added(layer: nn.Module, x: Tensor, out: Tensor) -> Tensor:
    """The layer's output `out` for input x, plus the terms that hang on it."""
    for term in getattr(layer, _TERMS, ()):
        out = out + term(layer, x)
    return out


@contextmanager
def hung(terms: Mapping[nn.Module, Sequence[LowRank]]) -> Generator[None]:
    """Add each layer's terms to its output for as long as the block lasts; the layers are then as before."""
    handles: list[Any] = []
    before = {layer: tuple(getattr(layer, _TERMS, ())) for layer in terms}
    try:
        for layer, own in terms.items():
            setattr(layer, _TERMS, (*before[layer], *own))
            if not before[layer]:
                handles.append(layer.register_forward_hook(_hook))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for layer, own in before.items():
            if own:
                setattr(layer, _TERMS, own)
            elif hasattr(layer, _TERMS):
                delattr(layer, _TERMS)


def _hook(layer: nn.Module, inputs: tuple[Tensor, ...], out: Tensor) -> Tensor:
    return with_added(layer, inputs[0], out)


@contextmanager
def swapped(weights: Mapping[nn.Module, nn.Parameter]) -> Generator[None]:
    """Let each layer compute with another weight for as long as the block lasts. Its own tensor is only put aside."""
    own = {layer: layer._parameters["weight"] for layer in weights}
    try:
        for layer, weight in weights.items():
            layer._parameters["weight"] = weight
        yield
    finally:
        for layer, weight in own.items():
            layer._parameters["weight"] = weight


def merged(layer: nn.Module, terms: Sequence[LowRank]) -> nn.Parameter:
    """A new weight: the layer's own plus all terms, summed in float32, in the layer's dtype."""
    weight = layer.weight
    if not isinstance(weight, Tensor):
        raise TypeError(f"no low-rank term fits a {type(layer).__name__}")
    with torch.inference_mode(False), torch.no_grad():
        total = weight.float()
        for term in terms:
            total = total + term.delta().view(weight.shape).to(weight.device)
        return nn.Parameter(total.to(weight.dtype), requires_grad=False)
