"""How far two pictures agree on what stands where: the boxes that readers see in each, matched noun by noun.

Knows no model. A reader of the built-in world sees little in other pictures, and says so by finding nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triptych.core.plan import Box
from triptych.evals.readers.decode import iou

Named = tuple[str, Box]
"""A noun, and where it stands in fractions of the picture."""


@dataclass(frozen=True)
class Agreement:
    """before, after: how many things each picture shows. pairs: how many are the same noun at overlapping places;
    iou: their mean overlap (intersection over union), None without a pair. score: the overlaps' sum over the larger
    count, which lost and added things lower; None where neither picture shows a thing.
    """

    before: int
    after: int
    pairs: int
    iou: float | None
    score: float | None

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in vars(self).items()}


def agreement(before: Sequence[Named], after: Sequence[Named]) -> Agreement:
    """Pairs of one noun, the largest overlap first; each thing is in one pair at most."""
    found = sorted(
        (
            (iou(box, other), i, j)
            for i, (noun, box) in enumerate(before)
            for j, (name, other) in enumerate(after)
            if noun == name
        ),
        reverse=True,
    )
    taken: tuple[set[int], set[int]] = set(), set()
    overlaps: list[float] = []
    for overlap, i, j in found:
        if overlap > 0 and i not in taken[0] and j not in taken[1]:
            overlaps.append(overlap)
            taken[0].add(i)
            taken[1].add(j)
    most = max(len(before), len(after))
    return Agreement(
        before=len(before),
        after=len(after),
        pairs=len(overlaps),
        iou=sum(overlaps) / len(overlaps) if overlaps else None,
        score=sum(overlaps) / most if most else None,
    )
