"""Checkpoints with random weights in the public layouts, written once per session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("diffusers")
pytest.importorskip("transformers")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a checkpoint of `evals.parity.checkpoints`, by its name. Not to be changed: copy it."""
    from triptych.evals.parity.checkpoints import CHECKPOINTS, SHAPED

    root = tmp_path_factory.mktemp("checkpoints")

    def folder_of(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            (CHECKPOINTS | SHAPED)[name](folder)
        return folder

    return folder_of
