"""One worker process as its supervisor sees it: started, spoken to, listened to, ended.

Knows no job. Everything the child says is handed to one function, on the one thread that reads; after the last frame it
is told that the child is gone.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from triptych.workers.wire import Channel, Frame, WireError

COMMAND = (sys.executable, "-m", "triptych.workers.child")
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
_PREFIXES = ("OMP_", "MKL_", "KMP_", "CUDA_", "TORCH_", "COVERAGE_")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """How workers are started. command: gets the number of its socket as last argument. config: see `child`."""

    command: Sequence[str] = COMMAND
    config: dict[str, Any] = field(default_factory=dict[str, Any])


class Process:
    """Started with the object, heard from `listen` on.

    on_frame: each frame. on_gone: once, after the last one, with the exit status.
    """

    def __init__(
        self, setup: Setup, on_frame: Callable[[Process, Frame], None], on_gone: Callable[[Process, int], None]
    ) -> None:
        self._on_frame, self._on_gone = on_frame, on_gone
        self._channel, theirs = Channel.pair()
        try:
            self._popen = subprocess.Popen(
                [*setup.command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=2,  # what a library prints is log, and never the server's answer
                env=_environment(),
                start_new_session=True,
            )
        finally:
            theirs.close()
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._read, name=f"worker-{self.pid}", daemon=True)
        self.send(Frame("config", dict(setup.config)))

    def listen(self) -> None:
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self._reader.is_alive()

    def send(self, frame: Frame) -> bool:
        """False where the child is gone; the reader will say so."""
        try:
            self._channel.send(frame)
        except WireError:
            return False
        return True

    def kill(self) -> None:
        """At once, with everything it may have started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def join(self, timeout: float | None = None) -> bool:
        """Wait until the last frame is read and the child is gone; whether it is."""
        self._reader.join(timeout)
        return not self._reader.is_alive()

    def _read(self) -> None:
        try:
            while (frame := self._channel.receive()) is not None:
                self._on_frame(self, frame)
        except WireError as error:
            log.warning("worker %d: %s", self.pid, error)
        except Exception:
            log.exception("what worker %d said could not be handled", self.pid)
        # Whatever ended the conversation, a child without one is of no use.
        self.kill()
        self._channel.close()
        self._on_gone(self, self._popen.wait())


def _environment() -> dict[str, str]:
    """No keys, no tokens: a child that was taken over finds nothing in its environment."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PREFIXES)}
    return {"OMP_WAIT_POLICY": "PASSIVE", **kept}  # docs/decisions/0014: threads that wait sleep
