"""Every bad checkpoint by its name: nothing in it runs, and it is refused in under two seconds with a reason."""

from __future__ import annotations

import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import triptych
from triptych.core.errors import FileProblem
from triptych.open_weights.cards import entry_of
from triptych.open_weights.loading import load

from .bad import CANARY, cases

CASES = cases()
LONGEST = 2.0
_RUNS = ("exec", "os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "pickle.find_class")
_INSTALLED = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(Path(triptych.__file__).parent))
"""A library may import a module of its own as late as it likes; code from anywhere else is what is looked for."""
_watched: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None or event not in _RUNS:
        return
    if event != "exec" or not getattr(arguments[0], "co_filename", "").startswith(_INSTALLED):
        _watched.append(f"{event} {arguments[0]!r}")


sys.addaudithook(_watch)


@contextmanager
def running() -> Generator[list[str]]:
    """What runs code within, by the interpreter's own account."""
    global _watched
    _watched = ran = []
    try:
        yield ran
    finally:
        _watched = None


@pytest.fixture(scope="module", autouse=True)
def warm(checkpoint: Callable[[str], Path]) -> None:
    """What is imported at the first load, is imported; and the good one is good."""
    load("good", entry_of(checkpoint("sd1")))


def test_there_are_enough() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize("name", CASES)
def test_is_refused(name: str, checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint("sd1"), tmp_path / "copy"))
    path = CASES[name](folder)
    started = time.process_time()
    with running() as ran, pytest.raises(FileProblem) as caught:
        load("bad", entry_of(path))
    took = time.process_time() - started
    told = str(caught.value)
    assert told.isprintable(), "a message is one line, and no terminal obeys it"
    assert 10 < len(told) < 600
    assert took < LONGEST
    assert ran == []
    assert not (folder / CANARY).exists()
