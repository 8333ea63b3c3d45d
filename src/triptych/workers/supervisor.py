"""The supervisor: takes jobs from the store, gives them to its workers, and keeps the workers alive.

One thread looks after all slots: it starts what has died (slower each time it dies at once), claims as many jobs as
there is room for, says what is worked on, and hears what shall be stopped. What workers say is handled where it is read
(see `slot`). Everything the supervisor promises survives its own `kill -9`: it keeps nothing that the store or the
folder does not have.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.jobs.errors import NoSuchJob, StorageError
from triptych.jobs.model import JobEvent
from triptych.jobs.publishing import sweep
from triptych.jobs.store import Store
from triptych.workers.figures import Total
from triptych.workers.live import Broker, Listener
from triptych.workers.process import Setup
from triptych.workers.slot import Slot
from triptych.workers.states import States

MOST_PICTURES = 32
"""Pictures that a worker has at once; the rest wait in the store, where priority and cancel reach them sooner."""
STRIDE = 4
"""Jobs that one of several workers is given at a time."""
BEAT = 0.5
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
SILENCE = 900.0
"""A worker with jobs that says nothing for so long hangs: even one step of a huge picture takes less."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkerStatus:
    name: str
    pid: int | None
    ready: bool
    jobs: tuple[str, ...]
    crashes: int
    figures: Total


class Supervisor:
    """folder: the data folder; `inputs`, `pictures` and `states` lie in it. Its owner lock is the store's business."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        setup: Setup | None = None,
        *,
        workers: int = 1,
        most_pictures: int = MOST_PICTURES,
    ) -> None:
        setup = setup or Setup()
        config: dict[str, Any] = {"most_active": most_pictures, **setup.config, "inputs": str(folder / "inputs")}
        self._store, self._folder, self._most = store, folder, most_pictures
        self._wake = threading.Event()
        self._nudged = threading.Event()
        self._stopping, self._over = threading.Event(), threading.Event()
        self.live = Broker(self._on_watch)
        here = f"{platform.node() or 'host'}-{os.getpid()}"
        whole = Setup(setup.command, config)
        self._slots = [
            Slot(f"{here}-{number}", store, folder, whole, self.live, self._wake.set) for number in range(workers)
        ]
        self._starts = {slot.name: 0.0 for slot in self._slots}
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Clean up after whoever was here before, and begin. `StorageError` where the folder cannot be used."""
        for name in ("pictures", "states", "inputs"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
            sweep(self._folder / name)
        states = States(self._folder / "states")
        for job in states.jobs:
            if self._over_and_done(job):
                states.drop(job)
        self._store.listen(self._on_events)
        self._thread.start()

    def stop(self, grace: float = 20.0) -> None:
        """Begin nothing new; let what is under way finish for `grace` seconds; save and give back the rest."""
        self._stopping.set()
        self._wake.set()
        until = time.monotonic() + grace
        while time.monotonic() < until and any(slot.jobs for slot in self._slots if slot.running):
            time.sleep(0.05)
        self._over.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        for slot in self._slots:
            if slot.jobs:
                slot.drain(5.0)
            slot.end(2.0)

    def nudge(self) -> None:
        """Look at once: a job was cancelled."""
        self._nudged.set()
        self._wake.set()

    def listen(self, job: str, *, partials: int = -1, wake: Callable[[], None] | None = None) -> Listener:
        """Live events of a job; see `live.Broker.listen`. Close the listener when done."""
        return self.live.listen(job, partials=partials, wake=wake)

    @property
    def ready(self) -> bool:
        """Whether at least one worker can take jobs."""
        return any(slot.ready for slot in self._slots) and not self._stopping.is_set()

    @property
    def workers(self) -> list[WorkerStatus]:
        return [
            WorkerStatus(slot.name, slot.pid, slot.ready, tuple(slot.jobs), slot.crashes, slot.figures)
            for slot in self._slots
        ]

    # ---------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        beaten = 0.0
        while not self._over.is_set():
            self._wake.clear()
            stopping = self._stopping.is_set()
            due = self._nudged.is_set() or time.monotonic() - beaten >= BEAT
            self._nudged.clear()
            for slot in self._slots:
                try:
                    self._look_after(slot, beat=due, start=not stopping)
                except StorageError as error:
                    log.warning("the storage refuses: %s", error)
                except Exception:
                    log.exception("worker %s could not be looked after", slot.name)
            if not stopping:
                try:
                    self._hand_out()
                except StorageError as error:
                    log.warning("the storage refuses: %s", error)
                except Exception:
                    log.exception("jobs could not be handed out")
            if due:
                beaten = time.monotonic()
            self._wake.wait(BEAT)

    def _look_after(self, slot: Slot, *, beat: bool, start: bool) -> None:
        slot.reports.again()
        if not slot.running:
            if start and time.monotonic() >= self._starts[slot.name]:
                self._starts[slot.name] = time.monotonic() + self._pause(slot)
                slot.start()
            return
        if slot.jobs and time.monotonic() - slot.heard_at > SILENCE:
            log.error("worker %s has said nothing for %d s; it is killed", slot.name, SILENCE)
            slot.kill()
            return
        if beat:
            slot.beat()

    def _hand_out(self) -> None:
        """Claim what there is room for: the least busy worker first, and few at a time where there are several."""
        open_to = list(self._slots)
        while slots := [slot for slot in open_to if slot.ready and slot.pictures < self._most]:
            slot = min(slots, key=lambda each: each.pictures)
            # A job is a picture at least; how many it asks for is known once it is claimed.
            room = self._most - slot.pictures
            jobs = self._store.claim(slot.name, room if len(self._slots) == 1 else min(room, STRIDE))
            for job in jobs:
                slot.give(job)
            if not jobs:
                open_to.remove(slot)

    def _pause(self, slot: Slot) -> float:
        """Seconds between two starts: longer each time a worker dies without having ended a job."""
        return min(SHORTEST_PAUSE * 2 ** min(slot.in_a_row, 16), LONGEST_PAUSE)

    def _over_and_done(self, job: str) -> bool:
        try:
            return self._store.get(job).ended
        except NoSuchJob:
            return True

    def _on_events(self, events: Sequence[JobEvent]) -> None:
        if any(event.kind in ("queued", "requeued") for event in events):
            self._wake.set()

    def _on_watch(self, job: str, partials: int) -> None:
        for slot in self._slots:
            slot.watch(job, partials)
