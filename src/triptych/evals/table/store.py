"""Cells on the disk: a file of lines per cell, and its pictures beside it; whatever is killed goes on from there.

A picture is written whole, then its line is appended. A line holds what was read, not a verdict: rules are applied when
the table is made, so that a changed rule needs no new picture. It knows no model and no rule.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.files import check_folder, reason, write_atomically
from triptych.core.plan import Plan
from triptych.evals.reading import Detection, Reading

CELLS, PICTURES = "cells", "pictures"


@dataclass(frozen=True)
class Line:
    """One picture of a cell. stamp: of the painter; reader: of the reader; load: the machine's, when it was painted.

    picture: its file, seen from the store's folder; None where the model failed, for the reason in `failure`.
    """

    index: int
    k: int
    seed: int
    prompt: str
    stamp: str
    reader: str
    reading: Reading
    picture: str | None
    plan: Plan | None
    seconds: float
    load: float
    failure: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "index": self.index, "k": self.k, "seed": self.seed, "prompt": self.prompt, "stamp": self.stamp,
            "reader": self.reader, "reading": reading_as_json(self.reading), "picture": self.picture,
            "plan": self.plan.as_json() if self.plan else None, "seconds": round(self.seconds, 4),
            "load": self.load, "failure": self.failure,
        }  # fmt: skip

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Line:
        plan = Plan.parse(data["plan"]) if data["plan"] else None
        return cls(**{**data, "reading": reading_of_json(data["reading"]), "plan": plan})


class Store:
    """The cells under one folder. `fresh` throws away what earlier runs left in it."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self.folder = folder
        if fresh:
            for name in (CELLS, PICTURES):
                shutil.rmtree(folder / name, ignore_errors=True)
        check_folder(folder)

    def lines(self, column: str, row: str) -> dict[tuple[int, int], Line]:
        """What is known of a cell by (index, k), the latest of each; half a line at the end is what a kill leaves."""
        path = self._path(column, row)
        found: dict[tuple[int, int], Line] = {}
        if not path.exists():
            return found
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = Line.parse(json.loads(text))
            except (ValueError, KeyError, TypeError):
                continue
            found[line.index, line.k] = line
        return found

    def append(self, column: str, row: str, lines: Iterable[Line]) -> None:
        """Add lines and flush them to the disk. Raises `FileProblem` where that fails."""
        path = self._path(column, row)
        text = "".join(json.dumps(line.as_json(), ensure_ascii=False) + "\n" for line in lines)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "ab+") as file:
                if file.tell() and not _ends_whole(file):
                    file.write(b"\n")
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise FileProblem(f"cannot write {path}: {reason(error)}") from error

    def save(self, column: str, row: str, index: int, k: int, pixels: Pixels) -> str:
        """Write a picture as lossless WebP; return its name seen from the store's folder."""
        name = f"{PICTURES}/{column}/{row}/{index:03d}-{k}.webp"
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "WEBP", lossless=True, method=0)
        write_atomically(self.folder / name, data.getvalue())
        return name

    def picture(self, name: str) -> Pixels | None:
        """The pixels of a stored picture; None if it is gone or damaged."""
        try:
            with Image.open(self.folder / name) as picture:
                return np.asarray(picture.convert("RGB"))
        except OSError:
            return None

    def _path(self, column: str, row: str) -> Path:
        return self.folder / CELLS / column / f"{row}.jsonl"


def reading_as_json(reading: Reading) -> dict[str, Any]:
    """Numbers to five places; of named shares only those that are more than nothing, so that lines stay short."""
    things = [
        {key: _rounded(value) for key, value in asdict(thing).items() if value is not None} for thing in reading.things
    ]
    return {"things": things, "backgrounds": _rounded(reading.backgrounds)}


def reading_of_json(data: dict[str, Any]) -> Reading:
    return Reading(tuple(_detection(thing) for thing in data["things"]), data["backgrounds"])


def _detection(thing: dict[str, Any]) -> Detection:
    """From JSON, whose lists were tuples."""
    return Detection(**{key: tuple(value) if isinstance(value, list) else value for key, value in thing.items()})  # pyright: ignore[reportArgumentType]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    if isinstance(value, dict):
        return {name: round(share, 5) for name, share in value.items() if share >= 0.0005}
    return value


def _ends_whole(file: Any) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
