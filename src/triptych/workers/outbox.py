"""What a worker says, sent by a thread of its own: encoding and a slow reader do not hold up the engine.

Bounded: when the supervisor does not read, the worker stops painting instead of piling up pictures.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from triptych.workers.wire import Channel, Frame, WireError

MOST_WAITING = 256

log = logging.getLogger(__name__)
Made = Callable[[], Frame]
"""Makes the frame when its turn comes."""


class Outbox:
    """gone: called once, when the other end can no longer be reached."""

    def __init__(self, channel: Channel, gone: Callable[[], None]) -> None:
        self._channel, self._gone = channel, gone
        self._queue: queue.Queue[Frame | Made | None] = queue.Queue(MOST_WAITING)
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, what: Frame | Made) -> None:
        self._queue.put(what)

    def close(self) -> None:
        """Send what is left."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                frame = item if isinstance(item, Frame) else item()
                self._channel.send(frame)
            except WireError as error:
                log.warning("nobody listens any more: %s", error)
                self._gone()
                return
            except Exception:
                log.exception("what was to be said could not be put into a frame")
