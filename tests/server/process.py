"""A real `triptych serve` as a process of its own, for tests of what only a process can do: start, die, start again."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx

TOKEN = "process-canary-9f8e7d6c5b4a3210"
COMMAND = (sys.executable, "-c", "import sys; from triptych.cli import main; sys.exit(main())")


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TRIPTYCH_", "OPENAI_"))}
    return {**kept, "TRIPTYCH_HOME": str(home), "OMP_NUM_THREADS": "1", **more}


def triptych(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    whole = (*COMMAND, *arguments)
    return subprocess.run(whole, env=environment(home, **more), capture_output=True, text=True, timeout=60, check=False)


class Serve:
    """log: where its stderr goes, whatever happens to it."""

    def __init__(self, home: Path, *arguments: str, token: str = TOKEN) -> None:
        self.home, self.token, self.log = home, token, home.parent / f"{home.name}.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                (*COMMAND, "serve", "--port", "0", *arguments),
                env=environment(home, TRIPTYCH_TOKEN=token),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 60)
        self.url = self.process.stdout.readline().strip() if ready else ""
        assert self.url.startswith("http://127.0.0.1:"), self.log.read_text()

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=120, verify=False)

    def wait_ready(self) -> None:
        with self.client() as client:
            for _ in range(600):
                if client.get("/ready").status_code == 200:
                    return
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def end(self, number: int, timeout: float = 60) -> int:
        """Send a signal and wait; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout)


@contextmanager
def serve(home: Path, *arguments: str, token: str = TOKEN) -> Iterator[Serve]:
    """A server that certainly is gone afterwards."""
    running = Serve(home, *arguments, token=token)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGKILL)
