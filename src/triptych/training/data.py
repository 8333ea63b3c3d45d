"""Where examples come from: the built-in scenes, or a folder of captioned pictures.

A source answers `example(i)` for any i >= 0, always the same for the same i, so that a run's place in the data is one
number. Knows nothing of models.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.scenes import LEVELS, Sprites, caption, named_order, render, sample_scene

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True)
class Example:
    """A picture, captions that are all true of it (the first dense, the last short), and its plan where it is known."""

    pixels: Pixels
    captions: tuple[str, ...]
    plan: Plan | None


class Pictures(Protocol):
    """`name` tells sources apart on disk."""

    name: str

    def example(self, index: int) -> Example: ...


class Source(Pictures, Protocol):
    """Pictures whose words can be had alone."""

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
        """The plan lists things as the caption names them, so that the first side said is the first thing's."""
        scene = sample_scene(self.level, self.seed, index)
        text = caption(scene, index % 7)
        return text, scene.plan(named_order(scene, text))


class FolderSource:
    """Pictures of a folder, each with its caption in `NAME.txt` beside it or in `captions.jsonl` ({"file", "caption"}).

    They are turned upright, cropped to a square in the middle and scaled. Read in sorted order, again and again. Of a
    hundred pictures or more every twentieth is held out for validation; of fewer all are used for both. default: the
    caption of a picture that has none; without one such a picture is a `FileProblem`.
    """

    def __init__(self, folder: Path, size: int, *, held_out: bool = False, default: str = "") -> None:
        self.size = size
        paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        if not paths:
            raise FileProblem(f"data: no pictures (png, jpg, webp) in {folder}")
        listed = _listed(folder / "captions.jsonl")
        captions = [_beside(path) or listed.get(path.relative_to(folder).as_posix(), default) for path in paths]
        missing = [path for path, caption in zip(paths, captions, strict=True) if not caption]
        if missing:
            raise FileProblem(
                f"data: {len(missing)} of {len(paths)} pictures have no caption, among them {missing[0]}; "
                "write it to a .txt file of the same name or to captions.jsonl"
            )
        self.items = list(zip(paths, captions, strict=True))
        facts = [(path.relative_to(folder).as_posix(), path.stat().st_size, caption) for path, caption in self.items]
        digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
        self.name = f"folder-{folder.resolve().name}-{size}-{digest[:8]}"
        if len(self.items) >= 100:
            self.items = [item for place, item in enumerate(self.items) if (place % 20 == 19) == held_out]

    def example(self, index: int) -> Example:
        path, caption = self.items[index % len(self.items)]
        try:
            with Image.open(path) as picture:
                rgb = ImageOps.exif_transpose(picture).convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise FileProblem(f"data: {path} is not a readable picture: {error}") from error
        side = min(rgb.size)
        left, top = (rgb.width - side) // 2, (rgb.height - side) // 2
        square = rgb.crop((left, top, left + side, top + side)).resize((self.size, self.size), Image.Resampling.LANCZOS)
        return Example(np.array(square), (caption,), None)

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        return self.items[index % len(self.items)][1], None


def _beside(path: Path) -> str:
    """The caption in the text file of the picture's name, or nothing."""
    text = path.with_suffix(".txt")
    try:
        return " ".join(text.read_text(encoding="utf-8").split()) if text.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"data: {text} is not UTF-8 text: {error}") from error


def _listed(path: Path) -> dict[str, str]:
    """File (relative to the folder) -> caption."""
    if not path.exists():
        return {}
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {str(row["file"]): str(row["caption"]).strip() for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileProblem(f'data: {path} is not lines of {{"file": ..., "caption": ...}}: {error!r}') from error


def to_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).float().div_(127.5).sub_(1).movedim(-1, -3)


def picture_batch(source: Source, step: int, size: int, rows: range | None = None) -> Tensor:
    """Pictures step * size ... of the source, or `rows` of them: (size or rows, 3, H, W) in [-1, 1]."""
    return to_tensor(np.stack([source.example(step * size + row).pixels for row in rows or range(size)]))
