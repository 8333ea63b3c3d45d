"""A picture file that is whole or not there, even after the power fails: temporary file, fsync, rename, fsync of the
folder. Only then is its row committed. Knows no picture.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from triptych.core.files import reason
from triptych.jobs.crash import crash_point
from triptych.jobs.errors import StorageError
from triptych.jobs.storage import storage_error

PART = ".part"


def publish(path: Path, data: bytes) -> Path:
    """Write `data` to `path` and return it. `StorageError` leaves what was there before.

    Whoever publishes one path twice must write equal bytes: the last rename wins.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        crash_point("publish.written")
        os.replace(part, path)
        crash_point("publish.renamed")
        sync_folder(path.parent)
        crash_point("publish.synced")
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise storage_error(error, f"cannot write {path}: {reason(error)}") from error
    return path


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable: a rename is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path) -> int:
    """Remove what writers that were killed left half-done; how many there were. Only for the folder's one owner."""
    removed = 0
    try:
        for part in folder.glob(f".*{PART}"):
            part.unlink(missing_ok=True)
            removed += 1
    except OSError as error:
        raise StorageError(f"cannot clean {folder}: {reason(error)}") from error
    return removed
