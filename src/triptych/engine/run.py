"""The engine: many pictures, one step at a time.

A tick takes one group of pictures that may share a forward, predicts for all of them in one call, advances each by one
step, and decodes those that are done. Requests may join or leave between any two ticks. A picture that fails takes
nobody with it. The engine holds no global state and no randomness: what a picture becomes depends on its request alone.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import Cancelled, OutOfMemory, TriptychError
from triptych.core.events import Event, Failed, Finished, Note, Planned, Started, Stepped
from triptych.core.family import Family
from triptych.core.pixels import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.core.state import Condition, Saved, State
from triptych.engine.batcher import Job, next_group

KEPT_CONDITIONS = 64


class Models(Protocol):
    """Where the engine gets its models from."""

    def family(self, name: str) -> Family:
        """The loaded model of that name."""
        ...

    def plan(self, request: Request, index: int) -> Plan | None:
        """The plan for picture `index`, or None where there is nothing to plan."""
        ...

    def notes(self, request: Request, capabilities: Capabilities) -> tuple[Note, ...]:
        """What becomes of the words of a prompt: mapped, cut, or beyond what the model learned."""
        ...


@dataclass
class _Ticket:
    """A request in the engine: what was asked, what it became, and which of its pictures have not begun."""

    id: int
    request: Request
    family: Family
    notes: tuple[Note, ...]
    previews: bool
    waiting: deque[int]
    saved: Mapping[int, Saved] = field(default_factory=dict[int, Saved])
    seconds: dict[int, dict[str, float]] = field(default_factory=dict[int, dict[str, float]])
    plans: dict[int, Plan | None] = field(default_factory=dict[int, "Plan | None"])


class Engine:
    """Makes pictures of any number of requests together.

    models: where families and plans come from. largest_batch: how many pictures share a forward at most.
    most_active: how many pictures are under way at once; the rest wait in the order they came.
    """

    def __init__(self, models: Models, *, largest_batch: int = 16, most_active: int = 32) -> None:
        self.models = models
        self.largest_batch, self.most_active = largest_batch, most_active
        self._ids = itertools.count(1)
        self._ticks = itertools.count(1)
        self._tickets: dict[int, _Ticket] = {}
        self._jobs: list[Job] = []
        self._conditions: OrderedDict[Any, Condition] = OrderedDict()
        self._events: deque[Event] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._tickets)

    def submit(
        self,
        request: Request,
        *,
        previews: bool = False,
        only: Collection[int] | None = None,
        saved: Mapping[int, Saved] | None = None,
    ) -> int:
        """Accept a request; return its id. Raises `InvalidRequest` where the model's contract refuses it.

        previews: put a small picture into every `Stepped`. only: paint just these pictures of the request's n.
        saved: states of some of them to go on from; one that does not fit begins anew, with the same pixels.
        """
        family = self.models.family(request.model)
        resolved, notes = resolve(request, family.capabilities, name=request.model)
        if resolved.seed is None:
            resolved = resolved.model_copy(update={"seed": secrets.randbelow(2**32)})
        notes += self.models.notes(resolved, family.capabilities)
        indices = range(resolved.n) if only is None else sorted(only)
        ticket = _Ticket(next(self._ids), resolved, family, notes, previews, deque(indices), saved or {})
        self._tickets[ticket.id] = ticket
        self._events.append(Started(ticket.id, resolved, notes))
        return ticket.id

    def cancel(self, request_id: int) -> None:
        """Stop a request before its next step; its finished pictures stay."""
        ticket = self._tickets.get(request_id)
        if ticket is None:
            return
        indices = [*ticket.waiting, *(job.index for job in self._jobs if job.request_id == request_id)]
        ticket.waiting.clear()
        for index in indices:
            self._end(ticket, index, Failed(request_id, index, Cancelled("cancelled")))

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
        self._admit()
        group = next_group(self._jobs, self.largest_batch)
        if not group:
            return
        now = next(self._ticks)
        family, started = group[0].family, time.perf_counter()
        try:
            with torch.inference_mode():
                predictions = family.forward([job.state for job in group])
                states = [family.advance(job.state, p) for job, p in zip(group, predictions, strict=True)]
        except Exception as error:
            self._fail(group, error)
            return
        took = time.perf_counter() - started
        done: list[Job] = []
        for job, state in zip(group, states, strict=True):
            whole_step = state.step > job.state.step
            job.state, job.moved_at = state, now
            ticket = self._tickets[job.request_id]
            spent = ticket.seconds[job.index]
            spent["denoise"] = spent.get("denoise", 0.0) + took
            if whole_step:
                preview = family.preview(state) if ticket.previews and not state.done else None
                self._events.append(Stepped(job.request_id, job.index, state.step, state.total, preview))
            if state.done:
                done.append(job)
        if done:
            self._finish(done)

    def _admit(self) -> None:
        """Begin waiting pictures, oldest request first, while there is room."""
        for ticket in list(self._tickets.values()):
            while ticket.waiting and len(self._jobs) < self.most_active:
                index = ticket.waiting.popleft()
                try:
                    with torch.inference_mode():
                        state = self._begin(ticket, index)
                except Exception as error:
                    self._end(ticket, index, Failed(ticket.id, index, _as_ours(error)))
                    continue
                self._jobs.append(Job(ticket.id, index, ticket.family, state))

    def _begin(self, ticket: _Ticket, index: int) -> State:
        started = time.perf_counter()
        plan = self._plan(ticket.request, index)
        planned = time.perf_counter()
        condition = self._condition(ticket, plan)
        ticket.seconds[index] = {"plan": planned - started, "encode": time.perf_counter() - planned}
        ticket.plans[index] = plan
        if plan is not None:
            self._events.append(Planned(ticket.id, index, plan))
        if index in ticket.saved:
            try:
                return ticket.family.resume(ticket.request, condition, index, ticket.saved[index])
            except (ValueError, IndexError, KeyError) as error:
                told = f"picture {index} begins anew: what was kept of it does not fit ({error})"
                ticket.notes += (Note("seed", "note", told),)
        return ticket.family.begin(ticket.request, condition, index)

    def _plan(self, request: Request, index: int) -> Plan | None:
        if request.plan is not None or not request.use_plan:
            return request.plan
        return self.models.plan(request, index)

    def _condition(self, ticket: _Ticket, plan: Plan | None) -> Condition:
        """Encoded once per content: the same words and plan are not read twice."""
        request = ticket.request
        key = (id(ticket.family), plan, request.conditioning)
        if key in self._conditions:
            self._conditions.move_to_end(key)
        else:
            self._conditions[key] = ticket.family.encode(request, plan)
            if len(self._conditions) > KEPT_CONDITIONS:
                self._conditions.popitem(last=False)
        return self._conditions[key]

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
        try:
            with torch.inference_mode():
                if not job.state.done:
                    job.state = job.family.advance(job.state, job.family.forward([job.state])[0])
        except Exception as error:
            self._fail([job], error)
            return
        if job.state.done:
            self._finish([job])

    def _end(self, ticket: _Ticket, index: int, event: Finished | Failed) -> None:
        for job in [job for job in self._jobs if (job.request_id, job.index) == (ticket.id, index)]:
            self._jobs.remove(job)
            job.family.release(job.state)
        self._events.append(event)
        active = any(job.request_id == ticket.id for job in self._jobs)
        if not ticket.waiting and not active:
            self._tickets.pop(ticket.id, None)  # cancelling many pictures that wait ends the ticket with the first


def _as_ours(error: Exception) -> Exception:
    """Out of memory gets its own name; everything else keeps its own."""
    if isinstance(error, TriptychError):
        return error
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
        return OutOfMemory(f"this machine's memory does not suffice for the picture: {str(error).splitlines()[0]}")
    return error
