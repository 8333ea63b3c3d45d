"""A damaged database is set aside whole, its readable rows come over, and the gallery is complete again."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from triptych.core.gallery import Gallery
from triptych.core.recipe import Recipe
from triptych.jobs import Job, StorageError, Store, publish
from triptych.jobs.crash import arm

from .conftest import made, new

COUNT = 60


@pytest.fixture
def used(tmp_path: Path) -> Path:
    """A folder with 60 jobs, 20 of them done with a picture, and one picture of the command line elsewhere."""
    folder = tmp_path / "data"
    store = Store.open(folder)

    def paint(job: Job) -> None:
        recipe, png = made(job.text, job.seq)
        path = publish(folder / "pictures" / f"{job.id}-0.png", png)
        store.picture(job.id, 1, 0, {"path": str(path)}, recipe)
        store.finish(job.id, 1, {"images": [{"path": str(path)}]})

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda n: store.submit(new(f"fox number {n}"), key=f"key {n}"), range(COUNT)))
        list(threads.map(paint, store.claim("w", 20)))
    store.close()
    Gallery(folder).add(tmp_path / "elsewhere.png", made("an owl of the command line")[0])
    return folder


def garbage_header(path: Path) -> None:
    with open(path, "r+b") as file:
        file.write(b"this is no database" * 10)


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 100)


def zeroes_in_the_middle(path: Path) -> None:
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size // 3 // 4096 * 4096)
        file.write(bytes(5 * 4096))


def noise_everywhere_but_page_one(path: Path) -> None:
    size = path.stat().st_size
    with open(path, "r+b") as file:
        for offset in range(4096, size, 3 * 4096):
            file.seek(offset)
            file.write(os.urandom(4096))


def only_noise(path: Path) -> None:
    path.write_bytes(os.urandom(100_000))


DAMAGES = (garbage_header, truncated, zeroes_in_the_middle, noise_everywhere_but_page_one, only_noise)


@pytest.mark.parametrize("damaging", DAMAGES)
def test_any_damage_leaves_a_working_queue_and_a_whole_gallery(used: Path, damaging: Callable[[Path], None]) -> None:
    database = used / "triptych.db"
    damaging(database)
    before = database.read_bytes()
    store = Store.open(used)
    (aside,) = (used / "corrupt").iterdir()
    assert (aside / "triptych.db").read_bytes() == before
    with sqlite3.connect(database) as fresh:
        assert fresh.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows = store.gallery(limit=100)
    own = [row for row in rows if row.path.startswith(str(used / "pictures"))]
    assert sorted(row.path for row in own) == sorted(str(path) for path in (used / "pictures").glob("*.png"))
    assert all(Recipe.parse(row.recipe).pixels_sha256 == row.pixels_sha256 for row in rows)
    # What came over is as it was, and the queue goes on with it.
    for job in store.list(limit=100):
        assert job.text.startswith("fox number")
        assert [event.kind for event in store.events(job.id)] or job.state
    assert len({job.id for job in store.list(limit=100)}) == len(store.list(limit=100))
    job = store.submit(new("after the damage")).job
    while job.id not in [claimed.id for claimed in store.claim("w", 100)]:
        pass
    assert store.finish(job.id, 1, {}).state == "done"
    store.close()


def test_a_hole_in_the_middle_costs_few_rows(used: Path) -> None:
    zeroes_in_the_middle(used / "triptych.db")
    store = Store.open(used)
    (aside,) = (used / "corrupt").iterdir()
    counts = json.loads((aside / "recovered.json").read_text())
    # Five of some fifty pages are lost. Most rows are on the others.
    assert sum(counts[table] for table in ("jobs", "job_events", "job_keys", "pictures", "job_pictures")) > 150
    # The numbers of events go on where they were, also where a page with the counters was lost.
    for claimed in store.claim("w", 100):
        store.finish(claimed.id, claimed.attempts, {})
        numbers = [event.number for event in store.events(claimed.id)]
        assert numbers == sorted(set(numbers))
    assert store.depth().jobs == store.depth().running == 0
    store.close()


def test_a_whole_database_is_left_where_it_is(used: Path) -> None:
    Store.open(used).close()
    assert not (used / "corrupt").exists()


def test_the_log_of_the_last_commits_goes_aside_too(used: Path) -> None:
    # A copy of a live database with its log, as a kill leaves it.
    store = Store.open(used)
    store.submit(new("in the log only"))
    copy = used.parent / "copy"
    copy.mkdir()
    for name in ("triptych.db", "triptych.db-wal"):
        shutil.copy(used / name, copy / name)
    store.close()
    garbage_header(copy / "triptych.db")
    log = (copy / "triptych.db-wal").read_bytes()
    assert log
    Store.open(copy).close()
    (aside,) = (copy / "corrupt").iterdir()
    assert (aside / "triptych.db-wal").read_bytes() == log


@pytest.mark.parametrize("point", ["corrupt.aside", "rebuild.row", "group.commit", "migration.statement"])
def test_a_recovery_that_is_interrupted_is_gone_on_with(used: Path, point: str) -> None:
    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if name == point:
            raise Killed

    only_noise(used / "triptych.db")
    arm(kill)
    try:
        with pytest.raises(Killed):
            Store.open(used)
    finally:
        arm(None)
    store = Store.open(used)
    assert len(store.gallery(limit=100)) == 20
    assert len(list((used / "corrupt").iterdir())) == 1
    store.close()


def test_a_database_that_may_not_be_read_is_not_damage(used: Path) -> None:
    path = used / "triptych.db"
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError):
        Store.open(used)
    assert path.is_dir()
    assert not (used / "corrupt").exists()


LAUNCH = """
import sys, time
from pathlib import Path
from triptych.core.errors import TriptychError
from triptych.jobs import Store
try:
    store = Store.open(Path(sys.argv[1]))
except TriptychError as error:
    print(error); sys.exit(error.exit_code)
print("owner", flush=True)
sys.stdin.read()
"""


def test_of_two_servers_on_one_damaged_database_one_serves(used: Path) -> None:
    only_noise(used / "triptych.db")
    launched = [
        subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(used)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.stdout.readline() for process in launched]  # type: ignore[union-attr]
    assert sorted(line.strip() == "owner" for line in said) == [False, True]
    for process in launched:
        process.communicate("")
    assert sorted(process.returncode for process in launched) == [0, 3]
    assert any("uses the data folder" in line for line in said)
    assert len(list((used / "corrupt").iterdir())) == 1
