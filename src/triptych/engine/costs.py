"""What a forward costs, as measured: seconds and bytes, by kind of picture and by how many share it.

A kind is a batch key: pictures of one kind may share a forward. On a GPU a forward of sixteen may take as long as one
of one; on a CPU, where one picture fills the cores, sixteen take sixteen times as long, and sharing only makes a short
request wait for its company. Which it is, is measured here and not assumed. Knows no model and no request.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from statistics import median

MEASURES = 9
"""Of these, the latest of one kind and width, the median counts: a busy neighbour slows some of them."""
ENOUGH = 3
KEPT_KINDS = 256
WITHIN = 1.1
"""A narrower forward is as good as the best one if a picture of it costs at most so many times as much."""
LOOK_AGAIN = 64
"""One in so many groups is as wide as can be, so that what is known does not grow old."""
UNKNOWN_SECONDS = 0.02
"""Taken for a step of a kind that was never measured, where nothing else is known either."""


@dataclass
class _Kind:
    seconds: dict[int, deque[float]] = field(default_factory=dict[int, "deque[float]"])
    bytes_each: float = 0.0
    groups: int = 0

    def each(self, width: int) -> float | None:
        """Seconds for one picture of a forward of so many; None while that is not known."""
        found = self.seconds.get(width)
        return median(found) / width if found and len(found) >= ENOUGH else None


class Costs:
    def __init__(self) -> None:
        self._kinds: OrderedDict[Hashable, _Kind] = OrderedDict()

    def note(self, kind: Hashable, count: int, seconds: float, grown: int | None = None) -> None:
        """A forward of `count` pictures took so long, and `grown` bytes at its peak, where that was looked at."""
        known = self._kind(kind)
        known.seconds.setdefault(_width(count), deque(maxlen=MEASURES)).append(seconds * _width(count) / count)
        if grown is not None:
            known.bytes_each = max(known.bytes_each, grown / count)

    def seconds(self, kind: Hashable) -> float:
        """Of one step of one picture, in the company that is best for it."""
        known = self._kinds.get(kind)
        found = [each for width in known.seconds if (each := known.each(width)) is not None] if known else []
        if found:
            return min(found)
        others = [cost for other in self._kinds.values() for width in other.seconds if (cost := other.each(width))]
        return median(others) if others else UNKNOWN_SECONDS

    def measured(self, kind: Hashable) -> bool:
        known = self._kinds.get(kind)
        return known is not None and any(known.each(width) is not None for width in known.seconds)

    def knows(self, kind: Hashable, count: int) -> bool:
        """Whether forwards of so many were measured often enough."""
        known = self._kinds.get(kind)
        return known is not None and known.each(_width(count)) is not None

    def bytes_each(self, kind: Hashable) -> float:
        """What one more picture adds to the peak of a forward; 0 while that is not known."""
        known = self._kinds.get(kind)
        return known.bytes_each if known else 0.0

    def width(self, kind: Hashable, most: int) -> int:
        """How many pictures shall share the next forward, of at most `most`.

        The fewest of those that cost each picture no more than the best; first every width is tried, the widest first.
        """
        known = self._kind(kind)
        known.groups += 1
        widths = [2**power for power in range(most.bit_length()) if 2**power <= most]
        for width in reversed(widths):
            if known.each(width) is None:
                return width
        if known.groups % LOOK_AGAIN == 0:
            return most
        costs = {width: known.each(width) or 0.0 for width in widths}
        best = min(costs.values())
        return next(width for width in widths if costs[width] <= best * WITHIN)

    def _kind(self, kind: Hashable) -> _Kind:
        if kind not in self._kinds:
            self._kinds[kind] = _Kind()
            if len(self._kinds) > KEPT_KINDS:
                self._kinds.popitem(last=False)
        self._kinds.move_to_end(kind)
        return self._kinds[kind]


def _width(count: int) -> int:
    """The power of two that a count is reckoned under."""
    return 1 << (count.bit_length() - 1)
