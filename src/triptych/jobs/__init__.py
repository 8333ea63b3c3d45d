"""The durable queue: jobs that survive a kill at any point, in SQLite on one machine or PostgreSQL for many.

It keeps what is to be done and what became of it, and makes no picture: a job's payload is JSON that only the workers
understand. Knows no model, no HTTP and no torch.
"""

from triptych.jobs.errors import (
    AlreadyEnded,
    FolderInUse,
    KeyReused,
    NoSuchJob,
    QueueFull,
    StaleAttempt,
    StorageError,
    StorageFull,
    StoreCorrupt,
)
from triptych.jobs.model import Bounds, Depth, Job, JobEvent, NewJob, State, Submitted
from triptych.jobs.publishing import publish, sweep
from triptych.jobs.store import Store

__all__ = [
    "AlreadyEnded",
    "Bounds",
    "Depth",
    "FolderInUse",
    "Job",
    "JobEvent",
    "KeyReused",
    "NewJob",
    "NoSuchJob",
    "QueueFull",
    "StaleAttempt",
    "State",
    "StorageError",
    "StorageFull",
    "Store",
    "StoreCorrupt",
    "Submitted",
    "publish",
    "sweep",
]
