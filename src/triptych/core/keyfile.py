"""`keys.json` in the data folder (0600): the server's token and the providers' keys, by name. Knows what none is for.

Several parts of the program write it, so all of them do it here: one writer at a time, each changing its own names.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes, reason, write_atomically

KEYS = "keys.json"
LOCK = ".keys.lock"
MAX_KEYS_BYTES = 2**20

Kept = dict[str, Any]


def read(folder: Path) -> Kept:
    """What the file holds, nothing if there is none. Others' rights to it are taken away first."""
    path = folder / KEYS
    if not path.exists():
        return {}
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    try:
        kept: Any = json.loads(read_bytes(path, MAX_KEYS_BYTES))
    except (ValueError, RecursionError):
        raise FileProblem(f"{path} is damaged: it is not JSON; move it away to begin a new one") from None
    if not isinstance(kept, dict):
        raise FileProblem(f"{path} is damaged: it is not a JSON object; move it away to begin a new one")
    return cast("Kept", kept)


def change(folder: Path, work: Callable[[Kept], Kept]) -> Kept:
    """Put what `work` makes of the file's names in their place; what is kept then. `FileProblem` where that fails."""
    with _turn(folder):
        before = read(folder)
        after = work(before)
        if after != before:
            write_atomically(folder / KEYS, json.dumps(after, indent=2).encode() + b"\n", private=True)
        return after


@contextlib.contextmanager
def _turn(folder: Path) -> Generator[None]:
    """One writer at a time, where the system has locks for files. The lock dies with its process."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise FileProblem(f"cannot write {folder / KEYS}: {reason(error)}") from error
    try:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
