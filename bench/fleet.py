"""A fleet of GPUs that share one queue, simulated: what `bench/scale.py` plays a day's traffic on.

A GPU holds up to `room` pictures. In a round it gives every picture that it holds one step, a forward for each size; so
a picture that needs r more steps leaves after r rounds, and may be joined or left by others between any two. A GPU
whose room allows takes the oldest request of the queue at its next round; of several, any may be the first to ask.

Rounds are not played one by one: between two changes all rounds of a GPU are equal, so it is enough to know when the
next picture leaves. Knows no model and no money.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Ask:
    """A request for one picture. arrived: seconds; size: which forward it joins; steps: how many it needs."""

    arrived: float
    size: str
    steps: int


@dataclass(frozen=True)
class Served:
    ask: Ask
    started: float
    finished: float

    @property
    def seconds(self) -> float:
        """What the client waits."""
        return self.finished - self.ask.arrived


StepSeconds = Callable[[str, int], float]
"""(size, how many pictures share the forward) -> seconds of one step of all of them."""


@dataclass(frozen=True)
class Policy:
    """room: pictures under way on one GPU. joins: whether a picture may join others that are under way; if not, a
    batch is of one size, begins together, and the GPU is free again when the last of it is done."""

    name: str
    room: int
    joins: bool


ALONE = Policy("one at a time", 1, True)
BATCHES = Policy("fixed batches of 8", 8, False)
MIXED = Policy("step by step, 8 together", 8, True)


@dataclass
class _Gpu:
    step_seconds: StepSeconds
    decode: dict[str, float]
    policy: Policy
    at: float = 0.0
    """The beginning of its current round."""
    rounds: int = 0
    held: dict[str, list[tuple[int, int, Ask, float]]] = field(default_factory=dict)
    """size -> heap of (round after which it leaves, tie, request, when it was taken)."""
    count: int = 0
    closed: bool = False
    busy: float = 0.0
    version: int = 0

    def round_seconds(self) -> float:
        return sum(self.step_seconds(size, len(heap)) for size, heap in self.held.items() if heap)

    def advance(self, now: float) -> None:
        """Play the whole rounds that began before `now`; a newcomer joins the one after."""
        seconds = self.round_seconds()
        if seconds and now > self.at:
            played = int((now - self.at) / seconds) + 1
            played = min(played, self.next_leave() - self.rounds)
            self.rounds += played
            self.at += played * seconds
            self.busy += played * seconds
        elif not seconds:
            self.at = max(self.at, now)

    def next_leave(self) -> int:
        return min((heap[0][0] for heap in self.held.values() if heap), default=self.rounds)

    def next_time(self) -> float:
        return self.at + (self.next_leave() - self.rounds) * self.round_seconds()

    def take(self, ask: Ask, now: float, tie: int) -> None:
        heapq.heappush(self.held.setdefault(ask.size, []), (self.rounds + ask.steps, tie, ask, now))
        self.count += 1

    def leave(self) -> list[Served]:
        """Those whose last round has been played; each costs its decoding."""
        gone: list[Served] = []
        for size, heap in self.held.items():
            while heap and heap[0][0] <= self.rounds:
                _, _, ask, started = heapq.heappop(heap)
                self.at += self.decode[size]
                self.busy += self.decode[size]
                self.count -= 1
                gone.append(Served(ask, started, self.at))
        return gone

    def accepts(self, ask: Ask) -> bool:
        if self.count >= self.policy.room:
            return False
        return self.policy.joins or (
            not self.closed and all(not heap for s, heap in self.held.items() if s != ask.size)
        )


@dataclass(frozen=True)
class Outcome:
    served: tuple[Served, ...]
    busy: float
    """The part of the GPUs' time in which they computed."""
    waiting: int
    """How many were in the queue when the last request came."""


def play(
    asks: Iterable[Ask],
    gpus: int,
    policy: Policy,
    step_seconds: StepSeconds,
    decode: dict[str, float],
    chance: random.Random,
) -> Outcome:
    """Serve all of `asks` (in the order of their arrival) and say when each was done."""
    fleet = [_Gpu(step_seconds, decode, policy) for _ in range(gpus)]
    with_room = list(range(gpus))
    where = {gpu: gpu for gpu in range(gpus)}  # gpu -> its place in with_room, so that it can be taken out at once
    queue: deque[Ask] = deque()
    events: list[tuple[float, int, int]] = []
    served: list[Served] = []
    tie, last = 0, 0.0

    def drop(gpu: int) -> None:
        place = where.pop(gpu)
        moved = with_room.pop()
        if moved != gpu:
            with_room[place], where[moved] = moved, place

    def plan(gpu: int) -> None:
        one = fleet[gpu]
        one.version += 1
        if one.count:
            heapq.heappush(events, (one.next_time(), gpu, one.version))
        if one.count < policy.room and not one.closed and gpu not in where:
            where[gpu] = len(with_room)
            with_room.append(gpu)
        elif (one.count >= policy.room or one.closed) and gpu in where:
            drop(gpu)

    def feed(gpu: int, now: float) -> None:
        nonlocal tie
        one = fleet[gpu]
        one.advance(now)
        while queue and one.accepts(queue[0]):
            tie += 1
            one.take(queue.popleft(), max(now, one.at), tie)
        # A fixed batch takes what waits and closes until it is done.
        one.closed = bool(one.count) and not policy.joins
        plan(gpu)

    def until(now: float) -> None:
        nonlocal last
        while events and events[0][0] <= now:
            time, gpu, version = heapq.heappop(events)
            one = fleet[gpu]
            if version != one.version:
                continue
            one.advance(time)
            gone = one.leave()
            served.extend(gone)
            last = max(last, *(each.finished for each in gone)) if gone else last
            one.closed = one.closed and one.count > 0
            feed(gpu, one.at)

    for ask in asks:
        until(ask.arrived)
        queue.append(ask)
        if with_room:
            feed(chance.choice(with_room), ask.arrived)
    waiting = len(queue)
    until(float("inf"))
    return Outcome(tuple(served), sum(one.busy for one in fleet) / (gpus * max(last, 1e-9)), waiting)
