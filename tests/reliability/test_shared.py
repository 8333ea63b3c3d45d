"""Two machines on one PostgreSQL queue and one folder of pictures; one after the other is killed under load."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .ledger import TESTS, Ledger, Running, balanced
from .programme import scale, tell

sys.path.append(f"{TESTS}/jobs")

JOBS = scale(200, 4000)
KILLS = scale(6, 60)
EACH = JOBS // KILLS

pytestmark = pytest.mark.postgresql


@pytest.fixture
def address() -> Iterator[str]:
    from postgresql import Cluster  # pyright: ignore[reportMissingImports]

    cluster = Cluster()
    try:
        yield cluster.start().new_database("shared")
    finally:
        cluster.remove()


@pytest.mark.timeout(1800)
def test_what_a_killed_machine_was_doing_is_done_by_the_other(address: str, quick: Path) -> None:
    chance, ledger = random.Random(6), Ledger()
    machines = [Running(quick, ledger, shared=address) for _ in range(2)]
    for kill in range(1, KILLS + 1):
        numbers = [number for number in range(kill * EACH) if number not in ledger.accepted]
        for number in numbers:
            machines[number % 2].say(submit=number)
        victim = kill % 2
        machines[victim].hear(time.monotonic() + 10, machines[victim].ended + chance.randrange(max(EACH // 3, 1)))
        machines[1 - victim].hear()
        machines[victim].kill()
        machines[victim] = Running(quick, ledger, shared=address)
    for number in [number for number in range(JOBS) if number not in ledger.accepted]:
        machines[0].say(submit=number)
    machines[0].finish(300)
    machines[1].finish(60)
    ends = balanced(quick, ledger, JOBS, address)
    assert sum(ends.values()) == JOBS == len(ledger.accepted)
    tell("kill -9 of a machine on PostgreSQL", kills=KILLS, jobs=JOBS, **ends, lost=0, doubled=0)
