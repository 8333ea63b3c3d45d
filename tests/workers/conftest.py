"""A job store in a folder and a supervisor with one real worker over the tiny models."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.jobs.model import Job, NewJob
from triptych.jobs.store import Store
from triptych.library import Library
from triptych.workers.process import Setup
from triptych.workers.supervisor import Supervisor

CHILD = Path(__file__).parent / "tiny_child.py"

Start = Callable[..., Supervisor]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def start(store: Store, tiny_folder: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor; slow: seconds added to each forward of its worker."""
    started: list[Supervisor] = []

    def begin(slow: float = 0.0, **config: object) -> Supervisor:
        setup = Setup((sys.executable, str(CHILD), str(tiny_folder), str(slow)), {"threads": 1, **config})
        supervisor = Supervisor(store, tmp_path / "home", setup)
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        supervisor.stop(0.0)


def submit(store: Store, **fields: object) -> Job:
    request = Request.make(**{"prompt": "a star", "model": "flow", "steps": 3, **fields})
    return store.submit(NewJob("generate", request.model_dump(mode="json"), model=request.model)).job


def ended(store: Store, job: str, seconds: float = 60.0) -> Job:
    """The job once it has ended."""
    return until(lambda: (found := store.get(job)).ended and found, f"job {job} does not end", seconds)


def until(check: Callable[[], object], what: str, seconds: float = 30.0) -> object:
    """Wait until `check` gives something; that."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := check():
            return found
        time.sleep(0.01)
    raise AssertionError(what)


def alone(library: Library, **fields: object) -> list[str]:
    """The hashes of the pictures of a request, made by an engine of its own."""
    request = Request.make(**{"prompt": "a star", "model": "flow", "steps": 3, **fields})
    return [pixels_sha256(picture.pixels) for picture in Engine(library).generate_many([request])[0]]
