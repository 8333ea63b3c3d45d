"""What the parent knows to be accepted, and the check that the store and the folder agree with it."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
import sys
import time
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from triptych.core.readers import read_pixels, read_recipe
from triptych.core.recipe import pixels_sha256
from triptych.jobs import Store
from triptych.jobs.model import ENDED

from . import owner

TESTS = str(Path(__file__).parent.parent)
sys.path.append(TESTS)


def _forks() -> ForkServerContext:
    """Processes are forked by one that has everything imported, so that a start takes milliseconds, not a second."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([owner.__name__])
    # The server of forks passes over what it cannot import, without a word; the path must be right when it starts.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", TESTS)
        forkserver.ensure_running()
    return context


FORK = _forks()


@dataclass
class Ledger:
    """`accepted`: number of the job -> its id, as its owner said after the commit."""

    accepted: dict[int, str] = field(default_factory=dict)

    def hear(self, said: dict[str, Any]) -> None:
        if "accepted" in said:
            before = self.accepted.setdefault(said["accepted"], said["id"])
            assert before == said["id"], f"job {said['accepted']} was accepted twice, as {before} and {said['id']}"


class Running:
    """An owner process and its parent's end of the pipe."""

    def __init__(self, folder: Path, ledger: Ledger, point: str = "", passes: int = 0, shared: str = "") -> None:
        self.ledger = ledger
        self.pipe: Connection
        self.pipe, theirs = FORK.Pipe()
        self.process: ForkServerProcess = FORK.Process(
            daemon=True, target=owner.main, args=(folder, theirs, point, passes, shared)
        )
        self.process.start()
        theirs.close()
        self.open = False
        self.stopped = False
        self.ended = 0
        """How many jobs it has brought to an end, as far as it was heard."""

    def say(self, **word: Any) -> bool:
        """False when nobody listens any more."""
        try:
            self.pipe.send_bytes(json.dumps(word).encode())
        except OSError:
            return False
        return True

    def hear(self, until: float = 0.0, ends: int = 2**31) -> None:
        """Take in what was said; wait for more until then (monotonic time), or until the owner is gone, or has ended
        so many jobs."""
        while self.ended < ends and self.pipe.poll(max(until - time.monotonic(), 0.0)):
            try:
                said = json.loads(self.pipe.recv_bytes())
            except (EOFError, OSError):
                return
            self.open = self.open or "open" in said
            self.stopped = self.stopped or "stopped" in said
            self.ended += "ended" in said
            self.ledger.hear(said)
            if self.stopped:
                return

    def kill(self) -> None:
        """SIGKILL; what it had said before counts."""
        self.process.kill()
        self.process.join()
        self.hear()
        self.pipe.close()

    def finish(self, seconds: float = 120.0) -> None:
        """Let it work off everything and stop."""
        self.say(stop=True)
        self.hear(time.monotonic() + seconds)
        assert self.stopped, "the owner did not come to an end"
        self.process.join()
        assert self.process.exitcode == 0
        self.pipe.close()


def intact(folder: Path) -> None:
    """The database passes SQLite's own check, and nothing was set aside."""
    assert not (folder / "corrupt").exists()
    with sqlite3.connect(folder / "triptych.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.execute("INSERT INTO job_words(job_words) VALUES ('integrity-check')")
        database.execute("INSERT INTO words(words) VALUES ('integrity-check')")


def whole(folder: Path, seen: set[str]) -> int:
    """Decode every picture that was not seen before: its pixels are those that its recipe names. How many."""
    fresh = [path for path in (folder / "pictures").glob("*.png") if path.name not in seen]
    for path in fresh:
        assert pixels_sha256(read_pixels(path)) == read_recipe(path).pixels_sha256
        seen.add(path.name)
    return len(fresh)


def balanced(folder: Path, ledger: Ledger, submitted: int, shared: str = "") -> dict[str, int]:
    """Everything that was accepted has come to exactly one end, and nothing else is there; the ends, counted."""
    if not shared:
        intact(folder)
    whole(folder, set())
    store = Store.open(shared or folder)
    try:
        found = {job.id: job for job in _all(store)}
        assert set(ledger.accepted.values()) <= set(found), "an accepted job is lost"
        assert len({job.payload["number"] for job in found.values()}) == len(found), "a key made two jobs"
        assert len(found) <= submitted
        gallery: dict[str, int] = {}
        before = None
        while rows := store.gallery(limit=1000, before=before):
            before = rows[-1].id
            for row in rows:
                gallery[row.path] = gallery.get(row.path, 0) + 1
        for number, job_id in ledger.accepted.items():
            assert found[job_id].payload == owner.new(number).payload
        ends = {"done": 0, "failed": 0, "cancelled": 0, "crashed": 0}
        for job in found.values():
            assert job.ended, f"job {job.id} is {job.state}"
            events = store.events(job.id)
            assert [event.number for event in events] == list(range(1, len(events) + 1))
            assert [event.kind for event in events if event.kind in ENDED] == [job.state]
            assert [event.kind for event in events].count("picture") <= 1
            path = str(folder / "pictures" / f"{job.id}-0.png")
            if job.state == "done":
                assert job.kind == "generate"
                assert job.result is not None
                assert gallery[path] == 1
                recipe, png = owner.painted(job.payload["prompt"])
                assert job.result["images"][0]["pixels_sha256"] == recipe.pixels_sha256
                assert Path(path).read_bytes() == png
            elif job.state == "cancelled":
                assert job.payload["number"] % 10 == owner.REGRETTED
            crashed = job.error is not None and job.error["code"] == "worker_crashed"
            assert job.state != "failed" or crashed or job.kind == "fail"
            ends["crashed" if crashed else job.state] += 1
        assert all(count == 1 for count in gallery.values()), "a picture is in the gallery twice"
        assert store.depth().jobs == store.depth().running == 0
    finally:
        store.close()
    return ends


def _all(store: Store) -> list[Any]:
    jobs: list[Any] = []
    while page := store.list(limit=1000, before=jobs[-1].seq if jobs else None):
        jobs += page
    return jobs
