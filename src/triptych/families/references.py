"""How the reference pictures of a request become a memory that its pictures look at while they are made.

It stands between `Request.references` and a `ReferenceAdapter`, for any family whose network can `recall`. Each
reference is read alone, so that its bits do not depend on how many there are. Roles that act through the plan are none
of its business.

Shapes: K references, M tokens of one, L tokens of all of a request.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from triptych.adapters.reference import ROLES, ReferenceAdapter
from triptych.core.asset import Asset
from triptych.core.request import Request
from triptych.families.pixels import to_picture
from triptych.nn.added import hung

SHORTEST = 32
"""Pixels: a side of a reference has at least so many, however long the other one is."""

Seen = tuple[tuple[Tensor, Tensor], ...]
"""Of each block keys and values. The axes are the network's own; the first one is that of the picture."""


class Recalling(Protocol):
    """A family that can look at references."""

    @property
    def network(self) -> nn.Module: ...

    def reference_layers(self) -> dict[str, tuple[int, int]]:
        """The layers that an adapter may change."""
        ...

    def as_target(self, picture: Tensor) -> Tensor:
        """(1, 3, H, W) in [-1, 1] -> the form that the family learns: latents (1, C, h, w) or codes (1, h, w)."""
        ...

    def recalled(
        self, pictures: Tensor, numbers: Tensor, roles: Tensor, adapter: ReferenceAdapter
    ) -> list[tuple[Tensor, Tensor]]:
        """Keys and values of K pictures in that form, by block. numbers, roles: (K,), numbers from 1 on."""
        ...

    def joined(self, parts: Sequence[Tensor]) -> Tensor:
        """Keys, or values, of several references of one picture as one."""
        ...


@dataclass(frozen=True)
class Memory:
    """What the references of a request left: of each block keys and values, without the axis of the picture.

    tokens: how many they are in all.
    """

    seen: Seen
    tokens: int


class References:
    """The adapter of a family, loaded by `make` at the first request that needs it."""

    def __init__(self, make: Callable[[], ReferenceAdapter]) -> None:
        self._make, self._adapter = make, None

    @property
    def adapter(self) -> ReferenceAdapter:
        if self._adapter is None:
            self._adapter = self._make()
        return self._adapter

    def read(self, request: Request, family: Recalling, native: tuple[int, int]) -> Memory | None:
        """The memory of a resolved request; None where no reference is looked at. native: (width, height)."""
        looked = [one for one in request.references if one.role in ROLES]
        if not looked:
            return None
        with torch.inference_mode(), self.reading(family.network):
            parts: list[list[tuple[Tensor, Tensor]]] = []
            tokens = 0
            for number, one in enumerate(looked, start=1):
                target = family.as_target(to_picture(one.asset, fitted(one.asset, native))[None])
                role = torch.tensor([ROLES.index(one.role)])
                parts.append(family.recalled(target, torch.tensor([number]), role, self.adapter))
                tokens += target.shape[-2] * target.shape[-1]
            seen = tuple(
                (family.joined([k for k, _ in block])[0], family.joined([v for _, v in block])[0])
                for block in zip(*parts, strict=True)
            )
        return Memory(seen, tokens)

    def reading(self, network: nn.Module) -> AbstractContextManager[None]:
        """The network as it reads a reference."""
        return hung(self.adapter.reading.terms(network))

    def painting(self, network: nn.Module) -> AbstractContextManager[None]:
        """The network as it paints beside references."""
        return hung(self.adapter.painting.terms(network))


def fitted(asset: Asset, native: tuple[int, int], unit: int = 16) -> tuple[int, int]:
    """(width, height) for a reference: its shape kept, its longer side as long as the model's own, whole units."""
    scale = max(native) / max(asset.width, asset.height)
    width, height = (
        min(max(round(side * scale / unit) * unit, SHORTEST), max(native)) for side in (asset.width, asset.height)
    )
    return width, height


def stacked(memories: Sequence[Memory]) -> list[tuple[Tensor, Tensor]]:
    """Of several pictures with equally many tokens, as a network takes it."""
    blocks = zip(*(memory.seen for memory in memories), strict=True)
    return [(torch.stack([k for k, _ in block]), torch.stack([v for _, v in block])) for block in blocks]
