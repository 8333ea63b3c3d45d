"""Which pictures share the next forward.

States with equal batch keys may share one; among those groups the one whose oldest member has waited longest goes
first, so that a steady stream of one kind cannot starve another. Knows nothing of what the states hold.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from triptych.core.family import Family
from triptych.core.state import State


@dataclass
class Job:
    """One picture under way: its state, its family, and when it last moved (in ticks)."""

    request_id: int
    index: int
    family: Family
    state: State
    moved_at: int = 0

    @property
    def key(self) -> Hashable:
        return (id(self.family), self.family.batch_key(self.state))


def next_group(jobs: Sequence[Job], largest: int) -> list[Job]:
    """At most `largest` jobs of one key: the key of the job that has waited longest, then its oldest members."""
    if not jobs:
        return []
    oldest = min(jobs, key=lambda job: job.moved_at)
    same = [job for job in jobs if job.key == oldest.key]
    return sorted(same, key=lambda job: job.moved_at)[:largest]
