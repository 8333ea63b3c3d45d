"""Scenes encoded once, for the painters, so that they do not wait for the autoencoder or the tokenizer.

A pool is a folder of one flat array and its words that grows in chunks; `done.json` says how far, so that a build that
was cut short goes on where it stopped. Its name holds the source and the encoder's hash: other weights, another pool.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.files import reason, write_atomically
from triptych.core.plan import Plan, PlanObject
from triptych.training.data import Pictures, to_tensor
from triptych.training.prefetch import prefetched

CHUNK = 256

Encode = Callable[[Tensor], Tensor]
"""Pictures (B, 3, H, W) in [-1, 1] to latents (B, C, h, w) or codes (B, h, w)."""


class Pool:
    """Read side: memory-mapped `targets` (n, ...), latents in fp16 or codes in int32, with captions and plans."""

    def __init__(self, folder: Path) -> None:
        self.count: int = json.loads((folder / "done.json").read_text())["count"]
        self.targets = np.load(folder / "targets.npy", mmap_mode="r")
        with (folder / "words.jsonl").open(encoding="utf-8") as file:
            self._words = [json.loads(line) for _, line in zip(range(self.count), file, strict=False)]

    def __len__(self) -> int:
        return self.count

    def captions(self, item: int) -> list[str]:
        return self._words[item]["captions"]

    def plan(self, item: int) -> Plan | None:
        """Our own file is not validated again: that would cost more than the rest of a batch."""
        data = self._words[item]["plan"]
        if data is None:
            return None
        objects = tuple(
            PlanObject.model_construct(**(fields | {"box": tuple(fields["box"])})) for fields in data["objects"]
        )
        return Plan.model_construct(background=data["background"], light=data["light"], objects=objects)


def build(
    folder: Path, source: Pictures, count: int, encode: Encode, report: Callable[[str], None], workers: int = 0
) -> Pool:
    """Encode examples 0 ... count - 1 of the source into `folder`, or what of them is missing.

    `workers` processes draw the pictures. `FileProblem` if the disk has no room for all of them.
    """
    marker, words = folder / "done.json", folder / "words.jsonl"
    done = json.loads(marker.read_text())["count"] if marker.exists() else 0
    if done >= count:
        return Pool(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with torch.inference_mode():
            first = encode(to_tensor(source.example(0).pixels)[None])
        dtype = np.dtype(np.float16 if first.is_floating_point() else np.int32)
        targets = _array(folder / "targets.npy", (count, *first.shape[1:]), dtype, done)
        _keep_lines(words, done)
        with words.open("a", encoding="utf-8") as file, torch.inference_mode():
            starts = range(done, count, CHUNK)
            for start, (pixels, lines) in zip(starts, prefetched(_Chunks(source, count), starts, workers), strict=True):
                stop = start + len(lines)
                targets[start:stop] = encode(to_tensor(pixels)).numpy()
                file.writelines(lines)
                file.flush()
                targets.flush()
                write_atomically(marker, json.dumps({"count": stop}).encode())
                if start // CHUNK % 8 == 0 or stop == count:
                    report(f"pool: {stop:,} of {count:,} encoded")
    except OSError as error:
        raise FileProblem(f"the pool {folder} could not be written: {reason(error)}; it can be resumed") from error
    return Pool(folder)


class _Chunks:
    """First number of a chunk -> its pictures (n, H, W, 3) uint8, and a line of words for each."""

    def __init__(self, source: Pictures, count: int) -> None:
        self.source, self.count = source, count

    def __call__(self, start: int) -> tuple[np.ndarray, list[str]]:
        examples = [self.source.example(i) for i in range(start, min(start + CHUNK, self.count))]
        lines = [
            json.dumps({"captions": example.captions, "plan": example.plan and example.plan.model_dump(mode="json")})
            for example in examples
        ]
        return np.stack([example.pixels for example in examples]), [line + "\n" for line in lines]


def _keep_lines(path: Path, count: int) -> None:
    """Cut what a kill left behind the first `count` lines."""
    if not path.exists():
        return
    with path.open("rb+") as file:
        for _ in range(count):
            file.readline()
        file.truncate(file.tell())


def _array(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], done: int) -> np.memmap:
    """A memory-mapped array of `shape` with the first `done` rows of what is already there.

    A larger one is made beside the old one and renamed into its place: a kill loses nothing that was encoded.
    """
    if path.exists() and np.load(path, mmap_mode="r").shape == shape:
        return np.lib.format.open_memmap(path, mode="r+")
    needed = int(np.prod(shape)) * dtype.itemsize
    free = shutil.disk_usage(path.parent).free
    if free < needed:  # a mapped file is sparse, and running out of disk later would be a bus error
        raise FileProblem(f"the pool {path.parent} takes {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free")
    temporary = path.with_suffix(".tmp")
    fresh = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
    if done:
        old = np.load(path, mmap_mode="r")
        for start in range(0, done, CHUNK):
            fresh[start : min(start + CHUNK, done)] = old[start : min(start + CHUNK, done)]
    fresh.flush()
    temporary.replace(path)
    return fresh
