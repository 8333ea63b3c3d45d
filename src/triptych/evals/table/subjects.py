"""What is compared: a model under a label, with or without a plan, and the choice of rows, prompts and seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from triptych.core.events import Pixels
from triptych.core.registry import Card
from triptych.core.request import Quality
from triptych.evals.rows import ROWS, Split

if TYPE_CHECKING:  # a choice is checked before torch is loaded
    from triptych.engine import Models
    from triptych.evals.table.measure import Open

REPRODUCIBILITY, STEPS = "reproducibility", "steps"
EXTRAS = (REPRODUCIBILITY, STEPS)
"""Rows that have no prompts of their own."""

DIVERSITY_PICTURES = 2
"""So many times the seeds of the other rows: diversity compares the pictures of one prompt."""


@dataclass(frozen=True)
class Subject:
    """models: opened, with `model` among them. open_models opens them anew in another process.

    part: the name of what turns its latents or tokens into pixels, with the hash of its weights and the way through it.
    """

    label: str
    model: str
    card: Card
    weights: str
    models: Models
    open_models: Open
    part: str
    part_sha256: str
    round_trip: Callable[[Pixels], Pixels]


@dataclass(frozen=True)
class Choice:
    """What a run of the table asks. prompts: the first so many of each row; None is all of them."""

    rows: tuple[str, ...] = (*ROWS, *EXTRAS)
    seeds: int = 4
    quality: Quality = "medium"
    plans: tuple[bool, ...] = (True, False)
    split: Split = "report"
    prompts: int | None = None
    steps: tuple[int, ...] = field(default=(1, 2, 4, 8, 16, 32))

    @property
    def complete(self) -> bool:
        """Whether the figures are those that a card may carry."""
        return self.split == "report" and self.prompts is None

    def pictures(self, row: str) -> int:
        return self.seeds * (DIVERSITY_PICTURES if row == "diversity" else 1)
