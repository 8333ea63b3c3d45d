"""A job store in a folder and a supervisor with one real worker over the tiny models."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


def setup(models: Path, slow: float = 0.0, **config: object) -> Setup:
    """A worker over a folder of models; slow: seconds added to each of its forwards."""
    return Setup((sys.executable, str(CHILD), str(models), str(slow)), {"threads": 1, **config})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path / "home")
    yield store
    store.close()


@pytest.fixture
def start(store: Store, tiny_folder: Path, tmp_path: Path) -> Iterator[Start]:
    """Start a supervisor of a test's own: a worker takes seconds to start."""
    started: list[Supervisor] = []

    def begin(slow: float = 0.0, **config: object) -> Supervisor:
        supervisor = Supervisor(store, tmp_path / "home", setup(tiny_folder, slow, **config))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield begin
    for supervisor in started:
        supervisor.stop(0.0)


@dataclass(frozen=True)
class Running:
    store: Store
    supervisor: Supervisor
    folder: Path


@pytest.fixture(scope="module")
def running(tiny_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A store and a supervisor that the tests of a module share, for jobs that do no harm; 20 ms more a forward."""
    folder = tmp_path_factory.mktemp("home")
    store = Store.open(folder)
    supervisor = Supervisor(store, folder, setup(tiny_folder, 0.02))
    supervisor.start()
    yield Running(store, supervisor, folder)
    supervisor.stop(0.0)
    store.close()


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
