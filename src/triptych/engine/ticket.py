"""A request in the engine: what was asked, what it became, and which of its pictures have not begun."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from triptych.core.events import Note
from triptych.core.family import Family
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Saved


@dataclass
class Ticket:
    """request: resolved. saved: states of its pictures to go on from. deadline: seconds of the engine's clock."""

    id: int
    request: Request
    family: Family
    notes: tuple[Note, ...]
    previews: bool
    waiting: deque[int]
    saved: Mapping[int, Saved] = field(default_factory=dict[int, Saved])
    priority: int = 0
    deadline: float = math.inf
    seconds: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])
    plans: dict[int, Plan | None] = field(default_factory=dict[int, "Plan | None"])

    @property
    def kind(self) -> tuple[int, int | None, int | None]:
        """Pictures of one kind hold about the same memory."""
        return (id(self.family), self.request.width, self.request.height)

    @property
    def pixels(self) -> int:
        return (self.request.width or 1) * (self.request.height or 1)
