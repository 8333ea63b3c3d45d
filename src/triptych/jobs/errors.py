"""What can go wrong with the queue, each with a sentence for the user.

TriptychError
├── QueueFull        the bound on waiting jobs is reached; `retry_after` says when to try again
├── AlreadyEnded     a cancel of a job that is done, failed or unknown
├── StaleAttempt     a report of a worker whose job was taken from it in the meantime
├── InvalidRequest
│   └── KeyReused    an idempotency key that came with another body before
└── FileProblem
    ├── NoSuchJob    an id that is not in the queue
    ├── FolderInUse  another process owns the data folder
    └── StorageError the disk or the database refuses; nothing was half-written, and the next call may work
        ├── StorageFull   no space, or the quota is used up
        └── StoreCorrupt  the database is damaged; opening the store anew sets it aside
"""

from __future__ import annotations

from triptych.core.errors import FileProblem, InvalidRequest, TriptychError


class QueueFull(TriptychError):
    """`retry_after`: whole seconds, at least 1, after which there is likely room again."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AlreadyEnded(TriptychError):
    """`state` is how the job ended."""

    def __init__(self, job: str, state: str) -> None:
        super().__init__(f"job {job} is {state} already; there is nothing to cancel")
        self.state = state


class StaleAttempt(TriptychError):
    """The job is not this worker's any more: it was cancelled, given to another, or has ended."""


class KeyReused(InvalidRequest):
    def __init__(self) -> None:
        super().__init__(
            "Idempotency-Key", "this key came with another request before; a key stands for one request and its answer"
        )


class NoSuchJob(FileProblem):
    def __init__(self, job: str) -> None:
        super().__init__(f"there is no job {job[:80]!r}")


class FolderInUse(FileProblem):
    pass


class StorageError(FileProblem):
    pass


class StorageFull(StorageError):
    pass


class StoreCorrupt(StorageError):
    pass
