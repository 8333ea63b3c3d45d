"""Which pictures make the next step: fair to short requests and to long ones.

Two orders take turns, each with half of the time, measured in seconds and not in steps:

- shortest first: who needs least until done. A request of four steps passes those of fifty.
- oldest first: who came first. However many short ones come, the oldest picture has half of the machine.

So a picture takes at most twice as long as if its order were the only one, and none starves. The first of the order
that has its turn leads; others of its kind (equal batch keys) fill the forward, as many as are worth it (`costs`).

Priority and deadlines count in the first order only. Knows nothing of what the states hold.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from triptych.core.family import Family
from triptych.core.state import State
from triptych.engine.costs import Costs


@dataclass
class Job:
    """One picture under way. steps: forwards that it took part in; several make a step of a second-order sampler.

    deadline: seconds of the engine's clock, infinite for none. held: bytes of its tensors.
    """

    request_id: int
    index: int
    family: Family
    state: State
    priority: int = 0
    deadline: float = math.inf
    forwards: int = 0
    held: int = 0

    @property
    def key(self) -> Hashable:
        return (id(self.family), self.family.batch_key(self.state))

    @property
    def forwards_left(self) -> float:
        each = self.forwards / self.state.step if self.state.step else 1.0
        return (self.state.total - self.state.step) * each


class Batcher:
    """Chooses groups and keeps the account of the two orders. largest: pictures of one forward at most."""

    def __init__(self, costs: Costs, largest: int) -> None:
        self.costs, self.largest = costs, largest
        self._shortest = self._oldest = 0.0  # seconds that each order has had

    def next_group(self, jobs: Sequence[Job], now: float, most: int | None = None) -> list[Job]:
        """At most `largest`, and `most`, pictures of one kind."""
        if not jobs:
            return []
        short, old = min(jobs, key=lambda job: self._urgency(job, now)), min(jobs, key=_age)
        by_age = old is not short and self._oldest < self._shortest
        leader = old if by_age else short
        key = leader.key
        alike = [job for job in jobs if job is not leader and job.key == key]
        alike.sort(key=_age if by_age else lambda job: self._urgency(job, now))
        largest = max(min(self.largest, len(alike) + 1, most or self.largest), 1)
        group = [leader, *alike][: self.costs.width(key, largest)]
        self._turn = (old is short, by_age)
        return group

    def spent(self, seconds: float) -> None:
        """The group that was chosen last took so long: charge the order that had the turn, or both if they agreed."""
        both, by_age = self._turn
        self._oldest += seconds if both or by_age else 0.0
        self._shortest += seconds if both or not by_age else 0.0

    def left(self, job: Job) -> float:
        """Seconds that a picture still needs, alone on the machine, as far as is known."""
        return job.forwards_left * self.costs.seconds(job.key)

    def _urgency(self, job: Job, now: float) -> tuple[float, float, int, int]:
        """What is left to do, or the time that can still be lost before a deadline, whichever is less.

        Half of the machine is all that one can count on, so what is left takes twice as long. A picture that must miss
        its deadline even alone has no urgency of that kind: it would make others miss theirs.
        """
        left, room = self.left(job), job.deadline - now
        urgency = min(left, max(room - 2 * left, 0.0)) if room >= left else left
        return (-job.priority, urgency, *_age(job))


def _age(job: Job) -> tuple[int, int]:
    return (job.request_id, job.index)
