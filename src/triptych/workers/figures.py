"""What a worker has done, in figures: steps by model, how long models took to load, memory on GPUs. For `/metrics`.

A worker tells its own since its start; the slot adds up those of all that it has had, so that what is counted never
falls.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

TELL_EVERY = 1.0


@dataclass
class Figures:
    """steps: model -> steps taken. loads: model -> seconds of its loading. gpu: device -> bytes in use."""

    steps: Counter[str] = field(default_factory=Counter[str])
    loads: dict[str, float] = field(default_factory=dict[str, float])
    gpu: dict[str, int] = field(default_factory=dict[str, int])

    def as_json(self) -> dict[str, Any]:
        return {"steps": dict(self.steps), "loads": self.loads, "gpu": self.gpu}

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Figures:
        """What a worker sent. `KeyError`, `TypeError` or `ValueError` for what none of ours would send."""
        return cls(
            Counter({str(model): int(count) for model, count in fields["steps"].items()}),
            {str(model): float(seconds) for model, seconds in fields["loads"].items()},
            {str(device): int(size) for device, size in fields["gpu"].items()},
        )


@dataclass
class Total:
    """The figures of all workers that a slot has had."""

    past: Counter[str] = field(default_factory=Counter[str])
    now: Figures = field(default_factory=Figures)

    @property
    def steps(self) -> Counter[str]:
        return self.past + self.now.steps

    def told(self, fields: dict[str, Any]) -> None:
        self.now = Figures.parse(fields)

    def ended(self) -> None:
        """Its process is gone, with its models and its memory."""
        self.past, self.now = self.steps, Figures()
