"""The queue against a model of itself on one screen, by random steps of clients, workers, crashes and clocks."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from triptych.jobs import AlreadyEnded, Bounds, KeyReused, NewJob, QueueFull, StaleAttempt, Store
from triptych.jobs.database import Database
from triptych.jobs.model import ENDED, MAX_FAILURES

from .programme import FULL, MEMORY, scale, tell

EXAMPLES, STEPS = scale((20, 40), (1000, 100))
RARE = 13
BOUND = 4
WORKERS = st.sampled_from(["a", "b"])
STEPS_DONE = 0
SEEN: set[str] = set()
"""The rare situations that the steps came through; a run that missed one would have shown nothing about it."""


@dataclass
class Expected:
    """What the model says of a job."""

    state: str = "queued"
    priority: int = 0
    deadline: float | None = None
    once: bool = False
    attempts: int = 0
    failures: int = 0
    worker: str | None = None
    cancel: bool = False
    events: list[str] = field(default_factory=lambda: ["queued"])

    def end(self, state: str) -> None:
        self.state, self.worker = state, None
        self.events.append(state)

    def crash(self, counts: bool) -> None:
        self.failures += counts
        if self.cancel:
            SEEN.add("a crash of what was to be cancelled")
            self.failures -= counts
            self.end("cancelled")
        elif self.once and counts:
            SEEN.add("a crash of what may run once")
            self.failures -= 1
            self.end("unknown")
        elif self.failures >= MAX_FAILURES:
            SEEN.add("the third crash")
            self.end("failed")
        else:
            self.state, self.worker = "queued", None
            self.events.append("requeued")


class Queue(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.clock = 1_000_000.0
        self.expected: dict[str, Expected] = {}
        self.keys: dict[str, tuple[int, str]] = {}
        self._open()

    def _open(self) -> None:
        self.store = Store.open(self.folder, bounds=Bounds(jobs=BOUND))
        # The refusal without the disk is a matter of real milliseconds, which a model cannot know.
        self.store._full_until = float("-inf")

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            shutil.rmtree(self.folder)

    def _in(self, state: str, worker: str | None = None) -> list[str]:
        return [
            job for job, one in self.expected.items() if one.state == state and (worker is None or one.worker == worker)
        ]

    @rule(body=st.integers(0, 2), key=st.sampled_from([None, "k", "l"]), priority=st.integers(0, 1),
          timeout=st.sampled_from([None, None, 50.0]), once=st.sampled_from([False, False, False, True]))  # fmt: skip
    def submit(self, body: int, key: str | None, priority: int, timeout: float | None, once: bool) -> None:
        new = NewJob("generate", {"body": body}, text=f"fox {body}", priority=priority, timeout=timeout, once=once)
        self.store._full_until = float("-inf")
        known = self.keys.get(key) if key else None
        try:
            submitted = self.store.submit(new, key=key)
        except KeyReused:
            SEEN.add("a key with another body")
            assert known
            assert known[0] != body
        except QueueFull:
            SEEN.add("full")
            assert not known
            assert len(self._in("queued")) == BOUND
        else:
            if known:
                SEEN.add("a key again")
                assert (submitted.replayed, submitted.job.id) == (True, known[1])
                assert known[0] == body
                return
            assert not submitted.replayed
            assert len(self._in("queued")) < BOUND
            self.expected[submitted.job.id] = Expected(
                priority=priority, once=once, deadline=None if timeout is None else self.clock + timeout
            )
            if key:
                self.keys[key] = (body, submitted.job.id)

    def _expire(self) -> None:
        for job in self._in("queued"):
            one = self.expected[job]
            if one.deadline is not None and one.deadline < self.clock:
                SEEN.add("late")
                one.end("failed")

    @rule(worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: str, limit: int) -> None:
        claimed = self.store.claim(worker, limit)
        self._expire()
        order = list(self.expected)
        queue = sorted(self._in("queued"), key=lambda job: (-self.expected[job].priority, order.index(job)))
        mine = self._in("running", worker)
        last_chance = [job for job in queue[:limit] if self.expected[job].failures >= MAX_FAILURES - 1]
        if any(self.expected[job].failures >= MAX_FAILURES - 1 for job in mine):
            SEEN.add("a job that must be alone keeps others away")
            wanted: list[str] = []
        elif last_chance:
            before = queue[: queue.index(last_chance[0])]
            SEEN.add(
                "those before it go first" if before else "it waits for the worker" if mine else "it is claimed alone"
            )
            wanted = before if before or mine else last_chance[:1]
        else:
            wanted = queue[:limit]
        assert [job.id for job in claimed] == wanted
        for job in wanted:
            one = self.expected[job]
            one.state, one.worker, one.attempts = "running", worker, one.attempts + 1
            one.events.append("started")

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), what=st.sampled_from(["finish", "fail", "retry", "stopped"]), older=st.booleans())
    def report(self, data: st.DataObject, what: str, older: bool) -> None:
        """A worker reports about any job, of its latest attempt or of one before."""
        job = data.draw(st.sampled_from(list(self.expected)))
        one = self.expected[job]
        attempt = one.attempts - older
        calls: dict[str, Any] = {
            "finish": lambda: self.store.finish(job, attempt, {"images": []}),
            "fail": lambda: self.store.fail(job, attempt, {"code": "x"}),
            "retry": lambda: self.store.fail(job, attempt, {"code": "x"}, retry=True),
            "stopped": lambda: self.store.stopped(job, attempt),
        }
        try:
            calls[what]()
        except StaleAttempt:
            SEEN.add("a late report" if older and one.state == "running" else "a report after the end")
            assert older or one.state != "running"
            return
        assert not older
        assert one.state == "running"
        if what == "retry":
            if one.cancel:
                one.end("cancelled")
                return
            one.failures += 1
            if one.failures < MAX_FAILURES:
                one.state, one.worker = "queued", None
                one.events.append("requeued")
            else:
                one.end("failed")
        else:
            one.failures += what == "fail"
            one.end({"finish": "done", "fail": "failed", "stopped": "cancelled"}[what])
            one.cancel = one.cancel or what == "stopped"

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(list(self.expected)))
        one = self.expected[job]
        try:
            found = self.store.cancel(job)
        except AlreadyEnded:
            assert one.state in ENDED - {"cancelled"}
            return
        if one.state == "queued":
            one.end("cancelled")
            one.cancel = True
        elif one.state == "running":
            one.cancel = True
        assert (found.state, found.cancel_requested) == (one.state, True)

    @rule(worker=WORKERS)
    def beat(self, worker: str) -> None:
        stop = self.store.beat(worker, list(self.expected))
        kept = [job for job in self._in("running", worker) if not self.expected[job].cancel]
        assert stop == [job for job in self.expected if job not in kept]
        self._expire()

    @rule(worker=WORKERS, crashed=st.booleans())
    def worker_goes(self, worker: str, crashed: bool) -> None:
        gone = self._in("running", worker)
        assert {job.id for job in self.store.requeue(worker, crashed=crashed)} == set(gone)
        for job in gone:
            self.expected[job].crash(crashed)

    @rule(worker=WORKERS, times=st.sampled_from([1, 2, 2, 3]))
    def worker_claims_and_dies(self, worker: str, times: int) -> None:
        for _ in range(times):
            self.claim(worker, 2)
            self.worker_goes(worker, True)

    @rule()
    def owner_goes(self) -> None:
        self.store.close()
        self._open()
        for job in self._in("running"):
            self.expected[job].crash(True)

    @rule(seconds=st.sampled_from([1.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock += seconds

    @invariant()
    def agrees(self) -> None:
        global STEPS_DONE
        STEPS_DONE += 1
        if not hasattr(self, "store"):
            return
        for job in self.store.list(limit=1000):
            one = self.expected[job.id]
            assert (job.state, job.attempts, job.worker) == (one.state, one.attempts, one.worker)
            assert (job.failures, job.cancel_requested) == (one.failures, one.cancel)
        counts = self.store.counts()
        assert sum(counts.values()) == len(self.expected)
        assert self.store.depth().jobs == len(self._in("queued"))
        if self.expected:
            latest = list(self.expected)[-1]
            for job in (latest, next(iter(self.expected))):
                events = self.store.events(job)
                assert [event.kind for event in events] == self.expected[job].events
                assert [event.number for event in events] == list(range(1, len(events) + 1))


def test_the_queue_does_what_its_model_says(monkeypatch: Any) -> None:
    machines: list[Queue] = []
    begin = Queue.begin

    class Clocked(Queue):
        @initialize()
        def begin(self) -> None:
            machines[:] = [self]
            begin(self)

    monkeypatch.setattr(Database, "now", lambda *_: machines[0].clock)
    run_state_machine_as_test(
        Clocked,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=scale(True, False),
            database=None,
        ),
    )
    # The short form cannot come through all of them, and `tests/jobs` has each by name.
    assert len(SEEN) == RARE or not FULL, SEEN
    tell("the queue against its model", steps=STEPS_DONE, rare_situations=f"{len(SEEN)} of {RARE}", broken=0)
