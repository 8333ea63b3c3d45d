"""What a checkpoint needs of this machine's memory, told before anything of it is loaded. No torch.

Counted are the weights, whose number and shape the headers tell. What painting takes beside them depends on the size of
the picture and is measured by the engine; a share of the free memory is left for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triptych.core.errors import OutOfMemory
from triptych.core.events import Note
from triptych.open_weights.found import Checkpoint

Precision = Literal["float32", "bfloat16", "int8"]
BYTES: dict[Precision, float] = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.05}
"""Of a weight in memory. int8 keeps small tensors and a scale per row as floats."""
SHARE = 0.8
"""Of the free memory that weights may take."""
GIB = 2**30


@dataclass(frozen=True)
class Needs:
    """weights: bytes at each precision. free: of this machine now; None where the system does not say."""

    weights: dict[Precision, int]
    free: int | None

    @property
    def best(self) -> Precision | None:
        """The first precision that fits; None where none does."""
        if self.free is None:
            return "float32"
        return next((kind for kind, size in self.weights.items() if size <= SHARE * self.free), None)

    def sentence(self) -> str:
        sizes = ", ".join(f"{size / GIB:.1f} GiB as {kind}" for kind, size in self.weights.items())
        if self.free is None:
            return f"weights take {sizes}"
        fits = f"it will be used as {self.best}" if self.best else "it does not fit"
        return f"weights take {sizes}; {self.free / GIB:.1f} GiB are free: {fits}"

    def check(self, name: str) -> Precision:
        """The precision to load with; `OutOfMemory` before a byte is loaded that could not stay."""
        if self.best is None:
            raise OutOfMemory(f"{name} does not fit into this machine's memory: {self.sentence()}")
        return self.best


def needs_of(found: Checkpoint, free: int | None = None) -> Needs:
    numbers = sum(part.numbers for part in found.parts.values())
    sizes: dict[Precision, int] = {kind: int(numbers * each) for kind, each in BYTES.items()}
    return Needs(sizes, free_memory() if free is None else free)


def told_of(precision: Precision, kept: int | None) -> tuple[Note, ...]:
    """What a model says of a request: how it was loaded, and how much of the prompt it reads (None is all)."""
    notes: list[Note] = []
    if precision != "float32":
        notes.append(Note("model", "note", f"used as {precision}, since float32 does not fit into the memory"))
    if kept is not None:
        notes.append(Note("prompt", "note", f"only the first {kept} tokens are read; the rest was cut"))
    return tuple(notes)


def free_memory() -> int | None:
    """What could be had without swapping, the limit of a container included; None where nobody says."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        try:
            free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, AttributeError):
            return None
    return min(free, _left_of_container(free))


def _left_of_container(otherwise: int) -> int:
    group = Path("/sys/fs/cgroup")
    try:
        return max(0, int((group / "memory.max").read_text()) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        return otherwise
