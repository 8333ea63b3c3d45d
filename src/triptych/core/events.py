"""What a generator tells while it works. Every door, from the progress bar to the glass box, is fed by these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from triptych.core.pixels import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request

__all__ = ["Action", "Event", "Failed", "Finished", "Note", "Pixels", "Planned", "Started", "Stepped"]

Action = Literal["accepted", "translated", "ignored", "refused", "note"]


@dataclass(frozen=True)
class Note:
    """What became of a parameter: nothing is ever silently ignored."""

    parameter: str
    action: Action
    text: str

    def as_json(self) -> dict[str, str]:
        return {"parameter": self.parameter, "action": self.action, "text": self.text}


@dataclass(frozen=True)
class Started:
    """The request is accepted and resolved; `notes` say what the contract made of it."""

    request_id: int
    request: Request
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class Planned:
    request_id: int
    index: int
    plan: Plan


@dataclass(frozen=True)
class Stepped:
    """Picture `index` finished step `step` of `total`. `preview` is a small picture where one was asked for."""

    request_id: int
    index: int
    step: int
    total: int
    preview: Pixels | None = None


@dataclass(frozen=True)
class Finished:
    """One picture, with what is needed to make it again."""

    request_id: int
    index: int
    request: Request
    pixels: Pixels
    plan: Plan | None
    notes: tuple[Note, ...]
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    details: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Failed:
    """This picture will not come; the others of the run go on."""

    request_id: int
    index: int
    error: Exception


Event = Started | Planned | Stepped | Finished | Failed
