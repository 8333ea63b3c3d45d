"""What the app needs of whatever makes pictures. `local.LocalService` is one machine with a store and workers; a fake
fits on a screen (tests/server/fakes.py).

Every call may be made from the event loop and blocks nobody. Errors are those of `core.errors` and `jobs.errors`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from triptych.core.asset import Asset
from triptych.core.events import Note
from triptych.core.gallery import Row
from triptych.core.registry import Card
from triptych.jobs.model import Job, JobEvent, NewJob, State, Submitted
from triptych.server.metrics import Load

NOBODY = -1
"""`partials` of a follower that wants no small pictures."""


@dataclass(frozen=True)
class Live:
    """Something that passes by: a plan, a step, or a small picture (PNG). Who did not listen has missed it."""

    kind: Literal["planned", "step", "preview"]
    data: dict[str, Any] = field(default_factory=dict)
    png: bytes | None = None


@dataclass(frozen=True)
class Kept:
    """An upload that was decoded and is kept by its hash. notes: what was not plain about it."""

    asset: Asset
    notes: tuple[Note, ...] = ()


class Service(Protocol):
    async def start(self, on_end: Callable[[Job], None]) -> None:
        """Begin to work. on_end: called on the event loop with every job of this process that comes to its end."""
        ...

    async def drain(self, grace: float) -> None:
        """Take nothing new, let what runs finish for `grace` seconds, save the rest, and end all followers."""
        ...

    async def stop(self) -> None:
        """End everything; the next start goes on where this one was."""
        ...

    def models(self) -> Sequence[Card]:
        """The cards of all models that make pictures."""
        ...

    async def submit(self, new: NewJob, *, key: str | None = None, body_sha: str | None = None) -> Submitted:
        """Take a job; it is on the disk when this returns. Raises `QueueFull`, `KeyReused`, `StorageError`."""
        ...

    async def job(self, id: str) -> Job:
        """One job; `NoSuchJob` if there is none."""
        ...

    async def jobs(self, *, state: State | None, query: str, before: int | None, limit: int) -> Sequence[Job]:
        """The newest jobs first. before: the `seq` of the last one of the page before."""
        ...

    async def cancel(self, id: str) -> Job:
        """Cancel at once, or within a step; `AlreadyEnded`, `NoSuchJob`."""
        ...

    def follow(
        self, id: str, *, after: int = 0, partials: int = NOBODY, idle: float | None = None
    ) -> AsyncGenerator[JobEvent | Live | None, None]:
        """What happened since event number `after` and what happens, until the job has ended or the server stops.

        partials: how many small pictures the follower wants to be sure of; 0 is as many as pass by. idle: after so many
        seconds without anything, None is yielded. `NoSuchJob` if there is none.
        """
        ...

    async def picture(self, id: str, index: int) -> bytes | None:
        """The PNG of a job's picture; None if it is not there (yet)."""
        ...

    async def keep(self, data: bytes, name: str, *, as_map: bool = False) -> Kept:
        """Decode an upload far from here and keep it. `FileProblem` for what is no PNG, JPEG or WebP picture."""
        ...

    async def has_input(self, sha256: str) -> bool:
        """Whether a picture of that hash was kept."""
        ...

    async def gallery(self, *, query: str, before: int | None, limit: int) -> Sequence[Row]:
        """Pictures that were made here, by whatever door, the newest first."""
        ...

    async def gallery_picture(self, id: int) -> bytes | None:
        """The PNG of a gallery's row; None where the row or its file is not there, or lies outside of the folder."""
        ...

    def load(self) -> Load:
        """What is going on, for `/metrics`; cheap."""
        ...

    def not_ready(self) -> str | None:
        """Why no job would be done now, None if all is well; cheap."""
        ...
