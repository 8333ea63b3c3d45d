"""Every version of the schema is reached from every state that a kill can leave behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import inspect

from triptych.core.errors import FileProblem
from triptych.core.gallery import Gallery
from triptych.jobs import StorageError, Store
from triptych.jobs.crash import arm
from triptych.jobs.database import open_sqlite
from triptych.jobs.migrations import MIGRATIONS, Migration, current, migrate
from triptych.jobs.schema import metadata

from .conftest import made, new

NEXT = Migration(
    MIGRATIONS[-1].number + 1,
    "a column and rows that move",
    (
        "ALTER TABLE jobs ADD COLUMN shade TEXT",
        "UPDATE jobs SET shade = 'of ' || words",
        "CREATE INDEX jobs_shade ON jobs (shade)",
    ),
    sqlite=("CREATE TABLE only_here (x {nothing})".replace(" {nothing}", ""),),
)
AFTER = Migration(NEXT.number + 1, "another", ("DROP INDEX jobs_shade", "CREATE TABLE last (y {real})"))


class Killed(BaseException):
    pass


def test_the_tables_are_those_that_the_queries_know(store: Store) -> None:
    found = inspect(store.database.reader)
    for table in metadata.tables.values():
        columns = {column["name"]: column for column in found.get_columns(table.name)}
        assert list(columns) == [column.name for column in table.columns], table.name
        for column in table.columns:
            if not column.primary_key:
                assert columns[column.name]["nullable"] == column.nullable, (table.name, column.name)
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [key.name for key in table.primary_key]


def test_a_log_of_the_command_line_becomes_a_queue_and_stays_a_log(tmp_path: Path) -> None:
    log = Gallery(tmp_path)
    log.add(tmp_path / "a.png", made("a fox")[0])
    store = Store.open(tmp_path)
    backup = tmp_path / "backups" / "triptych-v0.db"
    with sqlite3.connect(backup) as kept:
        assert kept.execute("SELECT prompt FROM pictures").fetchall() == [("a fox",)]
    log.add(tmp_path / "b.png", made("an owl")[0])
    assert [row.prompt for row in store.gallery()] == ["an owl", "a fox"]
    assert [row.prompt for row in log.search("fox")] == ["a fox"]
    store.close()


def test_a_new_folder_needs_no_backup(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    assert not (tmp_path / "backups").exists()


def test_a_queue_of_a_newer_triptych_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with sqlite3.connect(tmp_path / "triptych.db") as database:
        database.execute("INSERT INTO job_schema VALUES (99, 'of the future')")
    before = (tmp_path / "triptych.db").read_bytes()
    with pytest.raises(StorageError, match="newer Triptych"):
        Store.open(tmp_path)
    assert (tmp_path / "triptych.db").read_bytes() == before
    # The refusal gave the folder back.
    with pytest.raises(StorageError, match="newer Triptych"):
        Store.open(tmp_path)


def test_a_log_of_a_newer_triptych_is_left_alone(tmp_path: Path) -> None:
    Gallery(tmp_path).prepare()
    with sqlite3.connect(tmp_path / "triptych.db") as database:
        database.execute("PRAGMA user_version=9")
    with pytest.raises(FileProblem, match="newer Triptych"):
        Store.open(tmp_path)


def statements(migrations: tuple[Migration, ...]) -> int:
    """How often the crash points of these migrations are passed."""
    return sum(len(migration.statements("sqlite")) + 3 for migration in migrations)


@pytest.mark.parametrize("at", range(statements((*MIGRATIONS, NEXT, AFTER))))
def test_a_kill_at_any_statement_leaves_the_version_before(tmp_path: Path, at: int) -> None:
    Gallery(tmp_path).add(tmp_path / "a.png", made("a fox")[0])
    database = open_sqlite(tmp_path / "triptych.db")
    passed = 0

    def kill(name: str) -> None:
        nonlocal passed
        if passed == at:
            raise Killed
        passed += 1

    arm(kill)
    try:
        with database.writer.connect() as connection, pytest.raises(Killed):
            migrate(connection, (*MIGRATIONS, NEXT, AFTER))
    finally:
        arm(None)
    database.close()

    database = open_sqlite(tmp_path / "triptych.db")
    with database.writer.connect() as connection:
        found = current(connection)
        connection.rollback()
        ran = migrate(connection, (*MIGRATIONS, NEXT, AFTER))
        assert ran == list(range(found + 1, AFTER.number + 1))
        assert migrate(connection, (*MIGRATIONS, NEXT, AFTER)) == []
        tables = inspect(connection).get_table_names()
        assert {"jobs", "only_here", "last"} <= set(tables)
    database.close()
    assert [row.prompt for row in Gallery(tmp_path).search("fox")] == ["a fox"]


def test_a_backup_is_whole_or_not_there(tmp_path: Path) -> None:
    Gallery(tmp_path).add(tmp_path / "a.png", made("a fox")[0])

    def kill(name: str) -> None:
        if name == "backup.written":
            raise Killed

    arm(kill)
    try:
        with pytest.raises(Killed):
            Store.open(tmp_path)
    finally:
        arm(None)
    assert not list((tmp_path / "backups").glob("triptych*"))
    store = Store.open(tmp_path)
    store.submit(new())
    store.close()
    assert [path.name for path in (tmp_path / "backups").iterdir()] == ["triptych-v0.db"]
