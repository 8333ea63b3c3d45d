"""Asking a server: every client waits for its answer before it asks again (closed loop), or requests come when they
come, whether the server keeps up or not (open loop).

In an open loop a request waits from the moment that it was due, not from when the server had time to take it: otherwise
a slow server would slow its clients down and look better than it is ("coordinated omission", Tene 2015).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from triptych.core.errors import TriptychError
from triptych.core.events import Failed, Finished
from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.evals.serving.workload import Ask


@dataclass(frozen=True)
class Sample:
    """What became of one request. asked, done: seconds since the run began. sha256: of its pixels."""

    ask: Ask
    asked: float
    done: float
    sha256: str

    @property
    def latency(self) -> float:
        return self.done - self.asked


class Server(Protocol):
    """Takes requests at any time; `work` does some of what is left and says which requests are done, with the hash."""

    def submit(self, number: int, request: Request) -> None: ...

    def work(self) -> Iterable[tuple[int, str]]: ...


class Together:
    """The engine with all requests under way at once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._numbers: dict[int, int] = {}

    def submit(self, number: int, request: Request) -> None:
        self._numbers[self.engine.submit(request)] = number

    def work(self) -> Iterable[tuple[int, str]]:
        self.engine.tick()
        for event in self.engine.take():
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                yield self._numbers.pop(event.request_id), pixels_sha256(event.pixels)


class OneByOne:
    """First come, first served: a request begins when the one before is done. paint: a request to its hash."""

    def __init__(self, paint: Callable[[Request], str]) -> None:
        self._paint = paint
        self._waiting: deque[tuple[int, Request]] = deque()

    def submit(self, number: int, request: Request) -> None:
        self._waiting.append((number, request))

    def work(self) -> Iterable[tuple[int, str]]:
        if self._waiting:
            number, request = self._waiting.popleft()
            yield number, self._paint(request)


def closed(server: Server, clients: Sequence[Sequence[Ask]]) -> list[Sample]:
    """Every client asks, waits, and asks again, until all have had all their answers."""
    began = time.perf_counter()
    left = [deque(asks) for asks in clients]
    asked: dict[int, tuple[Ask, float]] = {}
    samples: list[Sample] = []

    def ask_next(client: int) -> None:
        if left[client]:
            ask = left[client].popleft()
            number = len(asked)
            asked[number] = (ask, time.perf_counter() - began)
            server.submit(number, ask.request)

    for client in range(len(left)):
        ask_next(client)
    while len(samples) < len(asked):
        for number, sha256 in server.work():
            ask, since = asked[number]
            samples.append(Sample(ask, since, time.perf_counter() - began, sha256))
            ask_next(ask.client)
    return samples


def opened(server: Server, asks: Sequence[Ask], arrivals: Sequence[float]) -> list[Sample]:
    """Request k is due `arrivals[k]` seconds after the beginning."""
    if sorted(arrivals) != list(arrivals):
        raise TriptychError("arrivals are in order")
    began = time.perf_counter()
    samples: list[Sample] = []
    next_one = 0
    while len(samples) < len(asks):
        now = time.perf_counter() - began
        while next_one < len(asks) and arrivals[next_one] <= now:
            server.submit(next_one, asks[next_one].request)
            next_one += 1
        if len(samples) == next_one:
            time.sleep(max(arrivals[next_one] - now, 0.0))
            continue
        for number, sha256 in server.work():
            samples.append(Sample(asks[number], arrivals[number], time.perf_counter() - began, sha256))
    return samples
