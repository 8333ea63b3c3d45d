"""Exponential moving average of the weights: what is sampled from and exported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Shadow of a module's parameters. Its decay warms up, (1 + step) / (10 + step), so that the start is forgotten."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.shadow: dict[str, Tensor] = {name: p.detach().clone() for name, p in module.named_parameters()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        names = list(self.shadow)
        live = dict(module.named_parameters())
        torch._foreach_lerp_([self.shadow[n] for n in names], [live[n].detach() for n in names], 1 - decay)

    @torch.no_grad()
    def load(self, shadow: dict[str, Tensor]) -> None:
        """Take over saved averages, wherever they lie; KeyError or RuntimeError if they are another module's."""
        for name, average in self.shadow.items():
            average.copy_(shadow[name])

    @contextmanager
    def swapped_in(self, module: nn.Module) -> Iterator[nn.Module]:
        """The module with the averaged weights, for as long as the block lasts."""
        live = {name: p.detach().clone() for name, p in module.named_parameters()}
        self._copy(module, self.shadow)
        try:
            yield module
        finally:
            self._copy(module, live)

    @staticmethod
    @torch.no_grad()
    def _copy(module: nn.Module, source: dict[str, Tensor]) -> None:
        for name, p in module.named_parameters():
            p.copy_(source[name])
