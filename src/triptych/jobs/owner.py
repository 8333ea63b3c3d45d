"""One process owns a data folder: a lock that the system drops when the process dies, however it dies.

`flock` on a file, not a file with a process number in it, which outlives its process and is wrong after a restart. What
stands in the file is for people only. The handle is closed in programs that this process starts, so a worker that
survives its server does not keep the folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from triptych.core.files import reason
from triptych.jobs.errors import FolderInUse
from triptych.jobs.storage import storage_error

LOCK = "owner.lock"


class Owner:
    """Holds the folder from `take` to `release`."""

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    @classmethod
    def take(cls, folder: Path) -> Owner:
        """Own `folder`, which is made if it is missing. `FolderInUse` at once if another process has it."""
        path = folder / LOCK
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise storage_error(error, f"cannot use the data folder {folder}: {reason(error)}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 64).decode("ascii", "replace").strip()
            os.close(handle)
            who = f" (process {holder})" if holder.isdigit() else ""
            raise FolderInUse(
                f"another Triptych{who} uses the data folder {folder}; stop it, or set TRIPTYCH_HOME to another folder"
            ) from None
        except OSError as error:
            os.close(handle)
            raise storage_error(error, f"cannot lock the data folder {folder}: {reason(error)}") from error
        # A full disk must not keep the owner out: the number only makes the message of the other one clearer.
        with contextlib.suppress(OSError):
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        return cls(handle)

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
