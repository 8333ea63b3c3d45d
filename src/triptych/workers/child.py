"""The worker: a process that holds the models and one engine, and paints the jobs of its supervisor together.

    python -m triptych.workers.child FD

FD is its end of a socket pair (see `wire`). What it understands: config, submit, cancel, watch, drain, stop. What it
says: ready, started, planned, stepped, preview, picture, done, failed, state, drained. It writes no file and opens
no connection; inputs are read from one folder by their hash. When its supervisor is gone, it ends.

`generate` jobs are requests of the engine. Edits and the other steps of a chain run in threads whose `paint` hands
every window to the same engine, so that they share its forwards.
"""

from __future__ import annotations

import copy
import logging
import os
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import torch

from triptych.api import results
from triptych.api.generate import OnEvent, painting_by
from triptych.core import logs
from triptych.core.asset import AssetStore
from triptych.core.errors import Cancelled, TriptychError
from triptych.core.events import Event, Failed, Finished, Planned, Started, Stepped
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.engine.memory import available_bytes
from triptych.open_weights import installed
from triptych.workers import frames
from triptych.workers.faults import fault_of
from triptych.workers.figures import TELL_EVERY, Figures
from triptych.workers.outbox import Outbox
from triptych.workers.running import Running
from triptych.workers.saved import unpack
from triptych.workers.tasks import PICTURE, request_of, step_of
from triptych.workers.wire import Channel, Frame, WireError

MOST_STEPS = 2
"""Edits that are looked at, planned and put together at once; what they paint is the engine's."""
IDLE = 0.5
MEMORY = 0.6
"""Share of the memory that is free at the start for pictures; models and readers are loaded beside them."""

log = logging.getLogger("triptych.worker")


@dataclass
class _Ask:
    """A window of an edit that wants to be painted, and where its events go."""

    running: Running
    request: Request
    index: int
    events: queue.SimpleQueue[Event] = field(default_factory=lambda: queue.SimpleQueue[Event]())


class Child:
    def __init__(self, channel: Channel, config: dict[str, Any]) -> None:
        self.channel = channel
        self.inputs = AssetStore(Path(config["inputs"]))
        self.save_every = float(config.get("save_every", 5.0))
        free = available_bytes()
        memory = config.get("memory", int(MEMORY * free) if free else None)
        self.engine = Engine(results.library(), most_active=int(config.get("most_active", 32)), memory=memory)
        self.outbox = Outbox(channel, _vanish)
        self.inbox: queue.SimpleQueue[Frame | _Ask] = queue.SimpleQueue()
        # One core each: a second set of threads on all cores would hold up every forward of the engine.
        self.steps = ThreadPoolExecutor(MOST_STEPS, "step", partial(torch.set_num_threads, 1))
        self.jobs: dict[str, Running] = {}
        self.requests: dict[int, Running | _Ask] = {}
        self.figures = Figures()
        self._told = self.figures.as_json()
        self._saved_at = self._told_at = time.monotonic()
        self._commands: dict[str, Callable[[Frame], None]] = {
            "submit": self._submit,
            "cancel": self._cancel,
            "watch": self._watch,
            "drain": self._drain,
        }

    def run(self) -> NoReturn:
        """Until told to stop. An error that is not a picture's own ends the process; the supervisor starts another."""
        threading.Thread(target=self._read, name="inbox", daemon=True).start()
        self.outbox.put(Frame("ready", {"pid": os.getpid()}))
        while self._obey():
            self.engine.tick()
            for event in self.engine.take():
                self._tell(event)
            self._keep_up()
        self.outbox.close()
        sys.stderr.flush()
        os._exit(0)  # edits that wait for a window would keep the interpreter from ending

    def _read(self) -> None:
        try:
            while (frame := self.channel.receive()) is not None:
                self.inbox.put(frame)
        except WireError as error:
            log.warning("the supervisor is not understood: %s", error)
        _vanish()

    def _obey(self) -> bool:
        """Take what has come; wait for something while there is nothing to paint. False is the end."""
        wait = not self.engine.busy
        while True:
            try:
                item = self.inbox.get(timeout=IDLE) if wait else self.inbox.get_nowait()
            except queue.Empty:
                return True
            wait = False
            if isinstance(item, _Ask):
                self._paint_for(item)
            elif item.kind == "stop":
                return False
            else:
                self._commands[item.kind](item)

    # ---------------------------------------------------------------------------------------------- commands

    def _submit(self, frame: Frame) -> None:
        fields = frame.fields
        running = Running(fields["job"], fields["attempt"], partials=fields.get("partials", -1))
        self.jobs[running.job] = running
        try:
            if fields["kind"] == "generate":
                self._generate(running, frame)
            else:
                task = step_of(running.job, fields["kind"], fields["payload"], self.inputs)
                self.steps.submit(self._step, running, task)
        except Exception as error:
            self._fail(running, error)

    def _cancel(self, frame: Frame) -> None:
        running = self.jobs.get(frame.fields["job"])
        if running is None:
            return
        running.cancelled = True
        for request_id, owner in list(self.requests.items()):
            if owner is running or (isinstance(owner, _Ask) and owner.running is running):
                self.engine.cancel(request_id)

    def _watch(self, frame: Frame) -> None:
        if running := self.jobs.get(frame.fields["job"]):
            running.partials = frame.fields["partials"]

    def _drain(self, frame: Frame) -> None:
        self._save()
        self.outbox.put(Frame("drained"))

    # ------------------------------------------------------------------------------------------------- jobs

    def _generate(self, running: Running, frame: Frame) -> None:
        request = request_of(running.job, frame.fields["payload"], self.inputs)
        library = results.library()
        running.request = request
        running.weights = library.registry.weights_sha256(request.model, library.adapters(request))
        running.left = set(range(request.n)) - set(frame.fields["done"])
        states = zip(frame.fields["states"], frame.blobs, strict=True)
        found = {index: unpack(data, request, running.weights) for index, data in states}
        saved = {index: kept for index, kept in found.items() if kept is not None}
        fields = frame.fields
        self._load(request.model)
        request_id = self.engine.submit(
            request, only=running.left, saved=saved, priority=fields["priority"], timeout=fields["timeout"]
        )
        self.requests[request_id] = running

    def _step(self, running: Running, task: Callable[[], Any]) -> None:
        """In a thread of its own: an edit, whose windows the engine paints."""
        try:
            with painting_by(partial(self._painted, running)):
                result = task()
            told = frames.picture_of_step(running, result, result.encode(PICTURE)), frames.done_of_step(running, result)
        except BaseException as error:
            self._fail(running, error)
            return
        self._forget(running)
        for frame in told:
            self.outbox.put(frame)

    def _painted(self, running: Running, request: Request, index: int, on_event: OnEvent | None) -> Finished:
        """What `paint` does, by the engine that all share."""
        ask = _Ask(running, request, index)
        self.inbox.put(ask)
        while True:
            event = ask.events.get()
            if on_event is not None:
                on_event(event)
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished):
                return event

    def _paint_for(self, ask: _Ask) -> None:
        try:
            if ask.running.cancelled:
                raise Cancelled("cancelled")
            self._load(ask.request.model)
            self.requests[self.engine.submit(ask.request, only=(ask.index,))] = ask
        except Exception as error:
            ask.events.put(Failed(0, ask.index, error))

    def _load(self, model: str) -> None:
        """Have a model at hand, and know how long that took the first time."""
        if model not in self.figures.loads:
            started = time.monotonic()
            results.library().family(model)
            self.figures.loads[model] = round(time.monotonic() - started, 3)

    def _fail(self, running: Running, error: BaseException) -> None:
        if not isinstance(error, TriptychError):
            log.error("job %s failed unexpectedly", running.job, exc_info=error)
        self._forget(running)
        self.outbox.put(frames.failed(running, fault_of(error)))

    def _forget(self, running: Running) -> None:
        if self.jobs.get(running.job) is running:
            del self.jobs[running.job]

    # ------------------------------------------------------------------------------------------------ events

    def _tell(self, event: Event) -> None:
        owner = self.requests.get(event.request_id)
        if owner is not None and owner.request is not None and isinstance(event, Stepped):
            self.figures.steps[owner.request.model] += 1
        if isinstance(owner, _Ask):
            owner.events.put(event)
            if isinstance(event, Finished | Failed):
                del self.requests[event.request_id]
            elif isinstance(event, Stepped):
                self._stepped(owner.running, event)
        elif owner is not None:
            self._tell_of_job(owner, event)

    def _tell_of_job(self, running: Running, event: Event) -> None:
        if isinstance(event, Started):
            self.outbox.put(frames.started(running, event))
        elif isinstance(event, Planned):
            self.outbox.put(frames.planned(running, event))
        elif isinstance(event, Stepped):
            self._stepped(running, event)
        elif isinstance(event, Finished):
            running.left.discard(event.index)
            self.outbox.put(partial(frames.picture, running, event))
            if not running.left:
                del self.requests[event.request_id]
                self._forget(running)
                self.outbox.put(frames.done(running, event))
        else:
            del self.requests[event.request_id]
            self.engine.cancel(event.request_id)  # a job is whole or failed; its other pictures find no owner
            self._fail(running, event.error)

    def _stepped(self, running: Running, event: Stepped) -> None:
        now = time.monotonic()
        if running.tells_step(event.index, event.step, event.total, now):
            self.outbox.put(frames.stepped(running, event))
        if running.wants_preview(event.index, event.step, event.total, now):
            pixels = self.engine.preview(event.request_id, event.index)
            if pixels is not None:
                running.previewing = True
                self.outbox.put(partial(frames.preview, running, event, pixels))

    def _keep_up(self) -> None:
        """Between two steps: save what is under way, every few seconds; tell what has been done."""
        if time.monotonic() - self._saved_at >= self.save_every:
            self._save()
        if time.monotonic() - self._told_at >= TELL_EVERY:
            self._told_at = time.monotonic()
            if torch.cuda.is_available():
                devices = range(torch.cuda.device_count())
                self.figures.gpu = {f"cuda:{device}": torch.cuda.memory_allocated(device) for device in devices}
            if (told := self.figures.as_json()) != self._told:
                self._told = copy.deepcopy(told)
                self.outbox.put(Frame("stats", self._told))

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        for request_id, index, kept in self.engine.save():
            running = self.requests.get(request_id)
            if isinstance(running, Running) and running.request and running.kept.get(index) != kept.step:
                running.kept[index] = kept.step
                # Made when its turn comes: the tensors of a state never change.
                self.outbox.put(partial(frames.state, running, index, kept))


def main(arguments: list[str]) -> NoReturn:
    """Run a worker on an inherited socket."""
    logs.set_up("info")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the supervisor decides, and drains first
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    first = channel.receive()
    if first is None or first.kind != "config":
        sys.exit(1)
    if threads := first.fields.get("threads"):
        torch.set_num_threads(int(threads))
    _expendable()
    # Those who send jobs over the network name models; what lies on this machine's disk is none of their business.
    installed.look_in(Path(first.fields["inputs"]).parent, paths=False)
    Child(channel, first.fields).run()


def _expendable() -> None:
    """Where memory runs out, the system shall take the worker, not the server with the jobs of all."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _vanish() -> None:
    """The supervisor is gone: nobody is left to paint for."""
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
