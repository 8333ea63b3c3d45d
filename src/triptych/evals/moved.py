"""What moved between two pictures: things, their colours and places, background and light, and how much each region.

Both are read by the same readers, so what they misread in both cancels; what they see otherwise is told. Knows no model
and no edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.evals.judge.verdict import THRESHOLD, centre
from triptych.evals.lighting import light_of
from triptych.evals.readers.decode import iou
from triptych.evals.reading import Detection, Reading

SAME_PLACE = 0.04
"""A thing whose middle moved by less of the picture, and whose sides changed by less than SAME_SIZE, is as it was."""
SAME_SIZE = 1.15


@dataclass(frozen=True)
class ThingMoved:
    """One thing as it was and is. shift: of its middle, in shares of the picture; scale: of its sides; None where it is
    seen in one of the pictures only. mean: mean absolute difference of the pixels in its old box, in grey levels.
    """

    noun: str
    before: str | None
    after: str | None
    shift: tuple[float, float] | None
    scale: float | None
    mean: float

    @property
    def status(self) -> str:
        if self.shift is None or self.scale is None:
            return "gone" if self.after is None else "new"
        changes = []
        if self.before != self.after:
            changes.append("recoloured")
        if max(map(abs, self.shift)) > SAME_PLACE:
            changes.append("moved")
        if not 1 / SAME_SIZE < self.scale < SAME_SIZE:
            changes.append("resized")
        return " and ".join(changes) or "same"


@dataclass(frozen=True)
class Moved:
    """background, light: before and after, as read. outside: changed pixels of those that were to stay, and how many
    those are. rest: mean absolute difference outside of all things' boxes.
    """

    things: tuple[ThingMoved, ...]
    background: tuple[str | None, str | None]
    light: tuple[str | None, str | None]
    outside: tuple[int, int]
    rest: float

    @property
    def changed(self) -> tuple[str, ...]:
        """What is not as it was, in words: "background: forest -> night", "fox: orange -> blue"."""
        found = [f"{name}: {a or 'none'} -> {b or 'none'}" for name, (a, b) in
                 (("background", self.background), ("light", self.light)) if a != b]  # fmt: skip
        for thing in self.things:
            if thing.status == "same":
                continue
            colours = f" ({thing.before or 'natural'} -> {thing.after or 'natural'})"
            found.append(f"{thing.noun}: {thing.status}{colours if 'recoloured' in thing.status else ''}")
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        return {
            "changed": list(self.changed),
            "things": [
                {
                    "noun": thing.noun,
                    "status": thing.status,
                    "colour": [thing.before, thing.after],
                    "shift": None if thing.shift is None else [round(side, 3) for side in thing.shift],
                    "scale": None if thing.scale is None else round(thing.scale, 3),
                    "mean_difference": round(thing.mean, 2),
                }
                for thing in self.things
            ],
            "background": list(self.background),
            "light": list(self.light),
            "outside_changed_pixels": self.outside[0],
            "outside_total_pixels": self.outside[1],
            "rest_mean_difference": round(self.rest, 2),
        }


def moved(before: Reading, after: Reading, old: Pixels, new: Pixels, outside: tuple[int, int]) -> Moved:
    """What differs between two pictures, uint8 (H, W, 3), and their readings."""
    difference = np.abs(old.astype(np.int16) - new).mean(axis=2)
    free = np.ones(difference.shape, np.bool_)
    seen, now = _present(before), _present(after)
    things: list[ThingMoved] = []
    pairs = matched(seen, now)
    for i, thing in enumerate(seen):
        own = _window(thing.box, difference.shape)
        free[own] = False
        mean = float(difference[own].mean()) if difference[own].size else 0.0
        j = pairs.get(i)
        if j is None:
            things.append(ThingMoved(thing.noun, thing.colour, None, None, None, mean))
            continue
        other = now[j]
        (x, y), (a, b) = centre(thing.box), centre(other.box)
        things.append(
            ThingMoved(thing.noun, thing.colour, other.colour, (a - x, b - y), _side(other) / _side(thing), mean)
        )
    for j, thing in enumerate(now):
        own = _window(thing.box, difference.shape)
        free[own] = False
        if j not in pairs.values():
            mean = float(difference[own].mean()) if difference[own].size else 0.0
            things.append(ThingMoved(thing.noun, None, thing.colour or "natural", None, None, mean))
    return Moved(
        things=tuple(things),
        background=(before.background, after.background),
        light=(light_of(before), light_of(after)),
        outside=outside,
        rest=float(difference[free].mean()) if free.any() else 0.0,
    )


def matched(first: Sequence[Detection], second: Sequence[Detection]) -> dict[int, int]:
    """Which thing is which: of one noun, the largest overlap first, then the nearest."""

    def rank(i: int, j: int) -> tuple[float, float]:
        (x, y), (a, b) = centre(first[i].box), centre(second[j].box)
        return -iou(first[i].box, second[j].box), (x - a) ** 2 + (y - b) ** 2

    options = sorted((rank(i, j), i, j) for i, a in enumerate(first) for j, b in enumerate(second) if a.noun == b.noun)
    found: dict[int, int] = {}
    for _, i, j in options:
        if i not in found and j not in found.values():
            found[i] = j
    return found


def _present(reading: Reading) -> list[Detection]:
    return [thing for thing in reading.things if thing.score > THRESHOLD]


def _side(thing: Detection) -> float:
    x0, y0, x1, y1 = thing.box
    return max((x1 - x0) * (y1 - y0), 1e-6) ** 0.5


def _window(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = shape[:2]
    x0, y0, x1, y1 = (min(max(side, 0.0), 1.0) for side in box)
    return slice(int(y0 * height), -int(-y1 * height // 1)), slice(int(x0 * width), -int(-x1 * width // 1))
