"""`triptych bench table`: what it refuses before anything is loaded, and a whole run of a tiny model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from triptych.core.registry import Card

from .conftest import Outcome

Run = Callable[..., Outcome]
LAZY = """
import sys
from triptych.cli import main
code = main(["bench", "table", "--rows", "bindin"])
print("torch" in sys.modules, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--rows", "bindin"], "rows: 'bindin' is not known; did you mean 'binding'?"),
        (["--quality", "best"], "quality: 'best' is not known"),
        (["--plan", "maybe"], "plan: 'maybe' is not known"),
        (["--split", "test"], "split: 'test' is not known"),
        (["--seeds", "0"], "seeds: 0 is not allowed: 1 to 1000"),
        (["--prompts", "-1"], "prompts: -1 is not allowed"),
        (["--models", "flow,flow"], "models: 'flow' is given twice"),
        (["--models", "../x"], "models: '../x' is not allowed as a name"),
        (["--quick", "--write-cards"], "write_cards: needs the report split with all prompts"),
        (["--split", "development", "--write-cards"], "write_cards: needs the report split"),
        (["--plan", "without", "--write-cards"], "write_cards: needs the report split"),
    ],
)
def test_what_is_refused(run: Run, weights: Path, arguments: list[str], told: str) -> None:
    done = run("bench", "table", *arguments)
    assert done.code == 2
    assert told in done.err
    assert done.out == ""


def test_a_refusal_loads_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LAZY], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "False"


@pytest.mark.parametrize("models", ["flo", "here=nowhere"])
def test_a_model_that_is_not_there(run: Run, weights: Path, models: str) -> None:
    assert run("bench", "table", "--models", models).code == 3


@pytest.fixture
def bare(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy of the tiny models that may be written to."""
    root = tmp_path / "models"
    shutil.copytree(tiny_folder, root, symlinks=False)
    return root


def test_a_run_of_a_tiny_model_writes_its_files_and_cards(
    run: Run, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Tiny readers find nothing even on true renders; such a row would stand on no card.
    monkeypatch.setattr("triptych.evals.table.build.LEAST_CEILING", 0.0)
    out = tmp_path / "table"
    options = ("--rows", "single", "--seeds", 1, "--quality", "low", "--plan", "with", "--reader", bare / "readers")
    done = run("bench", "table", "--models", f"mine={bare / 'flow'}", *options, "--out", out, "--write-cards", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert [column["id"] for column in document["columns"]] == ["mine"]
    assert document == json.loads((out / "table.json").read_text())
    assert (out / "index.html").is_file()
    assert "mine  single  " in done.err
    assert Card.read(bare / "flow").scores == {"single": document["rows"][0]["scores"][0]["cells"]["mine"]["value"]}

    again = run("bench", "table", "--models", f"mine={bare / 'flow'}", *options, "--out", out)
    assert again.code == 0
    assert "mine  single  " not in again.err  # everything was there
    assert again.out.startswith("SCORES\n")


@pytest.mark.weights
@pytest.mark.font
@pytest.mark.slow
def test_a_quick_cell_of_the_built_in_flow_model(run: Run, tmp_path: Path) -> None:
    """The reader finds what the model painted: more than half of a few single things."""
    done = run(
        "bench", "table", "--quick", "--models", "flow", "--rows", "single", "--out", tmp_path, "--prompts", 6, "--json"
    )
    assert done.code == 0, done.err
    cells = json.loads(done.out)["rows"][0]["scores"][0]["cells"]
    assert cells["flow"]["value"] > 0.5
    assert cells["renders"]["value"] > 0.8
