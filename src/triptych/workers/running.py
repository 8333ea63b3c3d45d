"""One job inside a worker: which requests of the engine are its own, and what is told of it how often.

Knows no engine and no channel. Times are seconds of a monotonic clock, handed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from triptych.core.request import Request

PREVIEW_EVERY = 0.25
STEP_EVERY = 0.1


@dataclass
class Running:
    """request: of a `generate` job, as it was asked. weights: hash of all that paints it. left: its pictures to come.

    kept: the newest step of each picture whose state was saved. partials: of how many previews the watcher wants to be
    sure, spread over the steps; -1 is nobody watching, 0 only those that the rate allows.
    """

    job: str
    attempt: int
    request: Request | None = None
    weights: str | None = None
    left: set[int] = field(default_factory=set[int])
    cancelled: bool = False
    partials: int = -1
    previewing: bool = False
    preview_at: float = -math.inf
    stepped_at: dict[int, float] = field(default_factory=dict[int, float])
    partial_at: dict[int, int] = field(default_factory=dict[int, int])
    kept: dict[int, int] = field(default_factory=dict[int, int])

    def tells_step(self, index: int, step: int, total: int, now: float) -> bool:
        """A picture of tokens has hundreds of steps a second: the last one is told, and ten a second of the others."""
        if step < total and now - self.stepped_at.get(index, -math.inf) < STEP_EVERY:
            return False
        self.stepped_at[index] = now
        return True

    def wants_preview(self, index: int, step: int, total: int, now: float) -> bool:
        """One preview at a time is on its way: a slow reader gets fewer, never a longer queue."""
        if self.partials < 0 or step >= total or self.previewing:
            return False
        passed = step * (self.partials + 1) // total
        due = passed > self.partial_at.get(index, 0)
        if not due and now - self.preview_at < PREVIEW_EVERY:
            return False
        self.partial_at[index] = max(passed, self.partial_at.get(index, 0))
        self.preview_at = now
        return True
