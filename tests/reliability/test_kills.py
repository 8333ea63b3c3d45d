"""kill -9 at any moment: nothing lost, nothing doubled, nothing half-written."""

from __future__ import annotations

import random
import time
from pathlib import Path

from .ledger import Ledger, Running, balanced, intact, whole
from .programme import scale, tell

JOBS = scale(600, 20_000)
KILLS = scale(12, 300)
EACH = JOBS // KILLS
EARLY = 0.2
"""The part of the owners that are killed at a moment of time, mostly while they open the store."""


def test_an_owner_that_is_killed_again_and_again_loses_nothing(quick: Path) -> None:
    chance = random.Random(5)
    ledger, seen, halves, ended = Ledger(), set[str](), 0, 0
    began = time.monotonic()
    for kill in range(1, KILLS + 1):
        running = Running(quick, ledger)
        # What was sent and not answered is sent again, with its key, as a client would.
        ahead = min(JOBS, kill * EACH + 20)
        for number in [number for number in range(ahead) if number not in ledger.accepted]:
            running.say(submit=number)
        if chance.random() < EARLY:
            running.hear(time.monotonic() + chance.random() * 0.3)
        else:
            # Lives are counted in work, so that a busy machine does the same programme, then end a little later. One
            # job in ten is cancelled before it runs, and a few ends were not heard before the last kills.
            running.hear(time.monotonic() + 10, ends=chance.randrange(max((ahead - ended) * 3 // 4, 1)))
            running.hear(time.monotonic() + chance.random() * 0.02)
        running.kill()
        ended = max(ended + running.ended, ahead - 3 * EACH)
        halves += len(list((quick / "pictures").glob("*.part")))
        whole(quick, seen)
        if kill % 10 == 0:
            intact(quick)
    last = Running(quick, ledger)
    for number in [number for number in range(JOBS) if number not in ledger.accepted]:
        last.say(submit=number)
    last.finish(1800)
    ends = balanced(quick, ledger, JOBS)
    assert sum(ends.values()) == JOBS == len(ledger.accepted)
    assert not list((quick / "pictures").glob(".*"))
    tell(
        "kill -9 of the owner",
        kills=KILLS,
        jobs=JOBS,
        **ends,
        lost=0,
        doubled=0,
        temporary_files_left_and_swept=halves,
        seconds=round(time.monotonic() - began),
    )
