"""Reference pictures as context of a painter: which role each has, and what of the network changes beside them.

A reference is read once, by the painter's own network, as a clean picture: its tokens get its role's vector added, and
what each block's attention makes of them - keys and values - is kept as a memory that the picture under way looks at
(as FLUX.2 puts clean latents of references beside the noisy ones, Black Forest Labs 2025, except that references do not
look back; so they cost once, and not at every step). Low-rank terms (Hu et al. 2021) teach the frozen network both
halves: one set while it reads a reference, another while it paints beside one. They hang on the layers only then.

It knows no family, picture or file. Shapes: K references, M tokens of one, C width, r rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from triptych.nn.added import LowRank

ROLES = ("identity", "style", "pose")
"""What can be taken over by looking. Where and how large things are is the plan's business (decision 0045)."""
NUMBERS = 10
"""References are told apart by numbers from 1 on."""

Sizes = Mapping[str, tuple[int, int]]
"""Name of a linear layer -> channels out and in."""


class ReferenceAdapter(nn.Module):
    """What is trained. layers: those that change; width: C; channels: of a latent token that is read, 0 for codes."""

    def __init__(self, layers: Sizes, *, width: int, channels: int, rank: int = 24) -> None:
        super().__init__()
        self.role = nn.Embedding(len(ROLES), width)
        self.embed = nn.Linear(channels, width, bias=False) if channels else None
        self.reading = LowRankSet(layers, rank)
        self.painting = LowRankSet(layers, rank)
        self.init_weights()

    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Roles are told apart from the start; everything else begins as the frozen network."""
        nn.init.normal_(self.role.weight, std=0.02, generator=generator)
        if self.embed is not None:
            nn.init.zeros_(self.embed.weight)
        for one in (self.reading, self.painting):
            one.init_weights(generator)

    def added(self, roles: Tensor, tokens: Tensor | None = None) -> Tensor:
        """To the embedded tokens of references: (K, M, C), or (K, 1, C) without tokens (K, M, channels)."""
        vectors = self.role(roles)[:, None]
        return vectors if self.embed is None or tokens is None else vectors + self.embed(tokens)


class LowRankSet(nn.Module):
    """A term for each of several linear layers."""

    def __init__(self, layers: Sizes, rank: int) -> None:
        super().__init__()
        self.names = tuple(layers)
        self.down = nn.ParameterList(nn.Parameter(torch.empty(rank, inwards)) for _, inwards in layers.values())
        self.up = nn.ParameterList(nn.Parameter(torch.zeros(outwards, rank)) for outwards, _ in layers.values())

    def init_weights(self, generator: torch.Generator | None = None) -> None:
        for down, up in zip(self.down, self.up, strict=True):
            nn.init.normal_(down, std=down.shape[1] ** -0.5, generator=generator)
            nn.init.zeros_(up)

    def terms(self, network: nn.Module) -> dict[nn.Module, tuple[LowRank]]:
        """By layer of the network, as `nn.added.hung` takes them."""
        return {
            network.get_submodule(name): (LowRank(down, up),)
            for name, down, up in zip(self.names, self.down, self.up, strict=True)
        }


def sizes_of(network: nn.Module, *, under: tuple[str, ...], without: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
    """The linear layers whose names begin with one of `under` and have no part of `without` in them."""
    return {
        name: (layer.out_features, layer.in_features)
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear) and name.startswith(under) and not any(part in name for part in without)
    }
