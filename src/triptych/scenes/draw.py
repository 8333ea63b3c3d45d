"""A stream of random choices that depends on its key alone: a scene is the same on every machine, in any order.

It knows nothing of scenes. NumPy's Philox is counter-based: (seed, index, stream) names a stream, and none is shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 64  # uniforms drawn per call into NumPy: one call costs as much as a hundred numbers
_WORD = 1 << 64


class Draw:
    """Choices from the stream named by (seed, index, stream)."""

    def __init__(self, seed: int, index: int, stream: int = 0) -> None:
        key = np.array([seed % _WORD, index % _WORD], dtype=np.uint64)
        counter = np.array([0, 0, 0, stream % _WORD], dtype=np.uint64)
        self._random = np.random.Generator(np.random.Philox(key=key, counter=counter)).random
        self._block: list[float] = []

    def unit(self) -> float:
        """A number in [0, 1)."""
        if not self._block:
            self._block = self._random(_BLOCK).tolist()
        return self._block.pop()

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.unit() * len(options))]

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """One option, with probability proportional to its weight."""
        left = self.unit() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            left -= weight
            if left < 0:
                return option
        return options[-1]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in random order (a partial Fisher-Yates shuffle)."""
        pool = list(options)
        for i in range(count):
            j = self.integer(i, len(pool) - 1)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]
