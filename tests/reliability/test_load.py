"""How many durable submits a second the store takes, and how long each client waits for its answer."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from triptych.jobs import Bounds, Store

from . import owner
from .programme import scale, tell

CLIENTS = 32
SECONDS = scale(2.0, 60.0)
DUPLICATES = scale(200, 1000)


def test_submits_share_their_syncs(tmp_path: Path) -> None:
    """On the real disk, every answer after its fsync, with workers that claim and end what comes."""
    store = Store.open(tmp_path, bounds=Bounds(jobs=10**6))
    waits: list[float] = []
    until = time.monotonic() + SECONDS
    ended = [0, 0]

    def client(first: int) -> None:
        for number in range(first, 10**9, CLIENTS):
            began = time.monotonic()
            if began > until:
                return
            store.submit(owner.new(number))
            waits.append(time.monotonic() - began)

    def worker(which: int) -> None:
        while time.monotonic() < until:
            for job in store.claim(f"w{which}", 16):
                store.finish(job.id, job.attempts, {})
                ended[which] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(CLIENTS)]
    threads += [threading.Thread(target=worker, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = store.counts()
    assert sum(counts.values()) == len(waits)
    assert counts.get("done", 0) == sum(ended)
    group = store._group
    # Without sharing, each submit has a group of its own; the rate itself is the machine's.
    assert group.works > 2 * group.groups
    waits.sort()
    tell(
        "durable submits",
        clients=CLIENTS,
        seconds=round(SECONDS),
        accepted=len(waits),
        a_second=round(len(waits) / SECONDS),
        p50_ms=round(1000 * waits[len(waits) // 2], 1),
        p99_ms=round(1000 * waits[int(len(waits) * 0.99)], 1),
        works_in_a_commit=round(group.works / group.groups, 1),
    )
    store.close()


def test_many_at_once_with_one_key_are_one_job(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    gate = threading.Barrier(DUPLICATES)
    answers: list[tuple[str, bool]] = []

    def client() -> None:
        gate.wait()
        submitted = store.submit(owner.new(0), key="the same")
        answers.append((submitted.job.id, submitted.replayed))

    threads = [threading.Thread(target=client) for _ in range(DUPLICATES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == DUPLICATES
    assert len({job for job, _ in answers}) == sum(not replayed for _, replayed in answers) == 1
    tell("parallel duplicates of one key", requests=DUPLICATES, jobs=1)
    store.close()
