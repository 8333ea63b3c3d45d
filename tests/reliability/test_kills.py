"""kill -9 at any moment: nothing lost, nothing doubled, nothing half-written."""

from __future__ import annotations

import random
import time
from pathlib import Path

from .ledger import Ledger, Running, balanced, intact, whole
from .programme import scale, tell

JOBS = scale(600, 20_000)
KILLS = scale(12, 300)
LONGEST = 0.5
"""Seconds that an owner lives at most, and it may be killed before it has opened the store."""


def test_an_owner_that_is_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    chance = random.Random(5)
    ledger, seen, kills, halves, sent = Ledger(), set[str](), 0, 0, 0
    began = time.monotonic()
    while len(ledger.accepted) < JOBS or kills < KILLS:
        running = Running(tmp_path, ledger)
        # What was sent and not answered is sent again, with its key, as a client would.
        waiting = [number for number in range(sent) if number not in ledger.accepted]
        ahead = min(JOBS, max(len(ledger.accepted), (kills + 1) * JOBS // KILLS) + 20)
        waiting += range(sent, ahead)
        sent = max(sent, ahead)
        for number in waiting:
            running.say(submit=number)
        running.hear(time.monotonic() + chance.random() * LONGEST)
        running.kill()
        kills += 1
        halves += len(list((tmp_path / "pictures").glob("*.part")))
        whole(tmp_path, seen)
        if kills % 10 == 0:
            intact(tmp_path)
    last = Running(tmp_path, ledger)
    last.finish(600)
    ends = balanced(tmp_path, ledger, JOBS)
    assert sum(ends.values()) == JOBS == len(ledger.accepted)
    assert not list((tmp_path / "pictures").glob(".*"))
    tell(
        "kill -9 of the owner",
        kills=kills,
        jobs=JOBS,
        **ends,
        lost=0,
        doubled=0,
        temporary_files_left_and_swept=halves,
        seconds=round(time.monotonic() - began),
    )
