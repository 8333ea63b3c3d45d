"""A LoRA that is being trained: low-rank halves for a network's layers, and the file that they become.

Which layers take part is told by their names: everything inside a block, whatever the network. Knows no data and no
loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from triptych.adapters.lora.match import layers_of
from triptych.core.errors import InvalidRequest
from triptych.nn.added import LowRank, hung

IN_A_BLOCK = re.compile(r"(?:^|\.)(?:transformer_blocks|single_transformer_blocks|layers|resnets)\.\d+\.")
"""Attention, feed-forward and residual convolutions; not what reads the time, the text or the picture."""
LEFT_OUT = re.compile(r"\.time_emb_proj$")
MAX_RANK = 256
PREFIXES = {"flow": "transformer.", "diffusion": "unet.", "autoregressive": "base_model.model."}
"""What diffusers and PEFT put before the names of the layers, by family."""


class TrainedLora(nn.Module):
    """Halves for every layer of the network that stands in a block: down is random, up zero, so that nothing is changed
    at first (Hu et al. 2021, section 4.1). alpha: the update is scaled by alpha / rank.
    """

    def __init__(self, network: nn.Module, rank: int, alpha: float, generator: torch.Generator) -> None:
        super().__init__()
        if not 1 <= rank <= MAX_RANK:
            raise InvalidRequest("rank", f"{rank} is not allowed: 1 to {MAX_RANK}")
        self.rank, self.alpha = rank, alpha
        named = layers_of(network)
        self._layers = {
            name: layer for name, layer in named.items() if IN_A_BLOCK.search(name) and not LEFT_OUT.search(name)
        }
        self.down, self.up = nn.ParameterDict(), nn.ParameterDict()
        for name, layer in self._layers.items():
            rows, *inputs = layer.weight.shape
            down = torch.empty(rank, *inputs)
            bound = 1 / math.sqrt(math.prod(inputs))
            self.down[_key(name)] = nn.Parameter(down.uniform_(-bound, bound, generator=generator))
            self.up[_key(name)] = nn.Parameter(torch.zeros(rows, rank))

    @property
    def layers(self) -> tuple[str, ...]:
        return tuple(self._layers)

    @contextmanager
    def attached(self) -> Generator[None]:
        """The network with this LoRA as it is now, gradients included."""
        terms: dict[nn.Module, tuple[LowRank, ...]] = {
            layer: (LowRank(self.down[_key(name)], self.up[_key(name)], self.alpha / self.rank),)
            for name, layer in self._layers.items()
        }
        with hung(terms):
            yield

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """What a file holds, in half precision, as diffusers and PEFT name it; the scaling is part of `lora_B`."""
        made: dict[str, Tensor] = {}
        for name, layer in self._layers.items():
            up = self.up[_key(name)].detach() * (self.alpha / self.rank)
            shape = (*up.shape, *(1 for _ in layer.weight.shape[2:]))
            made[f"{prefix}{name}.lora_A.weight"] = self.down[_key(name)].detach().half()
            made[f"{prefix}{name}.lora_B.weight"] = up.view(shape).half()
        return made


def _key(name: str) -> str:
    """A layer's name as the name of a parameter, which may not hold dots."""
    return name.replace(".", "/")
