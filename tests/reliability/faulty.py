"""The process in which writes fail: `LD_PRELOAD=failing.so python -m reliability.faulty FOLDER full|short`.

For each errno and each N it makes the N-th change of the file system fail while a job goes through its whole life, then
lets the disk be well again and has the same process do the next job. What it found goes to stdout as one line of JSON.
"""

from __future__ import annotations

import ctypes
import errno
import json
import shutil
import sqlite3
import sys
import time
from collections import Counter
from pathlib import Path

from triptych.core.errors import FileProblem
from triptych.core.readers import read_pixels, read_recipe
from triptych.core.recipe import pixels_sha256
from triptych.jobs import Job, StorageError, StorageFull, Store

from . import owner

FAULTS = ctypes.CDLL(None)
FAULTS.fault_count.restype = ctypes.c_long
FAULTS.fault_arm.argtypes = (ctypes.c_long, ctypes.c_int, ctypes.c_int)
ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
STRIDE = 4


class Trial:
    """Counts over all rounds of one kind."""

    def __init__(self) -> None:
        self.rounds, self.refused = 0, Counter[str]()
        self.slowest = 0.0

    def attempt(self, what: str, work) -> bool:  # type: ignore[no-untyped-def]
        """Whether it worked. Nothing but the errors that the package promises may come out."""
        try:
            work()
        except StorageFull:
            self.refused["full"] += 1
            return False
        except StorageError:
            self.refused["error"] += 1
            return False
        return True


def live(trial: Trial, store: Store, folder: Path, number: int) -> list[Job]:
    """Three jobs: one is painted, one fails, one is cancelled, if they are not refused. Those that were accepted."""
    accepted: list[Job] = []
    for offset in range(3):
        trial.attempt(
            "submit", lambda n=number + offset: accepted.append(store.submit(owner.new(n), key=f"key {n}").job)
        )
    if accepted:
        trial.attempt("cancel", lambda: store.cancel(accepted[-1].id))
    claimed: list[Job] = []
    trial.attempt("claim", lambda: claimed.extend(store.claim("w", 2)))
    for position, job in enumerate(claimed):
        if position:
            error = {"code": "x", "message": "it was to fail"}
            trial.attempt("fail", lambda job=job, error=error: store.fail(job.id, job.attempts, error))
        else:
            trial.attempt("paint", lambda job=job: owner.paint(store, folder, job))
    trial.attempt("beat", lambda: store.beat("w", [job.id for job in claimed]))
    return accepted


def recovered(store: Store, folder: Path, number: int) -> float:
    """The disk is well again: what was running goes back, all that waits is done, a new job works. Seconds."""
    began = time.monotonic()
    job = store.submit(owner.new(number)).job
    seconds = time.monotonic() - began
    store.requeue("w", crashed=False)
    while claimed := store.claim("w", 8):
        for one in claimed:
            owner.paint(store, folder, one)
    assert store.get(job.id).ended
    assert store.depth().jobs == store.depth().running == 0
    return seconds


def check(store: Store, folder: Path, accepted: list[Job]) -> None:
    with sqlite3.connect(folder / "triptych.db") as database:
        assert database.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    for path in (folder / "pictures").glob("*.png"):
        assert pixels_sha256(read_pixels(path)) == read_recipe(path).pixels_sha256
    assert not list((folder / "pictures").glob("*.part"))
    for job in accepted:
        found = store.get(job.id)
        assert found.ended, found
        assert [event.kind for event in store.events(job.id)][-1] == found.state
        if found.state == "done":
            assert found.result is not None
            assert Path(found.result["images"][0]["path"]).exists()


def running(folder: Path, errors: tuple[int, ...], every: int) -> Trial:
    """Writes fail under a store that is open, singly and from one on."""
    trial, number = Trial(), 1000
    for code in errors:
        for onwards in (0, 1):
            at = 1
            store = Store.open(folder)
            while True:
                FAULTS.fault_arm(at, code, onwards)
                accepted = live(trial, store, folder, number)
                passed = FAULTS.fault_count() < at
                FAULTS.fault_arm(0, 0, 0)
                trial.slowest = max(trial.slowest, recovered(store, folder, number + 10))
                check(store, folder, accepted)
                for path in (folder / "pictures").glob("*.png"):
                    path.unlink()
                trial.rounds += 1
                number += 50
                at += every
                if passed:
                    break
            store.close()
    return trial


def opening(folder: Path, errors: tuple[int, ...], every: int) -> Trial:
    """Writes fail while a new folder is opened."""
    trial = Trial()
    for code in errors:
        at = 1
        while True:
            place = folder / f"{code}-{at}"
            FAULTS.fault_arm(at, code, 0)
            try:
                Store.open(place).close()
            except (StorageError, FileProblem):
                trial.refused["opening"] += 1
            passed = FAULTS.fault_count() < at
            FAULTS.fault_arm(0, 0, 0)
            store = Store.open(place)
            trial.slowest = max(trial.slowest, recovered(store, place, 2000))
            store.close()
            assert not (place / "corrupt").exists()
            shutil.rmtree(place)
            trial.rounds += 1
            at += every
            if passed:
                break
    return trial


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    errors, every = (ERRORS, 1) if sys.argv[2] == "full" else (ERRORS[:1], STRIDE)
    FAULTS.fault_folder(str(folder).encode())
    trials = {
        "running": running(folder / "running", errors, every),
        "opening": opening(folder / "opening", errors, every),
    }
    found = {
        name: {"rounds": trial.rounds, **trial.refused, "slowest": trial.slowest} for name, trial in trials.items()
    }
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
