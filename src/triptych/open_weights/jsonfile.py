"""JSON files of strangers: bounded in size and depth, no name twice. Knows nothing of what stands in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes

T = TypeVar("T")

MAX_CONFIG_BYTES = 4 * 2**20
MAX_TOKENIZER_BYTES = 64 * 2**20
MAX_DEPTH = 12
REQUIRED: Any = object()


def read_object(path: Path, limit: int = MAX_CONFIG_BYTES) -> dict[str, Any]:
    """The object of a JSON file; `FileProblem` for anything else."""
    try:
        found = json.loads(read_bytes(path, limit), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise FileProblem(f"{path} holds no JSON object")
    if _deeper(found, MAX_DEPTH):
        raise FileProblem(f"{path} is nested deeper than {MAX_DEPTH} levels, as no configuration is")
    return found


class Config:
    """A checkpoint's `config.json`: every value is asked for with its kind and its range.

    A configuration decides how much memory is allocated, so a number out of range is refused where it is read.
    """

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self.values, self.where = values, where

    def whole(self, name: str, default: int = REQUIRED, *, least: int = 1, most: int = 2**20) -> int:
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.problem(name, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, default: float = REQUIRED, *, least: float = 0.0, most: float = 1e6) -> float:
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self.problem(name, f"a number from {least:g} to {most:g}")
        return float(value)

    def flag(self, name: str, default: bool = REQUIRED) -> bool:
        value = self._value(name, default)
        if not isinstance(value, bool):
            raise self.problem(name, "true or false")
        return value

    def one_of(self, name: str, allowed: tuple[T, ...], default: T = REQUIRED) -> T:
        value = self._value(name, default)
        if value not in allowed:
            raise self.problem(name, " or ".join(map(repr, allowed)))
        return value

    def wholes(self, name: str, default: tuple[int, ...] = REQUIRED, *, most: int = 2**20) -> tuple[int, ...]:
        value = self._value(name, default)
        if not isinstance(value, list | tuple) or not 0 < len(value) <= 64:
            raise self.problem(name, "a list of whole numbers")
        for one in value:
            if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one <= most:
                raise self.problem(name, f"a list of whole numbers to {most}")
        return tuple(value)

    def problem(self, name: str, allowed: str) -> FileProblem:
        given = repr(self.values.get(name))
        shown = given if len(given) <= 60 else f"{given[:57]}..."
        return FileProblem(f"{self.where}: {name} is {shown}; {allowed} is allowed")

    def _value(self, name: str, default: Any) -> Any:
        if name in self.values:
            return self.values[name]
        if default is REQUIRED:
            raise FileProblem(f"{self.where}: {name} is missing")
        return default


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _deeper(value: Any, depth: int) -> bool:
    if depth < 0:
        return True
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_deeper(child, depth - 1) for child in children)
