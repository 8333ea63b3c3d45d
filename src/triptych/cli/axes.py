"""The axes of a comparison: `name=a,b,c` to lists of request fields, one for each cell."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from triptych.cli.fields import parse_size
from triptych.core.errors import InvalidRequest

MAX_CELLS = 100

SETTINGS: dict[str, Callable[[str], Any]] = {
    "model": str,
    "seed": int,
    "steps": int,
    "sampler": str,
    "schedule": str,
    "guidance": float,
    "guidance_rescale": float,
    "quality": str,
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "negative": str,
    "size": parse_size,
    "use_plan": lambda text: {"yes": True, "no": False}[text],
}
"""The settings that may be an axis, with how a value is read. Any other name is a piece of the prompt to replace."""


@dataclass(frozen=True)
class Axis:
    """name: a setting, or words of the prompt that each value takes the place of."""

    name: str
    values: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(f"{self.name} {value}" if self.name in SETTINGS else value for value in self.values)

    def apply(self, prompt: str, fields: dict[str, Any], value: str) -> tuple[str, dict[str, Any]]:
        """Prompt and fields with this axis at `value`."""
        if self.name not in SETTINGS:
            return _whole_words(self.name).sub(lambda _: value, prompt), fields
        try:
            read = SETTINGS[self.name](value)
        except (ValueError, KeyError):
            raise InvalidRequest("axis", f"{value!r} is not a value of {self.name}") from None
        if self.name == "size":
            return prompt, fields | {"width": read[0], "height": read[1]}
        return prompt, fields | {self.name: read}


@dataclass(frozen=True)
class Point:
    """One cell: what to ask for."""

    prompt: str
    fields: dict[str, Any]


def parse_axis(text: str, prompt: str) -> Axis:
    """An axis of "guidance=3,6,12", or, as words of the prompt, "fox=fox,cat,owl"; quotes keep a comma in a
    value.
    """
    name, equals, rest = text.partition("=")
    name = name.strip()
    values = tuple(value.strip() for value in next(csv.reader([rest], skipinitialspace=True), []) if value.strip())
    if not name or not equals or not values:
        raise InvalidRequest("axis", f"{text!r} is not allowed: name=a,b,c, for example guidance=3,6,12")
    name = {"top-k": "top_k", "top-p": "top_p", "plan": "use_plan"}.get(name, name)
    if name not in SETTINGS and not _whole_words(name).search(prompt):
        known = ", ".join(SETTINGS)
        raise InvalidRequest("axis", f"{name!r} is neither a setting ({known}) nor words of the prompt")
    return Axis(name, values)


def lay_out(
    prompt: str, fields: dict[str, Any], axes: Sequence[Axis]
) -> tuple[list[str], list[str], list[list[Point]]]:
    """Column labels, row labels and points: the first axis goes across, all others together go down."""
    names = [axis.name for axis in axes]
    if len(set(names)) != len(names):
        raise InvalidRequest("axis", f"{next(name for name in names if names.count(name) > 1)!r} is given twice")
    across, down = axes[0], axes[1:]
    rows = list(itertools.product(*(zip(axis.labels, axis.values, strict=True) for axis in down)))
    if len(rows) * len(across.values) > MAX_CELLS:
        given = len(rows) * len(across.values)
        raise InvalidRequest("axis", f"{given} pictures are too many for one grid: at most {MAX_CELLS} are allowed")
    points = [
        [_point(prompt, fields, axes, (value, *(chosen for _, chosen in row))) for value in across.values]
        for row in rows
    ]
    return list(across.labels), [", ".join(label for label, _ in row) for row in rows], points


def _point(prompt: str, fields: dict[str, Any], axes: Sequence[Axis], values: Sequence[str]) -> Point:
    for axis, value in zip(axes, values, strict=True):
        prompt, fields = axis.apply(prompt, fields, value)
    return Point(prompt, fields)


def _whole_words(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(words)}(?!\w)")
