"""How much memory pictures take: what they hold while they are under way, and what a forward needs at its peak.

Nothing is guessed from shapes. What a state holds is counted in its tensors; the peak of a forward is read from the
system's account of this process.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from torch import Tensor

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_MEMINFO = Path("/proc/meminfo")
_RESET_PEAK = "5"
"""Written to clear_refs it makes the peak what is in use now (Linux, proc(5))."""


def held_bytes(state: object) -> int:
    """Of all tensors in a state, each storage once."""
    storages = (tensor.untyped_storage() for tensor in _tensors(state))
    return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _tensors(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for one in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _tensors(one)


class Peak:
    """The growth of memory over a block: `with Peak() as peak: ...; peak.grown` is in bytes, None where unknown."""

    grown: int | None = None

    def __enter__(self) -> Peak:
        self._before: int | None = None
        with suppress(OSError):
            _CLEAR.write_text(_RESET_PEAK)
            self._before = _status("VmRSS")
        return self

    def __exit__(self, *exception: object) -> None:
        peak = None if self._before is None else _status("VmHWM")
        self.grown = None if peak is None or self._before is None else max(peak - self._before, 0)


def _status(name: str) -> int | None:
    """A line of the process's status, in bytes."""
    found = re.search(rf"^{name}:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def available_bytes() -> int | None:
    """What the system could give without swapping; None where it does not say."""
    with suppress(OSError):
        found = re.search(r"^MemAvailable:\s*(\d+) kB", _MEMINFO.read_text(), re.MULTILINE)
        return int(found[1]) * 1024 if found else None
    return None


class Budget:
    """Who may begin. total: bytes for pictures under way and their forwards; None is no bound.

    A kind of picture that was never seen is taken to hold twice as much per pixel as the largest that was.
    """

    def __init__(self, total: int | None = None) -> None:
        self.total = total
        self._held: dict[Hashable, int] = {}
        self._per_pixel = 0.0

    def note(self, kind: Hashable, pixels: int, held: int) -> None:
        """A picture of this kind, of so many pixels, holds so much."""
        self._held[kind] = max(self._held.get(kind, 0), held)
        self._per_pixel = max(self._per_pixel, held / pixels)

    def expected(self, kind: Hashable, pixels: int) -> float:
        return self._held.get(kind, 2 * self._per_pixel * pixels)

    def admits(self, kind: Hashable, pixels: int, held: int, forward: float) -> bool:
        """Whether another picture of this kind fits beside what is `held` and the largest `forward` of one picture."""
        if self.total is None or not held:
            return True  # one alone is always tried: nothing could make more room for it
        return held + self.expected(kind, pixels) + forward <= self.total

    def widest(self, held: int, each: float) -> int | None:
        """How many pictures a forward may have if each adds so much to its peak; None is no bound."""
        if self.total is None or each <= 0:
            return None
        return max(int((self.total - held) // each), 1)
