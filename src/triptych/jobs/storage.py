"""What disks and databases say when they refuse, as errors of ours. Nothing else of the package reads error codes."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import exc

from triptych.jobs.errors import StorageError, StorageFull, StoreCorrupt

_FULL = {errno.ENOSPC, errno.EDQUOT}
# PostgreSQL, appendix A: class 53 is "insufficient resources", 57P is an operator's doing, 08 the connection.
_POSTGRES_FULL = {"53100"}
_POSTGRES_CORRUPT = {"XX001", "XX002"}
_POSTGRES_CONFLICT = {"40001", "40P01"}


class Conflict(Exception):
    """Two transactions met and the database chose this one to begin again; nothing of it was kept."""


def storage_error(error: OSError, message: str) -> StorageError:
    """A system error as `StorageFull` or `StorageError`."""
    return (StorageFull if error.errno in _FULL else StorageError)(message)


@contextmanager
def translated(what: str) -> Generator[None]:
    """Every database error inside becomes a `StorageError` that names `what` was being done, or a `Conflict`."""
    try:
        yield
    except (exc.IntegrityError, exc.ProgrammingError):
        raise  # a mistake of ours, never the disk's; it must be seen as it is
    except (exc.DBAPIError, sqlite3.Error) as error:
        raise _database_error(error, what) from error
    except exc.TimeoutError as error:
        raise StorageError(f"cannot {what}: every connection to the database is in use") from error


def _database_error(error: exc.DBAPIError | sqlite3.Error, what: str) -> Exception:
    origin = error.orig if isinstance(error, exc.DBAPIError) else error
    message = f"cannot {what}: {str(origin).strip().splitlines()[0] if str(origin).strip() else type(origin).__name__}"
    code = getattr(origin, "sqlite_errorcode", None)
    if code is not None:
        primary = code & 0xFF
        if primary == sqlite3.SQLITE_FULL:
            return StorageFull(message)
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return StoreCorrupt(message)
    state = getattr(origin, "sqlstate", None)
    if state in _POSTGRES_CONFLICT:
        return Conflict(message)
    if state in _POSTGRES_FULL:
        return StorageFull(message)
    if state in _POSTGRES_CORRUPT:
        return StoreCorrupt(message)
    return StorageError(message)
