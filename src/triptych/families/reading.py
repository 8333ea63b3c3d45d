"""What a family needs of the text side, and what it keeps of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from triptych.families.references import Memory
from triptych.families.steering import Steering


class ReadsText(Protocol):
    """The text encoder as a family sees it."""

    width: int
    length: int

    def states(self, prompt: str) -> Tensor:
        """Token states (length, width), padding included, so that all prompts have one shape."""
        ...


@dataclass(frozen=True)
class Reading:
    """One row's condition: text states (T, width), the plan as the position input that the network adds, the maps that
    steer it, what it has seen of reference pictures, and what else it is told (`LatentFamily.words`).
    """

    text: Tensor
    position: Tensor
    steering: tuple[Steering, ...] = ()
    memory: Memory | None = None
    told: tuple[Tensor, ...] = ()
