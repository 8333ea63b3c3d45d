"""Sprites for the tests: drawn shapes need nothing; the glyphs need the system's font."""

from __future__ import annotations

from pathlib import Path

import pytest

from triptych.core.errors import FileProblem
from triptych.scenes import Sprites


@pytest.fixture(scope="session")
def shapes() -> Sprites:
    return Sprites.shapes()


@pytest.fixture(scope="session")
def glyphs(tmp_path_factory: pytest.TempPathFactory) -> Sprites:
    cache: Path = tmp_path_factory.mktemp("sprites") / "sprites.npz"
    try:
        return Sprites.load(cache=cache)
    except FileProblem as problem:
        pytest.skip(str(problem))
