"""What a rule says of a picture, and the thresholds that all rules share. Knows no rule."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from triptych.core.plan import Box
from triptych.evals.reading import Detection, Reading

THRESHOLD = 0.3
"""GenEval: a detection counts from this score on."""
MOST_PER_CLASS = 16
"""GenEval: so many detections of a class are looked at."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """correct: the rule's answer. reason: what is wrong, in words; "" for a right one.

    atoms: numbers that the row's own scores are made of, such as one score in 0..1 for every fact.
    """

    correct: bool
    reason: str = ""
    atoms: dict[str, float] = field(default_factory=dict[str, float])


def found(reading: Reading, noun: str, threshold: float = THRESHOLD) -> list[Detection]:
    """The detections of a noun that count, by falling score."""
    things = [thing for thing in reading.things if thing.noun == noun and thing.score > threshold]
    return sorted(things, key=lambda thing: -thing.score)[:MOST_PER_CLASS]


def centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def overlap(first: Box, second: Box) -> float:
    """The area that two boxes share."""
    x0, y0, x1, y1 = (
        pick(pair) for pick, pair in zip((max, max, min, min), zip(first, second, strict=True), strict=True)
    )
    return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)


def pairs(first: list[Detection], second: list[Detection]) -> list[tuple[Detection, Detection]]:
    return list(itertools.product(first, second))
