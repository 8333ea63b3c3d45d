"""kill -9 of workers at any moment: the server lives, every job comes to one end, and poison harms nobody else."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from triptych.jobs.model import NewJob
from triptych.jobs.store import Store
from triptych.workers import process
from triptych.workers.process import Setup
from triptych.workers.supervisor import Supervisor

from .ledger import TESTS, intact, whole
from .owner import painted
from .programme import scale, tell

KILLS = scale(8, 200)
JOBS = scale(240, 6_000)
"""At least; as many more as the kills need to find something under way."""
EVERY = scale(120, 600)
"""One in so many jobs kills its worker by itself."""


def test_workers_that_are_killed_again_and_again_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", TESTS)
    assert "PYTHONPATH" in process._PASSED_ON
    chance = random.Random(11)
    store = Store.open(tmp_path)
    setup = Setup((sys.executable, "-m", "reliability.false_worker"))
    supervisor = Supervisor(store, tmp_path, setup, workers=2, most_pictures=4)
    supervisor.start()
    began = time.monotonic()
    asked: dict[str, str] = {}
    kills, next_kill, poison = 0, 0, set[str]()
    while kills < KILLS or len(asked) < JOBS:
        if store.depth().jobs < 40:
            for number in range(len(asked), len(asked) + 20):
                prompt = "poison" if number % EVERY == 7 else f"fox {number}"
                job = store.submit(NewJob("generate", {"prompt": prompt}, text=prompt)).job
                asked[job.id] = prompt
                if prompt == "poison":
                    poison.add(job.id)
        time.sleep(chance.random() * 0.05)
        pids = [worker.pid for worker in supervisor.workers if worker.jobs and worker.pid]
        if pids and kills < KILLS and store.counts().get("done", 0) >= next_kill:
            with suppress(ProcessLookupError):  # poison was faster
                os.kill(chance.choice(pids), signal.SIGKILL)
                kills += 1
            next_kill = store.counts().get("done", 0) + chance.randrange(2 * JOBS // KILLS)
    limit = time.monotonic() + 900
    while (depth := store.depth()).jobs or depth.running:
        assert time.monotonic() < limit, f"{depth} does not end"
        time.sleep(0.05)
    restarts = sum(worker.crashes for worker in supervisor.workers)
    supervisor.stop(1.0)
    ends = Counter[str]()
    for job_id, prompt in asked.items():
        job = store.get(job_id)
        events = [event.kind for event in store.events(job_id)]
        assert job.ended
        assert events.count("done") + events.count("failed") == 1
        assert events.count("picture") <= 1
        if prompt == "poison":
            assert job.state == "failed"
        elif job.state == "done":
            assert job.result is not None
            assert job.result["images"][0]["pixels_sha256"] == painted(prompt)[0].pixels_sha256
        else:  # three kills found it under way: that is what a worker's death costs
            assert (job.failures, job.error and job.error["code"]) == (3, "worker_crashed")
        ends[job.state] += 1
    store.close()
    intact(tmp_path)
    pictures = whole(tmp_path, set())
    assert pictures >= ends["done"]
    assert not list((tmp_path / "pictures").glob(".*"))
    tell(
        "kill -9 of workers",
        kills=kills,
        restarts=restarts,
        jobs=len(asked),
        done=ends["done"],
        poisonous=len(poison),
        failed=ends["failed"],
        server_restarts=0,
        seconds=round(time.monotonic() - began),
    )
