"""Saved states on the disk, one file per picture under way: `states/<job>-<index>.safetensors`.

They save work and nothing else: one that is missing or damaged costs the steps that it held, so they are renamed into
place but not flushed, and a disk that is full is no reason to fail a job. What is in them is the worker's business.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

MAX_BYTES = 64 * 2**20

log = logging.getLogger(__name__)


class States:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, job: str, index: int, data: bytes) -> None:
        path = self._path(job, index)
        part = path.with_suffix(".part")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            os.replace(part, path)
        except OSError as error:
            log.warning("the state of job %s is not saved: %s", job, error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def of(self, job: str) -> dict[int, bytes]:
        """index -> state, of every picture of the job that has one."""
        found: dict[int, bytes] = {}
        for path in self.folder.glob(f"{job}-*.safetensors"):
            with contextlib.suppress(OSError, ValueError):
                if path.stat().st_size <= MAX_BYTES:
                    found[int(path.stem.rpartition("-")[2])] = path.read_bytes()
        return found

    def drop(self, job: str, index: int | None = None) -> None:
        """Forget the state of one picture, or of all of the job."""
        paths = self.folder.glob(f"{job}-*.*") if index is None else [self._path(job, index)]
        for path in paths:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    @property
    def jobs(self) -> set[str]:
        """Of which jobs there are states."""
        return {path.stem.rpartition("-")[0] for path in self.folder.glob("*.*")}

    def _path(self, job: str, index: int) -> Path:
        return self.folder / f"{job}-{index}.safetensors"
