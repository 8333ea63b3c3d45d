"""Pictures from a prompt: `generate`, `stream`, `plan`; and `paint`, which the steps of a chain call."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from triptych.api import results
from triptych.api.results import Result, capabilities_of, image_of
from triptych.core.errors import InvalidRequest
from triptych.core.events import Event, Failed, Finished
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.engine import Engine

OnEvent = Callable[[Event], None]
Painter = Callable[[Request, int, OnEvent | None], Finished]
"""Picture `index` of a request, by whatever engine; raises what went wrong."""

_painter: ContextVar[Painter | None] = ContextVar("painter", default=None)


def generate(
    prompt: str,
    *,
    model: str = "flow",
    on_event: OnEvent | None = None,
    previews: bool = False,
    **fields: Any,
) -> Result:
    """Make pictures of a prompt.

    fields: any field of `Request` (seed, n, width, height, steps, ...). on_event is called with every event as it
    happens. Raises `InvalidRequest` for a bad parameter, `FileProblem` for a missing model.
    """
    started = time.perf_counter()
    request = Request.make(prompt=prompt, model=model, **fields)
    engine = Engine(results.library())
    engine.submit(request, previews=previews)
    ready = time.perf_counter()
    finished = _finished(engine, on_event)
    seconds = {"start": ready - started, **_spent(finished), "total": time.perf_counter() - started}
    return _result(finished, {name: round(value, 4) for name, value in seconds.items()})


def stream(prompt: str, *, model: str = "flow", previews: bool = True, **fields: Any) -> Iterator[Event]:
    """The events of one request as they happen: started, planned, stepped (with previews), finished or failed."""
    engine = Engine(results.library())
    engine.submit(Request.make(prompt=prompt, model=model, **fields), previews=previews)
    yield from engine.run()


def plan(prompt: str, *, model: str = "flow", seed: int | None = None) -> Plan:
    """The plan alone, as picture 0 of this seed would be painted from it."""
    request = Request.make(prompt=prompt, model=model, seed=seed or 0)
    results.library().registry.capabilities(model)
    written = results.library().plan(request, 0)
    if written is None:
        raise InvalidRequest("prompt", "empty, so there is nothing to plan")
    return written


@contextmanager
def painting_by(painter: Painter) -> Generator[None]:
    """Let `paint`, and with it every step of a chain, hand its requests to `painter` in this context.

    A server's edits thereby share the forwards of its one engine with all other pictures; without, `paint` runs an
    engine of its own. The pixels are the same.
    """
    token = _painter.set(painter)
    try:
        yield
    finally:
        _painter.reset(token)


def paint(request: Request, *, index: int = 0, on_event: OnEvent | None = None) -> Finished:
    """Picture `index` of a request alone; the others of that request are not painted."""
    painter = _painter.get()
    if painter is not None:
        return painter(request, index, on_event)
    engine = Engine(results.library())
    engine.submit(request, only=(index,))
    return _finished(engine, on_event)[0]


def _finished(engine: Engine, on_event: OnEvent | None) -> list[Finished]:
    """All pictures in order; the first failure is raised."""
    finished: list[Finished] = []
    for event in engine.run():
        if on_event is not None:
            on_event(event)
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Finished):
            finished.append(event)
    return sorted(finished, key=lambda event: event.index)


def _result(finished: list[Finished], seconds: dict[str, float]) -> Result:
    first = finished[0]
    family = capabilities_of(first.request.model).family
    images = tuple(image_of(event) for event in finished)
    return Result(images, first.notes, seconds, first.request, first.request.model, family)


def _spent(finished: list[Finished]) -> dict[str, float]:
    """Seconds per stage over all pictures; pictures of one batch share their forwards, so those are counted once."""
    spent: dict[str, float] = {}
    for event in finished:
        for stage, seconds in event.seconds.items():
            shared = stage in ("denoise", "decode")
            spent[stage] = max(spent.get(stage, 0.0), seconds) if shared else spent.get(stage, 0.0) + seconds
    return spent
