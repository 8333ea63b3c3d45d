"""The engine: many pictures, one step at a time.

A tick takes one group of pictures that may share a forward, predicts for all of them in one call, advances each by one
step, and decodes those that are done. Requests may join or leave between any two ticks. A picture that fails takes
nobody with it. The engine holds no global state and no randomness: what a picture becomes depends on its request alone.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import torch

from triptych.core.contract import resolve
from triptych.core.errors import Cancelled, DeadlineMissed, NotANumber, OutOfMemory, TriptychError
from triptych.core.events import Event, Failed, Finished, Planned, Started, Stepped
from triptych.core.pixels import Pixels
from triptych.core.request import Request
from triptych.core.state import Saved, State
from triptych.engine.batcher import Batcher, Job
from triptych.engine.costs import Costs
from triptych.engine.memory import Budget, Peak, held_bytes
from triptych.engine.starting import Models, Starter
from triptych.engine.ticket import Ticket

CHECKED_EVERY = 8
"""Forwards of a picture between two looks whether its numbers are still numbers."""


class Engine:
    """Makes pictures of any number of requests together.

    models: where families and plans come from. largest_batch: how many pictures share a forward at most.
    most_active: how many pictures are under way at once; the rest wait in the order they came. memory: bytes that they
    and their forwards may take; None is no bound.
    """

    def __init__(
        self, models: Models, *, largest_batch: int = 16, most_active: int = 32, memory: int | None = None
    ) -> None:
        self.models, self._starter = models, Starter(models)
        self.most_active = most_active
        self.costs, self.budget = Costs(), Budget(memory)
        self._batcher = Batcher(self.costs, largest_batch)
        self._ids = itertools.count(1)
        self._tickets: dict[int, Ticket] = {}
        self._jobs: list[Job] = []
        self._events: deque[Event] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._tickets)

    @property
    def active(self) -> int:
        """Pictures that are under way."""
        return len(self._jobs)

    def submit(
        self,
        request: Request,
        *,
        previews: bool = False,
        only: Collection[int] | None = None,
        saved: Mapping[int, Saved] | None = None,
        priority: int = 0,
        timeout: float | None = None,
    ) -> int:
        """Accept a request; return its id. Raises `InvalidRequest` where the model's contract refuses it.

        previews: put a small picture into every `Stepped`. only: paint just these pictures of the request's n.
        saved: states of some of them to go on from; one that does not fit begins anew, with the same pixels.
        priority: higher is served first, beside the share that the oldest always has. timeout: seconds after which
        nobody wants what is not there yet.
        """
        family = self.models.family(request.model)
        resolved, notes = resolve(request, family.capabilities, name=request.model)
        if resolved.seed is None:
            resolved = resolved.model_copy(update={"seed": secrets.randbelow(2**32)})
        notes += self.models.notes(resolved, family.capabilities)
        indices = range(resolved.n) if only is None else sorted(only)
        ticket = Ticket(next(self._ids), resolved, family, notes, previews, deque(indices), saved or {}, priority)
        if timeout is not None:
            ticket.deadline = time.monotonic() + timeout
        self._tickets[ticket.id] = ticket
        self._events.append(Started(ticket.id, resolved, notes))
        return ticket.id

    def cancel(self, request_id: int) -> None:
        """Stop a request before its next step; its finished pictures stay."""
        ticket = self._tickets.get(request_id)
        if ticket is None:
            return
        self._end_all(ticket, Cancelled("cancelled"))

    def run(self) -> Iterator[Event]:
        """Work until nothing is left, yielding events as they happen. Requests may be submitted meanwhile."""
        while self.busy or self._events:
            yield from self.take()
            self.tick()

    def take(self) -> Iterator[Event]:
        """The events so far, each once."""
        while self._events:
            yield self._events.popleft()

    def preview(self, request_id: int, index: int) -> Pixels | None:
        """A small picture of where picture `index` is going now; None where it is not under way or shows nothing."""
        for job in self._jobs:
            if (job.request_id, job.index) == (request_id, index) and not job.state.done:
                with torch.inference_mode():
                    return job.family.preview(job.state)
        return None

    def save(self) -> Iterator[tuple[int, int, Saved]]:
        """(request id, index, what to keep) of every picture under way that can be gone on from."""
        for job in list(self._jobs):
            if job.state.step and not job.state.done and (kept := job.family.save(job.state)) is not None:
                yield job.request_id, job.index, kept

    def generate_many(self, requests: Iterable[Request]) -> list[list[Finished]]:
        """All pictures of all requests, in order; the first failure is raised."""
        ids = [self.submit(request) for request in requests]
        finished: dict[int, list[Finished]] = {number: [] for number in ids}
        for event in self.run():
            if isinstance(event, Failed):
                raise event.error
            if isinstance(event, Finished) and event.request_id in finished:
                finished[event.request_id].append(event)
        return [sorted(finished[number], key=lambda picture: picture.index) for number in ids]

    def tick(self) -> None:
        """Admit what waits, move one group one step, decode what is done. Events queue up for `run`."""
        now = time.monotonic()
        self._miss_deadlines(now)
        self._admit(now)
        held = sum(job.held for job in self._jobs)
        each = max((self.costs.bytes_each(job.key) for job in self._jobs), default=0.0)
        group = self._batcher.next_group(self._jobs, now, self.budget.widest(held, each))
        if not group:
            return
        started = time.perf_counter()
        try:
            outcomes = self._moved(group)
        except Exception as error:
            self._batcher.spent(time.perf_counter() - started)
            self._fail(group, error)
            return
        took = time.perf_counter() - started
        self._batcher.spent(took)
        done: list[Job] = []
        for job, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, Exception):
                self._fail([job], outcome)
                continue
            self._step(job, outcome, took)
            if outcome.done:
                done.append(job)
        if done:
            self._finish(done)

    def _moved(self, group: list[Job]) -> list[State | Exception]:
        """One forward for all, one step for each: its next state, or what went wrong with it alone."""
        family, kind = group[0].family, group[0].key
        looked_at = nullcontext() if self.costs.knows(kind, len(group)) else Peak()
        started = time.perf_counter()
        with torch.inference_mode():
            with looked_at as peak:
                predictions = family.forward([job.state for job in group])
            self.costs.note(kind, len(group), time.perf_counter() - started, peak.grown if peak else None)
            return [_advanced(job, each) for job, each in zip(group, predictions, strict=True)]

    def _step(self, job: Job, state: State, took: float) -> None:
        whole = state.step > job.state.step
        job.state, job.forwards = state, job.forwards + 1
        ticket = self._tickets[job.request_id]
        spent = ticket.seconds[job.index]
        spent["denoise"] = spent.get("denoise", 0.0) + took
        if whole:
            preview = job.family.preview(state) if ticket.previews and not state.done else None
            self._events.append(Stepped(job.request_id, job.index, state.step, state.total, preview))

    def _admit(self, now: float) -> None:
        """Begin waiting pictures, oldest request first, while there is room."""
        for ticket in list(self._tickets.values()):
            while ticket.waiting and len(self._jobs) < self.most_active:
                held = sum(job.held for job in self._jobs)
                forward = max((self.costs.bytes_each(job.key) for job in self._jobs), default=0.0)
                if not self.budget.admits(ticket.kind, ticket.pixels, held, forward):
                    return
                index = ticket.waiting.popleft()
                try:
                    with torch.inference_mode():
                        state = self._starter.begin(ticket, index)
                except OutOfMemory as error:
                    if self._jobs:  # the memory is theirs, and comes back when they are done
                        ticket.waiting.appendleft(index)
                        return
                    self._end(ticket, index, Failed(ticket.id, index, error))
                    continue
                except Exception as error:
                    self._end(ticket, index, Failed(ticket.id, index, _as_ours(error)))
                    continue
                self._started(ticket, index, state, now)

    def _started(self, ticket: Ticket, index: int, state: State, now: float) -> None:
        """Under way, unless it is known that it would come too late."""
        plan = ticket.plans[index]
        if plan is not None:
            self._events.append(Planned(ticket.id, index, plan))
        held = held_bytes(state)
        self.budget.note(ticket.kind, ticket.pixels, held)
        job = Job(ticket.id, index, ticket.family, state, ticket.priority, ticket.deadline, held=held)
        self._jobs.append(job)
        needed, left = self._batcher.left(job), ticket.deadline - now
        if self.costs.measured(job.key) and needed > left:
            told = f"needs about {needed:.1f} s by what such pictures took, and only {max(left, 0):.1f} s are left"
            self._end(ticket, index, Failed(ticket.id, index, DeadlineMissed(told)))

    def _miss_deadlines(self, now: float) -> None:
        for ticket in [ticket for ticket in self._tickets.values() if ticket.deadline < now]:
            self._end_all(ticket, DeadlineMissed("not done within the time that was allowed"))

    def _finish(self, jobs: list[Job]) -> None:
        started = time.perf_counter()
        try:
            with torch.inference_mode():
                pictures = jobs[0].family.decode([job.state for job in jobs])
        except Exception as error:
            self._fail(jobs, error)
            return
        took = time.perf_counter() - started
        for job, pixels in zip(jobs, pictures, strict=True):
            ticket = self._tickets[job.request_id]
            seconds = ticket.seconds[job.index] | {"decode": took}
            plan = ticket.plans[job.index]
            finished = Finished(ticket.id, job.index, ticket.request, pixels, plan, ticket.notes, seconds)
            self._end(ticket, job.index, finished)

    def _fail(self, jobs: list[Job], error: Exception) -> None:
        """One bad picture must not sink its company: a group that fails is tried again one by one, then given up."""
        if len(jobs) > 1:
            for job in jobs:
                self._alone(job)
            return
        job = jobs[0]
        self._end(self._tickets[job.request_id], job.index, Failed(job.request_id, job.index, _as_ours(error)))

    def _alone(self, job: Job) -> None:
        if job.state.done:
            self._finish([job])
            return
        started = time.perf_counter()
        try:
            with torch.inference_mode():
                outcome = _advanced(job, job.family.forward([job.state])[0])
        except Exception as error:
            outcome = error
        if isinstance(outcome, Exception):
            self._fail([job], outcome)
            return
        self._step(job, outcome, time.perf_counter() - started)
        if job.state.done:
            self._finish([job])

    def _end_all(self, ticket: Ticket, error: TriptychError) -> None:
        indices = [*ticket.waiting, *(job.index for job in self._jobs if job.request_id == ticket.id)]
        ticket.waiting.clear()
        for index in indices:
            self._end(ticket, index, Failed(ticket.id, index, error))

    def _end(self, ticket: Ticket, index: int, event: Finished | Failed) -> None:
        for job in [job for job in self._jobs if (job.request_id, job.index) == (ticket.id, index)]:
            self._jobs.remove(job)
            job.family.release(job.state)
        self._events.append(event)
        active = any(job.request_id == ticket.id for job in self._jobs)
        if not ticket.waiting and not active:
            self._tickets.pop(ticket.id, None)  # cancelling many pictures that wait ends the ticket with the first


def _advanced(job: Job, prediction: Any) -> State | Exception:
    """The next state. Numbers that are none are found within a few steps, not after all of them."""
    try:
        if job.forwards % CHECKED_EVERY == 0 and not bool(torch.isfinite(prediction).all()):
            step = job.state.step + 1
            return NotANumber(f"the picture became not-a-number at step {step}; try less guidance or more steps")
        return job.family.advance(job.state, prediction)
    except Exception as error:
        return error


def _as_ours(error: Exception) -> Exception:
    """Out of memory gets its own name; everything else keeps its own."""
    if isinstance(error, TriptychError):
        return error
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return OutOfMemory(f"this machine's memory does not suffice for the picture: {str(error).splitlines()[0]}")
    return error
