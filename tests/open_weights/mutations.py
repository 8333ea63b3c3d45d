"""Checkpoints with something changed at random: bytes of weights and headers, values of configurations.

Each is opened as `loading` opens it, part by part. A change may be harmless (a weight that is another number); then the
part loads. Every other is refused with a `FileProblem`. Anything else is a hole.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from triptych.core.errors import FileProblem
from triptych.open_weights.cards import entry_of, open_checkpoint
from triptych.open_weights.folders import config_of
from triptych.open_weights.loading import _unet, load, load_vae
from triptych.open_weights.noise import diffusion_of

VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**30, 0.5, -1e308, float("nan"), float("inf"), "", "x", "../..", "\0",
    "\u202e", "os.system", "__import__('os')", [], {}, [[]], [0], [-1], [2**40], ["a", "b"], {"a": {"a": {}}},
    ["os", "system"], ["diffusers", "UNet2DConditionModel"], [None, None], "A" * 5000,
]  # fmt: skip
JSON = ("model_index.json", "unet/config.json", "vae/config.json", "scheduler/scheduler_config.json")
WEIGHTS = ("unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors")


class Mutations:
    """Makes them one after the other in one folder, and puts it right again."""

    def __init__(self, good: Path, folder: Path, seed: int) -> None:
        self.folder = Path(shutil.copytree(good, folder))
        self.chance = random.Random(seed)
        self.good = {name: (good / name).read_bytes() for name in (*JSON, *WEIGHTS)}
        self.outcomes: Counter[str] = Counter()
        self.reasons: set[str] = set()
        self.longest = 0.0

    def run(self, count: int) -> None:
        for _ in range(count):
            name = self.chance.choice((*JSON, *WEIGHTS, *WEIGHTS))
            data = self.good[name]
            changed = self._json(data) if name in JSON and self.chance.random() < 0.8 else self._bytes(data)
            (self.folder / name).write_bytes(changed)
            started = time.process_time()
            self.outcomes[self._outcome(name)] += 1
            self.longest = max(self.longest, time.process_time() - started)
            (self.folder / name).write_bytes(data)

    def _outcome(self, name: str) -> str:
        try:
            found = open_checkpoint(self.folder)
            if name == "model_index.json":
                return "harmless"
            if name.startswith("scheduler"):
                diffusion_of(config_of(found.parts["scheduler"], found.path, "scheduler"))
            elif name.startswith("unet"):
                _unet(found, torch.float32)
            else:
                load_vae(found, torch.float32)
        except FileProblem as error:
            self.reasons.add(str(error).split(":")[0][:60])
            return "refused"
        return "harmless"

    def _json(self, data: bytes) -> bytes:
        found = json.loads(data)
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            key = self.chance.choice(sorted(found)) if found else "x"
            value = self.chance.choice(VALUES)
            kind = self.chance.randrange(4)
            if kind == 0:
                found.pop(key, None)
            elif kind == 1 and isinstance(found.get(key), list) and found[key]:
                found[key][self.chance.randrange(len(found[key]))] = value
            elif kind == 2:
                found[self.chance.choice([f"{key}_", "__class__", "auto_map", "../x", "\x1b[2J"])] = value
            else:
                found[key] = value
        return json.dumps(found).encode()

    def _bytes(self, data: bytes) -> bytes:
        changed = bytearray(data)
        # Most of the damage goes where decisions are made: the length, and the header behind it.
        reach = self.chance.choice((8, 64, 4096, 40_000, len(changed)))
        for _ in range(self.chance.choice((1, 1, 2, 8, 64))):
            place = self.chance.randrange(min(reach, len(changed)) or 1)
            kind = self.chance.randrange(5)
            if not changed:
                break
            if kind == 0:
                changed[place] ^= 1 << self.chance.randrange(8)
            elif kind == 1:
                changed[place] = self.chance.choice((0, 9, 34, 44, 45, 48, 57, 91, 93, 123, 125, 255))
            elif kind == 2:
                del changed[place : place + self.chance.choice((1, 4, 100))]
            elif kind == 3:
                changed[place:place] = self.chance.randbytes(self.chance.choice((1, 4, 100)))
            else:
                end = place + self.chance.choice((1, 8, 64))
                changed[place:place] = changed[place:end]
        return bytes(changed[: self.chance.randrange(len(changed))]) if self.chance.random() < 0.05 else bytes(changed)


def loads_again(folder: Path) -> None:
    """After all of it the good one is as good as before, in the same process."""
    load("good", entry_of(folder))
