"""Where examples come from: the built-in scenes, or a folder of captioned pictures.

A source answers `example(i)` for any i >= 0, always the same for the same i, so that a run's place in the data is one
number. Knows nothing of models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.scenes import LEVELS, Sprites, caption, render, sample_scene

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True)
class Example:
    """A picture, captions that are all true of it (the first dense, the last short), and its plan where it is known."""

    pixels: Pixels
    captions: tuple[str, ...]
    plan: Plan | None


class Source(Protocol):
    """`name` tells sources apart on disk."""

    name: str

    def example(self, index: int) -> Example: ...

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        """A caption and the plan, without the cost of the picture."""
        ...


class SceneSource:
    """The endless book of scenes of one level. Training never sees the held-out combinations."""

    def __init__(self, level: str, size: int, seed: int, sprites: Sprites) -> None:
        self.level, self.size, self.seed, self.sprites = LEVELS[level], size, seed, sprites
        self.name = f"scenes-{level}-{size}-{seed}"

    def example(self, index: int) -> Example:
        scene = sample_scene(self.level, self.seed, index)
        captions = (*(caption(scene, seed) for seed in range(3)), caption(scene, 3, style="short"))
        return Example(render(scene, self.size, self.sprites), captions, scene.plan())

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        scene = sample_scene(self.level, self.seed, index)
        return caption(scene, index % 7), scene.plan()


class FolderSource:
    """Pictures of a folder, each with its caption in `NAME.txt` beside it or in `captions.jsonl` ({"file", "caption"}).

    They are cropped to a square in the middle and scaled. Read in sorted order, again and again.
    """

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self.files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
        if not self.files:
            raise FileProblem(f"data: no pictures (png, jpg, webp) in {folder}")
        self.captions = self._listed(folder)
        missing = [path.name for path in self.files if not self._caption(path)]
        if missing:
            raise FileProblem(f"data: {len(missing)} pictures have no caption, among them {missing[0]}; "
                              "write it to a .txt file of the same name or to captions.jsonl")  # fmt: skip
        self.name = f"folder-{folder.name}-{size}-{len(self.files)}"

    @staticmethod
    def _listed(folder: Path) -> dict[str, str]:
        path = folder / "captions.jsonl"
        if not path.exists():
            return {}
        try:
            rows = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
            return {str(row["file"]): str(row["caption"]) for row in rows}
        except (ValueError, KeyError, TypeError) as error:
            raise FileProblem(f'data: {path} is not lines of {{"file": ..., "caption": ...}}: {error}') from error

    def _caption(self, path: Path) -> str:
        beside = path.with_suffix(".txt")
        return beside.read_text().strip() if beside.exists() else self.captions.get(path.name, "")

    def example(self, index: int) -> Example:
        path = self.files[index % len(self.files)]
        try:
            with Image.open(path) as picture:
                rgb = picture.convert("RGB")
        except (OSError, ValueError) as error:
            raise FileProblem(f"data: {path} is not a readable picture: {error}") from error
        side = min(rgb.size)
        left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
        square = rgb.crop((left, top, left + side, top + side)).resize((self.size, self.size), Image.Resampling.LANCZOS)
        return Example(np.asarray(square), (self._caption(path),), None)

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        return self._caption(self.files[index % len(self.files)]), None


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(127.5).sub_(1).movedim(-1, -3)


def picture_batch(source: Source, step: int, size: int) -> Tensor:
    """Pictures step * size ... of the source: (size, 3, H, W) in [-1, 1]."""
    return to_tensor(np.stack([source.example(step * size + i).pixels for i in range(size)]))
