"""Prints the figures of the programme after the tests."""

from __future__ import annotations

from typing import Any

from .programme import FIGURES, FULL, table


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if FIGURES:
        terminalreporter.section("reliability, whole programme" if FULL else "reliability, short form")
        for line in table():
            terminalreporter.line(line)
