"""A table in miniature: the tiny models, drawn shapes, and a reader that knows true renders by heart."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from triptych.cli.subjects import subject
from triptych.core.events import Pixels
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows import ROWS, prompts, truth
from triptych.evals.table.subjects import Subject
from triptych.scenes import LEVELS, Sprites, render

from ..oracle import oracle

SHAPES = LEVELS["shapes"]
SIDE = 64
ASKED = 4


@dataclass
class KnowingReader:
    """Reads true renders without fault and sees a faint circle in everything else. `calls` counts pictures."""

    sha256: str = "a" * 64
    calls: int = 0
    known: dict[str, Reading] = field(default_factory=dict)

    def learn(self, sprites: Sprites) -> None:
        for row in ROWS:
            if ROWS[row].lacks(SHAPES):
                continue
            for prompt in prompts(row, SHAPES)[:ASKED]:
                for k in range(2):
                    scene = truth(prompt, SHAPES, k)
                    self.known[_hash(render(scene, SIDE, sprites))] = oracle(scene)

    def read(self, pictures: Sequence[Pixels]) -> list[Reading]:
        self.calls += len(pictures)
        nothing = Reading((Detection("circle", 0.2, (0.1, 0.1, 0.5, 0.5), {}),), {"plain": 1.0})
        return [self.known.get(_hash(pixels), nothing) for pixels in pictures]


def _hash(pixels: Pixels) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


@pytest.fixture(scope="session")
def shapes() -> Sprites:
    return Sprites.shapes()


@pytest.fixture
def reader(shapes: Sprites) -> KnowingReader:
    made = KnowingReader()
    made.learn(shapes)
    return made


@pytest.fixture(scope="session")
def tiny_subject(tiny_folder: Path) -> Callable[[str], Subject]:
    """A tiny model as a subject of the table."""
    return lambda name, label=None: subject(label or name, tiny_folder / name)  # type: ignore[misc]
