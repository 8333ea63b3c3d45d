"""What happens to jobs right now, for whoever listens: steps, previews, plans. Nothing here is kept.

The durable events of a job (queued, picture, done, ...) are the store's; these are the ones in between, which a
listener may miss without harm. A listener that is slow loses old steps and previews, never the order.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MOST_KEPT = 64
FLEETING = frozenset({"stepped", "preview"})
"""Of these only the latest of a picture is worth having."""


@dataclass(frozen=True)
class Live:
    """kind: started (with the resolved request and its notes), planned, stepped or preview. blob: a preview's PNG."""

    job: str
    kind: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    blob: bytes = b""


class Listener:
    """One reader of one job's events. wake: called after each, on the thread that brought it; it must be quick."""

    def __init__(self, job: str, wake: Callable[[], None] | None, closed: Callable[[Listener], None]) -> None:
        self.job = job
        self._wake, self._closed = wake, closed
        self._events: deque[Live] = deque()
        self._arrived = threading.Condition()

    def take(self, timeout: float | None = 0.0) -> list[Live]:
        """What has come since the last time; waits up to `timeout` seconds (None: for ever) for the first."""
        with self._arrived:
            if not self._events and timeout != 0:
                self._arrived.wait(timeout)
            found = list(self._events)
            self._events.clear()
            return found

    def close(self) -> None:
        self._closed(self)

    def put(self, event: Live) -> None:
        with self._arrived:
            if event.kind in FLEETING:
                place = event.data.get("index")
                self._events = deque(
                    old for old in self._events if not (old.kind == event.kind and old.data.get("index") == place)
                )
            if len(self._events) >= MOST_KEPT:
                self._events.popleft()
            self._events.append(event)
            self._arrived.notify_all()
        if self._wake is not None:
            self._wake()


class Broker:
    """on_watch: told, with the job and the number of previews wanted, when that changes; -1 is nobody."""

    def __init__(self, on_watch: Callable[[str, int], None]) -> None:
        self._on_watch = on_watch
        self._lock = threading.Lock()
        self._listeners: dict[str, dict[Listener, int]] = {}

    def listen(self, job: str, *, partials: int = -1, wake: Callable[[], None] | None = None) -> Listener:
        """partials: previews wanted for sure, spread over the steps; 0 takes what the rate allows, -1 wants none."""
        listener = Listener(job, wake, self._close)
        self._change(job, listener, partials)
        return listener

    def wanted(self, job: str) -> int:
        """The most previews that any listener wants."""
        with self._lock:
            return self._wanted(job)

    def publish(self, event: Live) -> None:
        with self._lock:
            listeners = [
                listener
                for listener, partials in self._listeners.get(event.job, {}).items()
                if event.kind != "preview" or partials >= 0
            ]
        for listener in listeners:
            listener.put(event)

    def _close(self, listener: Listener) -> None:
        self._change(listener.job, listener, None)

    def _change(self, job: str, listener: Listener, partials: int | None) -> None:
        with self._lock:
            before = self._wanted(job)
            own = self._listeners.setdefault(job, {})
            if partials is None:
                own.pop(listener, None)
            else:
                own[listener] = partials
            if not own:
                del self._listeners[job]
            after = self._wanted(job)
        if before != after:
            self._on_watch(job, after)

    def _wanted(self, job: str) -> int:
        return max(self._listeners.get(job, {}).values(), default=-1)
