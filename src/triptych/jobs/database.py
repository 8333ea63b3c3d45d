"""Connections to the two engines, opened so that a commit is on the disk when it returns.

SQLite: write-ahead log, `synchronous=FULL` (an fsync for each commit; NORMAL may lose the last ones when the power
fails), one connection that writes and several that only read. PostgreSQL: `synchronous_commit=on`, psycopg 3.
Knows no table.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, text
from sqlalchemy.engine import make_url

from triptych.core.errors import InvalidRequest
from triptych.jobs.clock import now

BUSY_SECONDS = 10
READERS = 8
WAL_LIMIT = 64 * 2**20
SQLITE_FLOOR = (3, 35, 0)  # RETURNING


@dataclass(frozen=True)
class Database:
    """`writer` has one connection, used by one thread at a time; `reader` never writes."""

    writer: Engine
    reader: Engine
    path: Path | None

    @property
    def shared(self) -> bool:
        """More than one process may claim from it, so running jobs are held by leases."""
        return self.path is None

    def now(self, connection: Connection) -> float:
        """The time that deadlines and leases are compared with. Machines disagree; their database is one."""
        if self.path is not None:
            return now()
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())

    def close(self) -> None:
        """SQLite moves its log into the main file when the last connection goes."""
        self.reader.dispose()
        self.writer.dispose()


def open_sqlite(path: Path) -> Database:
    """The database in the file `path`, which may be made."""
    url = f"sqlite:///{path}"
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    writer = create_engine(url, pool_size=1, max_overflow=0, **options)
    reader = create_engine(url, pool_size=READERS, max_overflow=READERS, **options)
    for engine, begin, only_read in ((writer, "BEGIN IMMEDIATE", False), (reader, "BEGIN", True)):
        event.listen(engine, "connect", _sqlite_connected(only_read))
        event.listen(engine, "begin", _sqlite_begins(begin))
    return Database(writer, reader, path)


def open_postgresql(url: str) -> Database:
    """The database at `postgresql://...`. Raises `InvalidRequest` for a URL of another kind."""
    try:
        parsed = make_url(url)
    except (ValueError, exc.ArgumentError):
        # Not shown: what cannot be read may hold a password anywhere.
        raise InvalidRequest("database", "the address cannot be read; postgresql://user@host/name is one") from None
    if parsed.get_backend_name() != "postgresql":
        raise InvalidRequest("database", f"{parsed.render_as_string()!r} is not a postgresql:// address")
    parsed = parsed.set(drivername="postgresql+psycopg")
    # pool_pre_ping: a server that was restarted costs a new connection, not a failed call.
    options: dict[str, Any] = {
        "pool_pre_ping": True,
        "connect_args": {"options": "-c synchronous_commit=on", "application_name": "triptych"},
    }
    writer = create_engine(parsed, pool_size=1, max_overflow=0, **options)
    reader = create_engine(parsed, pool_size=READERS, max_overflow=READERS, **options)
    return Database(writer, reader, None)


def _sqlite_connected(only_read: bool) -> Any:
    def connected(connection: Any, _record: Any) -> None:
        # The driver's own idea of when a transaction begins would leave DDL outside of it; `_sqlite_begins` says it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA journal_size_limit={WAL_LIMIT}")
        if only_read:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return connected


def _sqlite_begins(statement: str) -> Any:
    def begins(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begins
