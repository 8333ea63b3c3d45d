"""The record of a chain: one JSON file beside its pictures, that says how every one of them came about.

Written whole after each step, so that a chain that was stopped goes on where it was. A step is kept, not made again, if
it is the same work on the same pictures (its `key`) and its files still hold the pixels that the record says. What is
read may have been changed by anyone: it is checked, and what does not fit is made again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes, write_atomically
from triptych.core.pictures import open_picture
from triptych.core.pixels import pixels_sha256
from triptych.core.recipe import Recipe

FILE = "chain.json"
MAX_RECORD = 32 * 2**20
VERSION = 1


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Output(_Part):
    """file: its name in the chain's folder."""

    file: str = Field(pattern=r"^[^/\\]{1,200}$")
    pixels_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    recipe: Recipe


class Input(_Part):
    """Which picture went in as what: of a step, or a file of that name."""

    option: str
    source: str
    pixels_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Done(_Part):
    """One step that was carried out. key: of the work; see `key_of`. cost: US dollars."""

    name: str
    do: str
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    settings: dict[str, Any] = {}
    inputs: tuple[Input, ...] = ()
    outputs: tuple[Output, ...] = Field(min_length=1)
    notes: tuple[dict[str, str], ...] = ()
    cost: float = 0.0
    seconds: float = 0.0


class Record(_Part):
    """All steps so far, by name."""

    version: int = Field(default=VERSION, ge=1, le=VERSION)
    chain: str
    steps: dict[str, Done] = {}

    @property
    def cost(self) -> float:
        return sum(step.cost for step in self.steps.values())

    def with_step(self, done: Done) -> Record:
        return self.model_copy(update={"steps": {**self.steps, done.name: done}})

    def write(self, folder: Path) -> Path:
        data = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=1)
        return write_atomically(folder / FILE, data.encode() + b"\n")


def read(folder: Path, chain: str) -> Record:
    """The record in a folder, an empty one if there is none or it is of another chain's. `FileProblem` if damaged."""
    path = folder / FILE
    if not path.exists():
        return Record(chain=chain)
    try:
        found = Record.model_validate_json(read_bytes(path, MAX_RECORD))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise FileProblem(f"{path} is damaged at {where}: {first['msg']}; move it away to begin anew") from None
    return found if found.chain == chain else Record(chain=chain)


def key_of(do: str, settings: dict[str, Any], inputs: tuple[Input, ...], model: str | None) -> str:
    """The SHA-256 of all that decides what a step gives: its settings, its pictures and the weights of its model."""
    work = {
        "do": do,
        "settings": settings,
        "inputs": [[one.option, one.pixels_sha256] for one in inputs],
        "weights": model,
    }
    return hashlib.sha256(json.dumps(work, sort_keys=True, default=str).encode()).hexdigest()


def is_there(done: Done, folder: Path) -> bool:
    """Whether every picture of a step still lies in the folder with the pixels that the record says."""
    try:
        return all(sha256_of(folder / one.file) == one.pixels_sha256 for one in done.outputs)
    except FileProblem:
        return False


def sha256_of(path: Path) -> str:
    """The hash of a file's pixels."""
    return pixels_sha256(open_picture(path).pixels)
