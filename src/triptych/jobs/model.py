"""What a job is, from the request to its end. Plain frozen values: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

State = Literal["queued", "running", "done", "failed", "cancelled", "unknown"]
EventKind = Literal["queued", "started", "picture", "done", "failed", "cancelled", "requeued", "unknown"]

ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled", "unknown"})
"""The states that a job never leaves."""

MAX_FAILURES = 3
"""How many attempts may end badly (a killed worker, a passing error) before the job fails for good."""


@dataclass(frozen=True)
class NewJob:
    """What is asked for. `payload` is JSON that the workers of this `kind` understand.

    text: what full-text search finds the job by, the prompt. model: what `claim(models=...)` chooses by. priority:
    higher goes first. timeout: seconds from now after which nobody wants the result any more. client: whose key it
    was; idempotency keys of two clients never meet. once: a crash while it runs must not run it again, because somebody
    bills for it; such a job becomes `unknown`.
    """

    kind: str
    payload: dict[str, Any]
    text: str = ""
    model: str = ""
    priority: int = 0
    timeout: float | None = None
    client: str = ""
    once: bool = False


@dataclass(frozen=True)
class Job:
    """A job as the store knows it. Times are UTC in ISO 8601.

    id: sorts by the time of submission. seq: the order of submission, gapless enough to page by. attempts: how often it
    was started; the number of the latest attempt fences off reports of earlier ones. failures: how many of them ended
    badly. error: {"code", "message", "param"}. deadline: seconds since 1970 by the store's clock, None for no limit.
    bytes: what the payload takes against the bound of the queue.
    """

    id: str
    seq: int
    kind: str
    payload: dict[str, Any]
    state: State
    text: str = ""
    model: str = ""
    priority: int = 0
    attempts: int = 0
    failures: int = 0
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    created: str = ""
    started: str | None = None
    finished: str | None = None
    deadline: float | None = None
    cancel_requested: bool = False
    key: str | None = None
    client: str = ""
    worker: str | None = None
    once: bool = False
    bytes: int = 0

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to a job and is on the disk. `number` counts 1, 2, 3, ... within the job."""

    job: str
    number: int
    kind: EventKind
    at: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Submitted:
    """`replayed`: the idempotency key was known, and this is the job of its first use."""

    job: Job
    replayed: bool


@dataclass(frozen=True)
class Depth:
    """What waits: `jobs` queued, their payloads' `bytes`, and how many are `running`."""

    jobs: int
    bytes: int
    running: int


@dataclass(frozen=True)
class Bounds:
    """How much may wait before a submit is refused. The bytes are those of the payloads."""

    jobs: int = 10_000
    bytes: int = 256 * 2**20
    payload: int = 2**20


def iso(seconds: float) -> str:
    """Seconds since 1970 as UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
