"""The log of every picture that was made, searchable by words: one SQLite file. Knows no pixels and no folder
rules.

WAL mode, so that a search never blocks a generation; full-text search by FTS5. The recipe in the picture
stays the truth: this file may be deleted and loses nothing but the search.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.files import reason
from triptych.core.recipe import Recipe

DATABASE = "triptych.db"
MAX_ROWS = 1000
SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY,
    made TEXT NOT NULL,
    path TEXT NOT NULL,
    prompt TEXT NOT NULL,
    model TEXT NOT NULL,
    seed INTEGER,
    pixels_sha256 TEXT NOT NULL,
    recipe TEXT NOT NULL
);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(prompt, model, path, content='pictures',
content_rowid='id'); CREATE TRIGGER IF NOT EXISTS pictures_added AFTER INSERT ON pictures BEGIN
    INSERT INTO words(rowid, prompt, model, path) VALUES (new.id, new.prompt, new.model, new.path);
END;
"""


@dataclass(frozen=True)
class Row:
    """One picture of the log. `made` is UTC in ISO 8601; `path` is where the picture was written at the time."""

    id: int
    made: str
    path: str
    prompt: str
    model: str
    seed: int | None
    pixels_sha256: str
    recipe: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return dict(vars(self))


def words_of(recipe: Recipe) -> str:
    """What a picture is found by: its prompt, or what was done to it and the text that was set."""
    if recipe.request:
        return recipe.request.prompt.strip()
    step = recipe.step
    return f"{step.op} {step.settings.get('text', '')}".strip() if step else ""


class Gallery:
    """The log in one data folder. Each call opens and closes the file, so any number of programs may share it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / DATABASE

    def add(self, path: Path, recipe: Recipe) -> None:
        """Note a picture. Raises `FileProblem` when the log cannot be written; the picture itself is safe by then."""
        values = (
            datetime.now(UTC).isoformat(timespec="seconds"),
            str(path.absolute()),
            words_of(recipe),
            recipe.model,
            recipe.request.seed if recipe.request else None,
            recipe.pixels_sha256,
            recipe.dumps(),
        )
        with self._opened() as database:
            database.execute(
                "INSERT INTO pictures(made, path, prompt, model, seed, pixels_sha256, recipe)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def prepare(self) -> None:
        """Make the file and its tables where they are missing; the job queue lives in the same file."""
        with self._opened():
            pass

    def search(self, words: str = "", limit: int = 20) -> list[Row]:
        """The newest pictures first; with `words`, those whose prompt, model or path has every one (prefixes count)."""
        if not self.path.exists():
            return []
        # Quoted, so that nothing a person types is read as FTS5 syntax.
        terms = ['"' + word.replace('"', '""') + '"*' for word in words.split()]
        where = "WHERE id IN (SELECT rowid FROM words WHERE words MATCH ?)" if terms else ""
        query = f"SELECT * FROM pictures {where} ORDER BY id DESC LIMIT ?"
        with self._opened() as database:
            values = [" ".join(terms)] if terms else []
            rows = database.execute(query, [*values, min(max(limit, 1), MAX_ROWS)]).fetchall()
            return [Row(**(dict(row) | {"recipe": json.loads(row["recipe"])})) for row in rows]

    @contextmanager
    def _opened(self) -> Generator[sqlite3.Connection]:
        """One transaction on the open database, committed at the end; every trouble is a `FileProblem`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.path, timeout=5)
        except OSError as error:
            raise FileProblem(f"cannot open the log {self.path}: {reason(error)}") from error
        except sqlite3.Error as error:
            raise FileProblem(f"cannot open the log {self.path}: {error}") from error
        try:
            database.row_factory = sqlite3.Row
            self._prepare(database)
            with database:
                yield database
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise FileProblem(
                f"the log {self.path} cannot be used: {error}; move it away to begin a new one"
            ) from error
        finally:
            database.close()

    def _prepare(self, database: sqlite3.Connection) -> None:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return
        if version > SCHEMA_VERSION:
            raise FileProblem(f"the log {self.path} was written by a newer Triptych (version {version})")
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};COMMIT;")
