"""Scenes encoded once, for the painters, so that they do not wait for the autoencoder or the tokenizer.

A pool is a folder of one flat array and its words that grows in chunks; `done.json` says how far, so that a build that
was cut short goes on where it stopped. Its name holds the source and the encoder's hash: other weights, another pool.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from triptych.core.plan import Plan, PlanObject
from triptych.training.data import Source, to_tensor

CHUNK = 256

Encode = Callable[[Tensor], Tensor]
"""Pictures (B, 3, H, W) in [-1, 1] to latents (B, C, h, w) or codes (B, h, w)."""


class Pool:
    """Read side: memory-mapped `targets` (n, ...), latents in fp16 or codes in int32, with captions and plans."""

    def __init__(self, folder: Path) -> None:
        self.count: int = json.loads((folder / "done.json").read_text())["count"]
        self.targets = np.load(folder / "targets.npy", mmap_mode="r")
        with (folder / "words.jsonl").open() as file:
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
        objects = tuple(PlanObject.model_construct(**fields) for fields in data["objects"])
        return Plan.model_construct(background=data["background"], light=data["light"], objects=objects)


def build(folder: Path, source: Source, count: int, encode: Encode, report: Callable[[str], None]) -> Pool:
    """Encode examples 0 ... count - 1 of the source into `folder`, or what of them is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    marker, words = folder / "done.json", folder / "words.jsonl"
    done = json.loads(marker.read_text())["count"] if marker.exists() else 0
    if done >= count:
        return Pool(folder)
    first = encode(to_tensor(source.example(0).pixels)[None])
    dtype = np.float16 if first.is_floating_point() else np.int32
    targets = _array(folder / "targets.npy", (count, *first.shape[1:]), dtype, done)
    kept = words.read_text().splitlines()[:done] if words.exists() else []
    with words.open("w") as file, torch.inference_mode():
        file.writelines(line + "\n" for line in kept)
        for start in range(done, count, CHUNK):
            stop = min(start + CHUNK, count)
            examples = [source.example(i) for i in range(start, stop)]
            pictures = to_tensor(np.stack([example.pixels for example in examples]))
            targets[start:stop] = encode(pictures).numpy()
            for example in examples:
                plan = example.plan.model_dump(mode="json") if example.plan else None
                file.write(json.dumps({"captions": example.captions, "plan": plan}) + "\n")
            file.flush()
            targets.flush()
            marker.write_text(json.dumps({"count": stop}))
            if start // CHUNK % 8 == 0:
                report(f"pool: {stop} of {count} encoded")
    return Pool(folder)


def _array(path: Path, shape: tuple[int, ...], dtype: Any, done: int) -> np.ndarray:
    """A memory-mapped array of `shape` that keeps the first `done` rows of what is already there."""
    if path.exists():
        old = np.load(path, mmap_mode="r")
        if old.shape == shape:
            return np.lib.format.open_memmap(path, mode="r+")
        kept = np.array(old[:done])
    else:
        kept = np.zeros((0, *shape[1:]), dtype)
    fresh = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    fresh[: len(kept)] = kept
    return fresh
