"""SIGKILL at every named point, at its first, second and third pass."""

from __future__ import annotations

import os
import re
import shutil
import time
from pathlib import Path

import pytest

import triptych
from triptych.core.gallery import Gallery
from triptych.jobs.crash import POINTS

from . import owner
from .ledger import Ledger, Running, balanced
from .programme import scale, tell

JOBS = scale(60, 160)  # one in fifty fails for good, so that three do
PASSES = scale((1,), (1, 2, 3))
ONCE = {"backup.written", "corrupt.aside", "migration.commit"}
"""Passed once in the life of a folder."""

REACHED: dict[str, int] = {}


def test_every_point_of_the_list_stands_in_the_source() -> None:
    source = "".join(path.read_text() for path in Path(triptych.__file__).parent.rglob("*.py"))
    assert set(re.findall(r'crash_point\("([^"]+)"\)', source)) == POINTS


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the command line: its pictures are logged, and it was never a queue."""
    folder = tmp_path_factory.mktemp("log")
    Gallery(folder).add(folder / "elsewhere.png", owner.painted("of the command line")[0])
    return folder


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and a database of noise."""
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "pictures").mkdir()
    for number in range(5):
        (folder / "pictures" / f"old {number}.png").write_bytes(owner.painted(f"old {number}")[1])
    (folder / "triptych.db").write_bytes(os.urandom(20_000))
    return folder


@pytest.mark.parametrize("passes", PASSES)
@pytest.mark.parametrize("point", sorted(POINTS))
def test_a_kill_there_loses_nothing(point: str, passes: int, quick: Path, log: Path, damaged: Path) -> None:
    if point in ONCE and passes > 1:
        pytest.skip("passed once only")
    folder = quick / "data"
    shutil.copytree(damaged if point in ("corrupt.aside", "rebuild.row") else log, folder)
    ledger = Ledger()
    if point == "requeue.row":
        # Something must be running when the store is opened: kill the one before in the middle of a claim's jobs.
        before = Running(folder, ledger, "publish.synced", 1)
        _send(before)
        before.hear(time.monotonic() + 20)
        before.kill()
    running = Running(folder, ledger, point, passes)
    _send(running)
    # Hear it until it is gone: an owner that nobody listens to stops when the pipe is full.
    running.hear(time.monotonic() + 20)
    running.process.join(5)
    assert running.process.exitcode == -9, f"{point} was not passed {passes} times"
    running.kill()
    last = Running(folder, ledger)
    _send(last)
    last.finish()
    if point in ("corrupt.aside", "rebuild.row"):
        aside = list((folder / "corrupt").iterdir())
        assert len(aside) == 1
        assert sorted(path.name for path in aside[0].iterdir()) == ["recovered.json", "triptych.db"]
        shutil.rmtree(folder / "corrupt")
    ends = balanced(folder, ledger, JOBS)
    assert sum(ends.values()) == JOBS
    logged = {row.path for row in Gallery(folder).search(limit=1000)}
    if point in ("corrupt.aside", "rebuild.row"):
        assert {str(folder / "pictures" / f"old {number}.png") for number in range(5)} <= logged
    else:
        assert str(log / "elsewhere.png") in logged
        assert (folder / "backups" / "triptych-v0.db").exists()
    REACHED[point] = REACHED.get(point, 0) + 1


def test_all_points_were_reached() -> None:
    assert set(REACHED) == POINTS
    tell("named crash points", points=len(POINTS), kills=sum(REACHED.values()), lost=0, doubled=0)


def _send(running: Running) -> None:
    for number in range(JOBS):
        running.say(submit=number)
