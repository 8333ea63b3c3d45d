"""Full checkpoints: everything that the next step depends on, so that resuming equals never having stopped.

A checkpoint is one file, written beside its place and renamed into it: a kill leaves the old one or the new one.
It is our own file on our own disk, read with `weights_only=True`; models for others are exported as safetensors.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from triptych.core.errors import FileProblem
from triptych.core.files import reason


def save(path: Path, state: dict[str, Any]) -> None:
    """Write atomically: temporary file, fsync, rename."""
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch's archive writer turns a full disk into a RuntimeError
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        why = _system_error(error)
        raise FileProblem(
            f"the checkpoint {path} could not be written: {reason(why) if why else error}; the one before is untouched"
        ) from error


def _system_error(error: BaseException | None) -> OSError | None:
    """The system's own word in a chain of errors."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint; a missing or truncated one is a `FileProblem`."""
    if not path.exists():
        raise FileProblem(f"there is no checkpoint at {path}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a truncated file
        raise FileProblem(f"the checkpoint {path} cannot be read: it is truncated or not a checkpoint") from error
