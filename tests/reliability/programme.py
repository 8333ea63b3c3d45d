"""How much is done (short or full), and what is printed at the end."""

from __future__ import annotations

import os
from typing import TypeVar

FULL = os.environ.get("TRIPTYCH_RELIABILITY") == "full"

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""A folder whose syncs cost nothing; None where the system has none."""

T = TypeVar("T")

FIGURES: list[tuple[str, dict[str, object]]] = []


def scale(short: T, full: T) -> T:
    """The amount for this run."""
    return full if FULL else short


def tell(what: str, **figures: object) -> None:
    """Add a line to the table."""
    FIGURES.append((what, figures))


def table() -> list[str]:
    return [f"{what}: " + ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in figures.items())
            for what, figures in FIGURES]  # fmt: skip
