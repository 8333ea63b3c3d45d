"""`triptych bench seams`: figures of cases that are done are told without painting, as tables, and on the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from triptych.cli.bench_seams import PAGE
from triptych.cli.pages import END

from .conftest import Outcome

Run = Callable[..., Outcome]
SIZE = {"correct": 1.0, "seam_error": 1.25, "local": 1.1, "grid": 1.2, "against_grid": 1.04}
REGION = {"landed": 1.0, "right": 0.5, "both": 0.0}


@pytest.fixture
def done_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which an earlier run left five cases of everything."""
    for label, figures in (("256x128", SIZE), ("regions", REGION), ("one-prompt", REGION)):
        lines = [json.dumps({"number": number, **figures}) + "\n" for number in range(5)]
        (tmp_path / f"flow-low-{label}.jsonl").write_text("".join(lines))
    (tmp_path / "docs").mkdir()
    (tmp_path / PAGE.path).write_text(f"# Seams\n\n{PAGE.begin}\n\n{END}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def seams(run: Run, folder: Path, *more: str) -> Outcome:
    return run(
        "bench", "seams", "--models", "flow", "--cases", "5", "--quality", "low", "--parts", "sizes,regions",
        "--sizes", "256x128", "--out", str(folder), "--quiet", *more,
    )  # fmt: skip


@pytest.mark.weights
def test_tables_are_told_and_written(run: Run, done_before: Path) -> None:
    done = seams(run, done_before, "--write")
    assert done.code == 0
    assert "| `flow` | 256x128 | 1.000 (1.000 to 1.000) | 1.250 (1.250 to 1.250) |" in done.out
    assert "| `flow` | one prompt | 1.000 (1.000 to 1.000) | 0.500 (0.500 to 0.500) |" in done.out
    assert done.out.strip() in (done_before / PAGE.path).read_text()


@pytest.mark.weights
def test_one_json_object(run: Run, done_before: Path) -> None:
    told = json.loads(seams(run, done_before, "--json").out)
    assert told["models"]["flow"]["256x128"]["against_grid"] == [1.04, 1.04, 1.04]
    assert told["models"]["flow"]["256x128"]["below_own_gradient"] == 0


def test_a_page_without_a_place_is_refused_before_anything_is_painted(run: Run, done_before: Path) -> None:
    (done_before / PAGE.path).write_text("# Seams\n")
    done = seams(run, done_before, "--write")
    assert done.code == 3
    assert "no place for figures" in done.err
