"""The image tower as a measure: equal pictures are alike, and a folder without a tower is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import FileProblem
from triptych.evals.likeness import Likeness


def test_a_picture_is_most_like_itself(tiny_folder: Path) -> None:
    likeness = Likeness.load(tiny_folder / "text")
    draw = np.random.default_rng(0)
    first, second = (draw.integers(0, 256, (40, 50, 3), dtype=np.uint8) for _ in range(2))
    assert likeness.similarity(first, first) == pytest.approx(1, abs=1e-5)
    assert likeness.similarity(first, second) < 1
    assert likeness.similarity(first, second) == pytest.approx(likeness.similarity(second, first), abs=1e-6)


def test_a_folder_without_a_tower_is_told(tiny_folder: Path) -> None:
    with pytest.raises(FileProblem, match="image tower"):
        Likeness.load(tiny_folder / "flow")
