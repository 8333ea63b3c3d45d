"""Which models a person has: those that ship inside, those that were added, and checkpoints by their path. No torch.

Added models lie as cards in the folder `models` beneath the data folder; the weights stay where they are. The command
line says once where that is (`look_in`). A worker of the server follows no paths: its clients know names alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych.core.registry import Entry, Registry, builtin_folder
from triptych.open_weights.cards import entry_of


@dataclass(frozen=True)
class _Places:
    """home: the data folder, None where nobody said. paths: whether a model may be named by its path."""

    home: Path | None = None
    paths: bool = True


_places = _Places()


def look_in(home: Path | None, *, paths: bool) -> None:
    """Where this process finds a person's models from now on; said once, at its start."""
    global _places
    _places = _Places(home, paths)


class Installed(Registry):
    """A registry that also knows checkpoints by path. paths: whether it follows them."""

    def __init__(self, *, paths: bool = False) -> None:
        super().__init__()
        self.paths = paths

    def has(self, name: str) -> bool:
        return super().has(name) or (self.paths and is_path(name))

    def find(self, name: str) -> Entry:
        if self.paths and is_path(name) and not super().has(name):
            entry = entry_of(Path(name))
            self._entries[name] = entry
        return super().find(name)


def is_path(name: str) -> bool:
    """Whether a model's name is the path of a checkpoint, as it is where it begins or ends like one."""
    return name.startswith(("/", "./", "../", "~")) or name.endswith(".safetensors")


def registry() -> Registry:
    """All models that are there."""
    found = Installed(paths=_places.paths).add_folder(builtin_folder())
    return found
