"""Whole commands over real, tiny models: where they lie, and what a command leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from triptych import api, library
from triptych.cli import main
from triptych.core import registry


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


Run = Callable[..., Outcome]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run one command line in this process."""

    def call(*arguments: object) -> Outcome:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def tiny_place(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, a data folder of its own, and the tiny models where the built-in ones lie."""
    point_at(tiny_folder, monkeypatch)
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield work
    api.library.cache_clear()


def point_at(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models of a folder stand for the built-in ones."""
    for module in (registry, library):
        monkeypatch.setattr(module, "builtin_folder", lambda: folder)
    api.library.cache_clear()
