"""What happens to a damaged database: it is set aside whole, and what can be read of it moves into a new one.

    data folder/
      triptych.db                     new
      corrupt/2026-11-25T10-00-00/    the old one with its log, never written again, never deleted
        triptych.db  triptych.db-wal
        recovered.json                written last: what came over

Each step may be killed and is gone on with at the next start: the rename of the main file decides, and a folder
without `recovered.json` is read again, which adds only what is missing. Knows no picture; `rebuild` does.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import Connection, Table, func, select, update
from sqlalchemy.dialects.sqlite import insert

from triptych.core.errors import FileProblem
from triptych.core.files import reason
from triptych.core.recipe import Recipe
from triptych.jobs.crash import crash_point
from triptych.jobs.model import State
from triptych.jobs.publishing import publish, sync_folder
from triptych.jobs.schema import events, jobs, keys, outputs, pictures
from triptych.jobs.storage import storage_error, translated

FOLDER = "corrupt"
REPORT = "recovered.json"
BESIDE = ("-wal", "-shm")
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
HOPELESS = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""No database at all, or one without the table that is asked for."""
OBJECTS = {"payload", "data", "picture", "error", "result"}
TIMES = {"created", "started", "finished", "at", "deadline", "lease"}
END_OF_TIME = 253_402_300_800.0
"""The year 10000, which no date can show."""
PAGE = 256
MAX_SKIPS = 20_000


def damage(path: Path) -> str | None:
    """What is wrong with the database at `path`, None if it is whole or missing. Only reads.

    A disk that refuses is not damage: that raises `StorageError`, and nothing is set aside.
    """
    if not path.exists():
        return None
    with translated(f"check {path}"), contextlib.closing(_read_only(path)) as database:
        try:
            verdict = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in DAMAGED:
                raise
            return str(error)
    return None if verdict == "ok" else verdict


def set_aside(path: Path) -> Path:
    """Move the database and its log into a folder of their own, which is returned."""
    stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S.%f")
    folder = path.parent / FOLDER / stamp
    try:
        folder.mkdir(parents=True)
        # The main file first. SQLite drops a log whose main file is new, so a kill in between mixes nothing up.
        path.rename(folder / path.name)
        crash_point("corrupt.aside")
        take_orphans(path, folder)
        for changed in (folder, folder.parent, path.parent):
            sync_folder(changed)
    except OSError as error:
        raise storage_error(error, f"cannot set the damaged {path} aside: {reason(error)}") from error
    return folder


def take_orphans(path: Path, folder: Path) -> None:
    """Move what lies beside a database that is not there any more."""
    for ending in BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(folder / beside.name)


def unread(folder: Path) -> list[Path]:
    """The set-aside databases that have not been read to the end, the oldest first."""
    return sorted(aside for aside in (folder / FOLDER).glob("*/") if not (aside / REPORT).exists())


def report(aside: Path, counts: dict[str, int]) -> None:
    publish(aside / REPORT, json.dumps(counts).encode())


def salvage(connection: Connection, path: Path) -> dict[str, int]:
    """Copy every row of the damaged database at `path` that can be read and makes sense; how many of each table.

    A job whose end was on a lost page comes back as it was before, and is run again: to the same pixels.
    """
    counts: dict[str, int] = {}
    if not path.exists():
        return counts
    known = {tuple(row) for row in connection.execute(select(pictures.c.path, pictures.c.made))}
    with contextlib.closing(_read_only(path)) as damaged:
        for table in (jobs, events, outputs, keys, pictures):
            counts[table.name] = 0
            for row in _rows(damaged, table):
                if not _makes_sense(table, row):
                    continue
                if table is pictures:
                    # Its number means nothing to anyone, and the command line may have used it in the new file.
                    del row["id"]
                    if (row["path"], row["made"]) in known:
                        continue
                added = connection.execute(insert(table).values(**row).on_conflict_do_nothing())
                counts[table.name] += added.rowcount
    # Events and their counter lie on different pages; a counter that fell behind would number the next event twice.
    highest = select(func.max(events.c.number)).where(events.c.job == jobs.c.id).scalar_subquery()
    connection.execute(update(jobs).values(events=highest).where(jobs.c.events < highest))
    return counts


def _rows(damaged: sqlite3.Connection, table: Table) -> Iterator[dict[str, Any]]:
    """The rows of a table by their rowid, a page at a time; around a damaged place one at a time."""
    names = [column.name for column in table.columns]
    query = f"SELECT rowid, {', '.join(names)} FROM {table.name} WHERE rowid > ? ORDER BY rowid LIMIT ?"
    at, size, skips = 0, PAGE, 0
    while skips <= MAX_SKIPS:
        try:
            page = damaged.execute(query, (at, size)).fetchall()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in HOPELESS:
                return
            if size == 1:
                at, skips = at + 1, skips + 1
            size = 1
            continue
        if not page:
            return
        for rowid, *values in page:
            at = rowid
            yield dict(zip(names, values, strict=True))
        size = min(size * 2, PAGE)


def _makes_sense(table: Table, row: dict[str, Any]) -> bool:
    """The values fit the columns, and text that should be JSON or a recipe is. Numbers of 0 and 1 become truth."""
    for column in table.columns:
        value, kind = row[column.name], column.type.python_type
        if value is None:
            if not column.nullable:
                return False
        elif kind is bool:
            row[column.name] = bool(value)
        elif not isinstance(value, str if kind is str else int | float):
            return False
    if table is jobs and row["state"] not in get_args(State):
        return False
    if any(not 0 <= (row[name] or 0) < END_OF_TIME for name in TIMES & row.keys()):
        return False
    try:
        if table is pictures:
            Recipe.parse(row["recipe"])
        values = [json.loads(row[name]) for name in OBJECTS & row.keys() if row[name] is not None]
    except (FileProblem, ValueError, RecursionError):
        return False
    return all(isinstance(value, dict) for value in values)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
