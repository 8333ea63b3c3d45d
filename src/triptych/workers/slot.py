"""One place for a worker: its process, the jobs that it holds, and what is done with all that it says.

The process may die at any moment; the slot lives on. Every job that the store gave to this slot's worker ends here in
one of four ways: finished, failed, stopped (it was cancelled), or given back. What the store refuses as outdated is
dropped; what it cannot take because its disk is full is tried again until it can (`Reports`).

Locking: `_lock` guards `_held` and `_process`. Nothing waits for a disk or a child while it is held.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.jobs import clock
from triptych.jobs.errors import StaleAttempt, StorageError
from triptych.jobs.model import Job
from triptych.jobs.store import Store
from triptych.workers.faults import RETRIED, fault
from triptych.workers.figures import Total
from triptych.workers.live import Broker, Live
from triptych.workers.process import Process, Setup
from triptych.workers.reports import Reports
from triptych.workers.results import Pictures
from triptych.workers.states import States
from triptych.workers.wire import Frame

LIVE = frozenset({"started", "planned", "stepped", "preview"})
"""What is told to listeners as it comes, and forgotten."""
DEADLINE = fault("deadline_exceeded", "the job was not done within the time that it was allowed")

log = logging.getLogger(__name__)


@dataclass
class Held:
    """A job that the worker has. images: what is published of it, by index. stopping: why it was told to stop."""

    job: Job
    pictures: int
    images: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    stopping: dict[str, Any] | None = None
    cancelled: bool = False


class Slot:
    """name: under which the store knows the worker. changed: called when there may be room, or a process to start."""

    def __init__(
        self, name: str, store: Store, folder: Path, setup: Setup, broker: Broker, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self._store, self._setup, self._broker, self._changed = store, setup, broker, changed
        self._states, self._pictures = States(folder / "states"), Pictures(folder / "pictures")
        self.reports = Reports()
        self.figures = Total()
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._process: Process | None = None
        self._ready = threading.Event()
        self._drained = threading.Event()
        self.crashes = 0
        self.in_a_row = 0
        """Processes that died since a job last came to its end."""
        self.heard_at = time.monotonic()

    # ------------------------------------------------------------------------------------------- the process

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def ready(self) -> bool:
        """Whether jobs may be given: the models are there, and nothing that must be told first is left."""
        return self._ready.is_set() and self.running and not self.reports.refused

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process else None

    @property
    def jobs(self) -> list[str]:
        with self._lock:
            return list(self._held)

    @property
    def pictures(self) -> int:
        """How many pictures are still to come of what it holds."""
        with self._lock:
            return sum(held.pictures - len(held.images) for held in self._held.values())

    def start(self) -> None:
        self._ready.clear()
        self._drained.clear()
        self.heard_at = time.monotonic()
        process = Process(self._setup, self._on_frame, self._on_gone)
        with self._lock:
            self._process = process
        process.listen()

    def kill(self) -> None:
        if process := self._process:
            process.kill()

    # -------------------------------------------------------------------------------------------------- jobs

    def give(self, job: Job) -> None:
        """Send a claimed job, with what is left of earlier attempts."""
        many = job.payload.get("n") if job.kind == "generate" else 1
        wanted = many if isinstance(many, int) else 1  # what is no number, the worker refuses
        held = Held(job, wanted, self._pictures.of(job.id) if job.kind == "generate" else {})
        with self._lock:
            gone = self._process is None
            if not gone:
                self._held[job.id] = held
        if gone:
            self._report(lambda: self._store.requeue(self.name, crashed=False))
            return
        if len(held.images) == wanted:
            # The last attempt died between its last picture and its last word.
            self._report(lambda: self._finish(held, self._pictures.told(job.id)))
            self._drop(job.id)
            return
        states = {index: data for index, data in self._states.of(job.id).items() if index not in held.images}
        fields = {
            "job": job.id,
            "attempt": job.attempts,
            "kind": job.kind,
            "payload": job.payload,
            "done": sorted(held.images),
            "states": sorted(states),
            "priority": job.priority,
            "timeout": None if job.deadline is None else max(job.deadline - clock.now(), 0.0),
            "partials": self._broker.wanted(job.id),
        }
        self._send(Frame("submit", fields, tuple(states[index] for index in sorted(states))))

    def beat(self) -> None:
        """Tell the store what is worked on, stop what it wants stopped, and what is past its deadline."""
        with self._lock:
            held = dict(self._held)
        if not held:
            return
        for job in self._store.beat(self.name, list(held)):
            self._stop(held[job], None)
        now = clock.now()
        for one in held.values():
            if one.job.deadline is not None and one.job.deadline < now:
                self._stop(one, DEADLINE)

    def watch(self, job: str, partials: int) -> None:
        if job in self.jobs:
            self._send(Frame("watch", {"job": job, "partials": partials}))

    def drain(self, timeout: float) -> bool:
        """Let the worker save what is under way; whether it said that it has."""
        return self._send(Frame("drain")) and self._drained.wait(timeout)

    def end(self, timeout: float) -> None:
        """End the process, and give back what it still holds, without blame."""
        with self._lock:
            process, self._process = self._process, None
            self._held.clear()
        if process is not None:
            process.send(Frame("stop"))
            if not process.join(timeout):
                process.kill()
                process.join(timeout)
        self._report(lambda: self._store.requeue(self.name, crashed=False))

    def _stop(self, held: Held, why: dict[str, Any] | None) -> None:
        if held.cancelled:
            return
        held.cancelled, held.stopping = True, why
        self._send(Frame("cancel", {"job": held.job.id}))

    def _send(self, frame: Frame) -> bool:
        process = self._process
        return process is not None and process.send(frame)

    # ------------------------------------------------------------------------------------ what the child says

    def _on_frame(self, process: Process, frame: Frame) -> None:
        self.heard_at = time.monotonic()
        if frame.kind == "ready":
            self._ready.set()
            self._changed()
        elif frame.kind == "drained":
            self._drained.set()
        elif frame.kind == "stats":
            self.figures.told(frame.fields)
        elif (held := self._holder(frame)) is not None:
            if frame.kind in LIVE:
                data = {name: value for name, value in frame.fields.items() if name not in ("job", "attempt")}
                self._broker.publish(Live(held.job.id, frame.kind, data, b"".join(frame.blobs)))
            elif frame.kind == "state":
                self._states.put(held.job.id, int(frame.fields["index"]), frame.blobs[0])
            elif frame.kind == "picture":
                self._on_picture(held, frame)
            elif frame.kind == "done":
                self._on_end(held, lambda: self._finish(held, frame.fields["result"]))
            elif frame.kind == "failed":
                self._on_end(held, lambda: self._fail(held, frame.fields["error"]))

    def _holder(self, frame: Frame) -> Held | None:
        """The job that a frame is about, if it is still this attempt's."""
        with self._lock:
            held = self._held.get(str(frame.fields.get("job")))
        return held if held is not None and held.job.attempts == frame.fields.get("attempt") else None

    def _on_picture(self, held: Held, frame: Frame) -> None:
        """Publish: file first, then its row. A disk that refuses fails the job with its reason."""
        job, index = held.job, int(frame.fields["index"])
        try:
            image, recipe = self._pictures.publish(job.id, index, frame.fields, frame.blobs[0])
        except StorageError as error:
            self._stop(held, fault("storage", str(error)))
            return
        held.images[index] = image
        self._states.drop(job.id, index)
        self._report(lambda: self._store.picture(job.id, job.attempts, index, image, recipe))

    def _on_end(self, held: Held, report: Callable[[], object]) -> None:
        self.in_a_row = 0
        self._report(report)
        self._drop(held.job.id)

    def _finish(self, held: Held, told: dict[str, Any]) -> None:
        if held.stopping is not None:  # a picture of it could not be written
            self._fail(held, held.stopping)
            return
        images = [held.images[index] for index in sorted(held.images)]
        self._store.finish(held.job.id, held.job.attempts, {"images": images, **told})
        self._states.drop(held.job.id)

    def _fail(self, held: Held, error: dict[str, Any]) -> None:
        job = held.job
        if held.cancelled and held.stopping is None:
            self._store.stopped(job.id, job.attempts)
        elif held.cancelled and held.stopping is not None:
            self._store.fail(job.id, job.attempts, held.stopping)
        else:
            self._store.fail(job.id, job.attempts, error, retry=error.get("code") in RETRIED)
        self._states.drop(job.id)

    def _drop(self, job: str) -> None:
        with self._lock:
            self._held.pop(job, None)
        self._changed()

    def _on_gone(self, process: Process, status: int) -> None:
        """The child is dead. Unless it was told to end, all that it held goes back, with a failure to its name."""
        with self._lock:
            if self._process is not process:
                return
            self._process = None
            held, self._held = list(self._held), {}
        self._ready.clear()
        self.crashes += 1
        self.in_a_row += 1
        self.figures.ended()
        log.warning(
            "worker %s (pid %d) died with status %d; it held %d jobs", self.name, process.pid, status, len(held)
        )
        self._report(lambda: self._store.requeue(self.name, crashed=True))
        self._changed()

    def _report(self, call: Callable[[], object]) -> None:
        def told() -> None:
            try:
                call()
            except StaleAttempt as error:
                log.info("%s", error)

        self.reports.tell(told)
