"""Prints the figures of the programme after the tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .programme import FIGURES, FULL, MEMORY, table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if FIGURES:
        terminalreporter.section("reliability, whole programme" if FULL else "reliability, short form")
        for line in table():
            terminalreporter.line(line)


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is such a thing. What a killed process wrote is in the system's hands on either,
    so a kill tests the same; only a machine that loses its power would tell them apart."""
    if MEMORY is None:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="triptych-") as folder:
        yield Path(folder)
