"""Providers' bills under kill -9: whatever moment a process dies in, no job is billed twice, and every job that may
have been billed without a picture is shown.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY
from tests.hosted.test_providers import MODELS
from tests.reliability.buyer import buy

from triptych.core.errors import ProviderError
from triptych.hosted.account import Account, Limits
from triptych.hosted.keys import Secret
from triptych.hosted.ledger import Ledger
from triptych.hosted.unfinished import resolve

from .programme import scale, tell

JOBS = scale(30, 700)
CALLS_BETWEEN_KILLS = 12
PROVIDERS = ("xai", "bfl", "dashscope")
"""One that answers at once, one with a ticket, one with a ticket and a list."""


def bills_of(fake: Fake) -> Counter[str]:
    """How often each job was paid for, by its prompt, as the provider counts."""

    def prompt(body: Any) -> str:
        return body["prompt"] if "prompt" in body else body["input"]["messages"][0]["content"][-1]["text"]

    return Counter(prompt(body) for method, _, body in fake.asked if method == "POST")


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_job_is_billed_twice(name: str, quick: Path) -> None:
    chance = random.Random(f"bills {name}")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.reliability.buyer"])
    ledger = Ledger(quick / "hosted")
    kills = 0
    with FAKES[name]() as fake:
        fake.side = 16
        while len(ledger.jobs()) < JOBS:
            process = context.Process(target=buy, args=(name, MODELS[name], fake.base, KEY, str(ledger.folder), JOBS))
            process.start()
            until = len(fake.asked) + chance.randrange(1, CALLS_BETWEEN_KILLS)
            while len(fake.asked) < until and process.is_alive():
                time.sleep(0.0005)
            time.sleep(chance.random() * 0.004)
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGKILL)
                kills += 1
            process.join(30)
        bills = bills_of(fake)
        jobs = ledger.jobs()
        twice = [prompt for prompt, count in bills.items() if count > 1]
        assert not twice
        states = Counter(job.state for job in jobs)
        for job in jobs:
            paid = bills[job.what.get("prompt", "")]
            if job.state in ("done", "accepted", "received"):
                assert paid == 1, job
            if job.state == "not sent":
                assert paid == 0, job
            assert job.state != "running"
            assert job.is_open or job.state in ("done", "not sent", "damaged"), job
        account = Account(ledger, {name: Secret(KEY, "the test")}, {name: fake.base}, Limits(answer=30.0, poll=0.001))
        brought_home = found = 0
        for job in jobs:
            if job.state in ("accepted", "received"):
                brought_home += len(resolve(job.id, account).images)
            elif job.state == "unknown":
                with suppress(ProviderError):  # a list finds the only one; of several, or without a list, nobody knows
                    images = resolve(job.id, account).images
                    assert len(images) == bills[job.what.get("prompt", "")] == 1
                    assert name == "dashscope"
                    found += 1
        assert brought_home == states["accepted"] + states["received"]
        assert bills_of(fake) == bills, "nothing is sent again"
    tell(
        f"bills of {FAKES[name].name} under kill -9",
        jobs=len(jobs),
        kills=kills,
        billed_twice=len(twice),
        unknown_and_shown=states["unknown"],
        brought_home_after=brought_home,
        found_in_the_list=found,
    )
