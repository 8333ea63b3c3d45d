"""A copy of the database as it was before its schema changes. One for each version that was left; never deleted."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from triptych.core.files import reason
from triptych.jobs.crash import crash_point
from triptych.jobs.publishing import PART, sync_folder
from triptych.jobs.storage import storage_error, translated

FOLDER = "backups"


def back_up(database: Path, version: int) -> Path:
    """Copy the SQLite file at `database`, while others may use it, to `backups/`; the copy is whole or not there."""
    path = database.parent / FOLDER / f"{database.stem}-v{version}.db"
    part = path.with_name(f".{path.name}{PART}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with (
            translated(f"back {database} up"),
            contextlib.closing(sqlite3.connect(database)) as source,
            contextlib.closing(sqlite3.connect(part)) as copy,
        ):
            source.backup(copy)
        with open(part, "rb") as file:
            os.fsync(file.fileno())
        crash_point("backup.written")
        os.replace(part, path)
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(error, f"cannot back {database} up to {path}: {reason(error)}") from error
    return path
