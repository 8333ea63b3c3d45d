"""The ledger: every state as a dead process leaves it, torn lines, and the law that nothing is sent twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.hosted.ledger import LINES, Ledger

WHAT = {"model": "openai/gpt-image-2", "prompt": "a fox"}


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "hosted")


@pytest.mark.parametrize(
    ("lines", "state", "is_open"),
    [
        ([], "not sent", False),
        (["sending"], "unknown", True),
        (["sending", "turned away"], "not sent", False),
        (["sending", "turned away", "sending"], "unknown", True),
        (["sending", "accepted"], "accepted", True),
        (["sending", "received"], "received", True),
        (["sending", "unknown"], "unknown", True),
        (["sending", "accepted", "received", "done"], "done", False),
        (["sending", "failed"], "failed", False),
    ],
)
def test_what_a_dead_process_leaves(ledger: Ledger, lines: list[str], state: str, is_open: bool) -> None:
    entry = ledger.open(WHAT)
    for line in lines:
        entry.note(line)
    alive = ledger.job(entry.id).state
    assert alive == (lines[-1] if lines and lines[-1] in ("unknown", "done", "failed") else "running")
    entry.close()
    job = ledger.job(entry.id)
    assert (job.state, job.is_open) == (state, is_open)
    assert job.model == WHAT["model"]


@pytest.mark.parametrize("last", ["sending", "accepted", "received", "unknown", "done", "failed"])
def test_nothing_is_sent_twice(ledger: Ledger, last: str) -> None:
    entry = ledger.open(WHAT)
    entry.note("sending")
    if last != "sending":
        entry.note(last)
    with pytest.raises(TriptychError, match="not sent again"):
        entry.note("sending")
    entry.close()
    again = ledger.take(entry.id)
    with pytest.raises(TriptychError, match="not sent again"):
        again.note("sending")


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_line_that_a_crash_cut_short_counts_as_not_written(ledger: Ledger, cut: int) -> None:
    entry = ledger.open(WHAT)
    entry.note("sending")
    entry.note("accepted", ticket={"task_id": "a"})
    entry.close()
    path = ledger.folder / entry.id / LINES
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - cut])
    assert ledger.job(entry.id).state == ("accepted" if cut == 1 else "unknown")
    with ledger.take(entry.id) as more:  # and the next line is not lost with it
        more.note("failed", billed=True)
    assert ledger.job(entry.id).state == "failed"


def test_a_damaged_file_is_shown_and_never_sent(ledger: Ledger) -> None:
    entry = ledger.open(WHAT)
    entry.close()
    (ledger.folder / entry.id / LINES).write_bytes(b"\x00garbage")
    assert ledger.job(entry.id).state == "damaged"
    with pytest.raises(FileProblem, match="damaged"):
        ledger.take(entry.id)


def test_one_process_at_a_time(ledger: Ledger) -> None:
    entry = ledger.open(WHAT)
    with pytest.raises(InvalidRequest, match="another process"):
        ledger.take(entry.id)


def test_names_may_be_short_but_not_shared(ledger: Ledger) -> None:
    first, _second = ledger.open(WHAT), ledger.open(WHAT)
    assert ledger.job(first.id).id == first.id
    with pytest.raises(InvalidRequest, match="fits several"):
        ledger.job(first.id[:4])
    with pytest.raises(InvalidRequest, match="no job"):
        ledger.job("20990101")


def test_the_folder_is_private(ledger: Ledger) -> None:
    entry = ledger.open(WHAT)
    assert (ledger.folder / entry.id).stat().st_mode & 0o077 == 0
    assert (ledger.folder / entry.id / LINES).stat().st_mode & 0o077 == 0


def _work(folder: str, steps: int) -> None:
    entry = Ledger(Path(folder)).open(WHAT)
    for state in ("sending", "accepted", "received")[:steps]:
        entry.note(state)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("steps", "state"), [(0, "not sent"), (1, "unknown"), (2, "accepted"), (3, "received")])
def test_kill_9_lets_go_of_the_lock(ledger: Ledger, steps: int, state: str) -> None:
    process = multiprocessing.get_context("fork").Process(target=_work, args=(str(ledger.folder), steps))
    process.start()
    process.join(30)
    assert process.exitcode == -signal.SIGKILL
    (job,) = ledger.jobs()
    assert job.state == state


def test_the_file_is_lines_of_json(ledger: Ledger) -> None:
    entry = ledger.open(WHAT)
    entry.note("sending")
    lines = [line for line in (ledger.folder / entry.id / LINES).read_text().splitlines() if line]
    assert [json.loads(line)["state"] for line in lines] == ["intended", "sending"]
