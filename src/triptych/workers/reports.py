"""What the store has to be told, in order, and again until it listens.

A disk that is full refuses the news that a job has failed as well. It is not lost: it waits here and is told when there
is room again, and until then no new job is begun.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from triptych.jobs.errors import StorageError

log = logging.getLogger(__name__)


class Reports:
    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: deque[Callable[[], None]] = deque()
        self.refused = False
        """Whether something waits because the storage would not take it."""

    def tell(self, call: Callable[[], None]) -> None:
        """Make the call after all that still wait; keep it where the storage refuses."""
        with self._lock:
            self._waiting.append(call)
            self.again()

    def again(self) -> None:
        """Try what waits, in order, up to the first that is refused."""
        with self._lock:
            while self._waiting:
                try:
                    self._waiting[0]()
                except StorageError as error:
                    log.warning("%d reports wait for the storage: %s", len(self._waiting), error)
                    self.refused = True
                    return
                except Exception:
                    log.exception("a report to the job store failed and is given up")
                self._waiting.popleft()
            self.refused = False
