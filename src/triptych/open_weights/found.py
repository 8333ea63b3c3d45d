"""What was found on the disk: a checkpoint with its parts, each with its configuration, its files and their tensors.

Made by `folders` (diffusers' layout) and `single` (one file); read by `cards` and `loading`. No torch, no network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych.core.weights import TensorInfo


@dataclass(frozen=True)
class Fused:
    """Several tensors of the network that lie in one of the file, their rows one after the other."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Turned:
    """A matrix that lies in the file with rows and columns swapped."""

    name: str


Rename = Callable[[str], "str | Fused | Turned | None"]
"""A tensor's name in its file -> its name in the network here; None where it is of another part or of none."""


@dataclass(frozen=True)
class Part:
    """A network of a checkpoint, or something beside one, such as a tokenizer or a scheduler.

    kind: diffusers' or transformers' class, from the allow-list. files: its weights. tensors: what their headers say.
    rename: None where names are the network's own. folder: where files of other kinds lie (vocabularies).
    pad: the token that a text tower without a vocabulary of its own is filled up with.
    """

    kind: str
    config: dict[str, Any] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    tensors: dict[str, TensorInfo] = field(default_factory=dict)
    rename: Rename | None = None
    folder: Path | None = None
    pad: str | None = None

    @property
    def bytes(self) -> int:
        """Of its weights, as they are stored."""
        return sum(tensor.bytes for tensor in self.tensors.values())

    @property
    def numbers(self) -> int:
        """How many weights it has."""
        return sum(_count(tensor.shape) for tensor in self.tensors.values())


@dataclass(frozen=True)
class Checkpoint:
    """path: the folder or file. pipeline: diffusers' name of the whole, from the allow-list. options: its settings."""

    path: Path
    pipeline: str
    parts: dict[str, Part]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """All weight files, each once, in a fixed order."""
        return tuple(dict.fromkeys(file for part in self.parts.values() for file in part.files))


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
