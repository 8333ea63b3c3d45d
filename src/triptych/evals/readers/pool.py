"""The readers' pool: renders and round trips of their first scenes, made once and read from the disk.

A folder with one memory-mapped array that grows in chunks; `done.json` says how far, so that a build that was cut short
goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from triptych.core.errors import FileProblem
from triptych.core.files import reason, write_atomically
from triptych.evals.readers.trips import WAYS, Trips
from triptych.evals.readers.worlds import picture, reader_scene
from triptych.scenes import Level, Sprites

CHUNK = 64


def build(
    folder: Path, level: Level, size: int, seed: int, count: int, sprites: Sprites, trips: Trips,
    report: Callable[[str], None],
) -> npt.NDArray[np.uint8]:  # fmt: skip
    """Scenes 0 ... count - 1 as render and both trips, (count, 3, size, size, 3); makes what is missing."""
    path, marker = folder / "pictures.npy", folder / "done.json"
    shape = (count, 1 + len(WAYS), size, size, 3)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = json.loads(marker.read_text())["count"] if marker.exists() else 0
        if not path.exists() or np.load(path, mmap_mode="r").shape != shape:
            done = 0  # a pool of another length: scenes and harm are told by their index, not by the length
            marker.unlink(missing_ok=True)
            np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape).flush()
        pictures = np.lib.format.open_memmap(path, mode="r+")
        for start in range(done, count, CHUNK):
            stop = min(start + CHUNK, count)
            drawn = np.stack([picture(reader_scene(level, seed, i), size, sprites) for i in range(start, stop)])
            harm = np.random.Generator(np.random.Philox(key=np.array([seed, start], dtype=np.uint64)))
            pictures[start:stop, 0], pictures[start:stop, 1:] = drawn, trips.both(drawn, harm)
            pictures.flush()
            write_atomically(marker, json.dumps({"count": stop}).encode())
            if start // CHUNK % 16 == 0 or stop == count:
                report(f"readers' pool: {stop:,} of {count:,} scenes there and back")
    except (OSError, ValueError, KeyError) as error:
        told = reason(error) if isinstance(error, OSError) else error
        raise FileProblem(f"the readers' pool {folder} could not be written: {told}; it can be made anew") from error
    return np.load(path, mmap_mode="r")
