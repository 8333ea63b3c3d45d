"""Ten times more requests than can be done: some are taken, the others are told when to come back, and nothing is lost.

The real HTTP server over the real store; painting is a thread that ends jobs at a fixed rate, so that the load is
known.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import uvicorn
from tests.server.conftest import TOKEN, settings_for

from triptych.core.registry import Registry, builtin_folder
from triptych.jobs.model import Bounds
from triptych.jobs.store import Store
from triptych.server import run
from triptych.server.app import create_app
from triptych.server.local import LocalService
from triptych.workers.decode import Decoder
from triptych.workers.live import Broker

from .programme import scale, tell

SECONDS = scale(4, 60)
RATE = 20
"""Jobs that are done in a second."""
CLIENTS = 32


class Painter:
    """In the place of a supervisor: takes jobs from the store and ends them, RATE a second."""

    def __init__(self, store: Store) -> None:
        self.store, self.live = store, Broker(lambda job, partials: None)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.ready, self.workers = True, ()

    def start(self) -> None:
        self.thread.start()

    def stop(self, grace: float = 0.0) -> None:
        self.stopping.set()
        self.thread.join(10)

    def nudge(self) -> None:
        """Nothing runs long enough to be cancelled."""

    def listen(self, job: str, *, partials: int = -1, wake: Callable[[], None] | None = None) -> Any:
        return self.live.listen(job, partials=partials, wake=wake)

    def _run(self) -> None:
        while not self.stopping.wait(1 / RATE):
            for job in self.store.claim("painter", 1):
                self.store.finish(job.id, job.attempts, {"images": [], "notes": [], "model": "flow", "family": "flow"})


@contextmanager
def overloaded(folder: Path, bounds: Bounds) -> Iterator[tuple[str, Store]]:
    store = Store.open(folder, bounds=bounds)
    cards = Registry().add_folder(builtin_folder()).models()
    service = LocalService(store, Painter(store), Decoder(), folder, cards)  # type: ignore[arg-type]
    settings = settings_for(folder, port=0)
    bound = run.listening(settings)
    server = uvicorn.Server(run.config(create_app(service, settings), settings))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([bound])), daemon=True)
    thread.start()
    try:
        yield run.address(bound), store
    finally:
        server.should_exit = True
        thread.join(20)


def test_overload_is_refused_quickly_and_what_is_taken_is_done(tmp_path: Path) -> None:
    times: dict[int, list[float]] = {202: [], 429: []}
    health: list[float] = []
    statuses: Counter[int] = Counter()

    async def press(url: str) -> None:
        until = time.monotonic() + SECONDS
        pause = CLIENTS / (10 * RATE)
        headers = {"authorization": f"Bearer {TOKEN}"}
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, verify=False, timeout=30) as client:

            async def one(number: int) -> None:
                await asyncio.sleep(pause * number / CLIENTS)
                while time.monotonic() < until:
                    # An open loop: the next one comes when it is due, however long this one takes.
                    due = asyncio.ensure_future(asyncio.sleep(pause))
                    began = time.perf_counter()
                    answer = await client.post("/v1/jobs", json={"kind": "generate", "request": {"prompt": "a fox"}})
                    times[answer.status_code].append(time.perf_counter() - began)
                    statuses[answer.status_code] += 1
                    if answer.status_code == 429:
                        assert int(answer.headers["retry-after"]) >= 1
                        assert answer.json()["error"]["code"] == "queue_full"
                    await due

            async def watch() -> None:
                while time.monotonic() < until:
                    began = time.perf_counter()
                    assert (await client.get("/health")).status_code == 200
                    health.append(time.perf_counter() - began)
                    await asyncio.sleep(0.1)

            await asyncio.gather(watch(), *(one(number) for number in range(CLIENTS)))

    with overloaded(tmp_path, Bounds(jobs=RATE)) as (url, store):
        asyncio.run(press(url))
        until = time.monotonic() + 60
        while store.depth().jobs + store.depth().running and time.monotonic() < until:
            time.sleep(0.1)
        assert store.counts() == {"done": statuses[202]}
    assert set(statuses) == {202, 429}
    assert statuses[429] > 2 * statuses[202]
    assert 0 < statuses[202] <= RATE * (SECONDS + 3)
    tell(
        "ten times overload over HTTP",
        seconds=SECONDS,
        accepted=statuses[202],
        refused_with_retry_after=statuses[429],
        lost=0,
        p99_ms_accepted=quantile(times[202]),
        p99_ms_refused=quantile(times[429]),
        p99_ms_health=quantile(health),
    )


def quantile(seconds: list[float]) -> float:
    """The 99th percentile in milliseconds."""
    return round(sorted(seconds)[int(len(seconds) * 0.99)] * 1000, 1)
