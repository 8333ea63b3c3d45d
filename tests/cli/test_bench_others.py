"""`triptych bench memory` and `bench sampling`: what they refuse, and whole small runs with the built-in models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Outcome

Run = Callable[..., Outcome]


@pytest.mark.parametrize("command", ["memory", "sampling"])
def test_a_model_that_is_not_there(run: Run, weights: Path, command: str) -> None:
    done = run("bench", command, "--models", "flo")
    assert done.code == 3
    assert "there is no model 'flo'" in done.err


def test_a_part_has_no_memory(run: Run, weights: Path) -> None:
    done = run("bench", "memory", "--models", "planner", "--pictures", "8")
    assert done.code in (2, 3)
    assert "planner" in done.err


@pytest.mark.weights
@pytest.mark.font
@pytest.mark.slow
def test_the_flow_model_does_not_copy(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small part of its training pictures and a few fresh scenes: the command, its figures and its sheet."""
    from triptych.cli import bench_memory

    whole = bench_memory._trained_on
    monkeypatch.setattr(bench_memory, "_trained_on", lambda card: (*whole(card)[:3], 500))
    done = run("bench", "memory", "--models", "flow", "--pictures", "8", "--out", str(tmp_path), "--json")
    assert done.code == 0
    figures = json.loads(done.out)["flow"]
    assert figures["training_pictures"] == 500
    assert 0.7 < figures["ratio_to_fresh"] < 1.4
    assert (tmp_path / "flow.png").stat().st_size > 10_000
