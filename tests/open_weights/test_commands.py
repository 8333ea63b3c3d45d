"""A checkpoint from the command line: the same doors as a built-in model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from triptych.cli.app import app
from triptych.core.readers import read_recipe


def test_a_folder_paints_by_its_path(checkpoint: Callable[[str], Path], tmp_path: Path) -> None:
    folder, out = checkpoint("sd1"), tmp_path / "fox.png"
    asked = ["generate", "a fox " * 90, "-m", str(folder), "--seed", "3", "--steps", "2", "-o", str(out), "--json"]
    result = CliRunner().invoke(app, asked)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert [note["text"] for note in told["notes"]] == ["only the first 75 tokens are read; the rest was cut"]
    recipe = read_recipe(out)
    assert (recipe.model, recipe.family, recipe.request.plan if recipe.request else "") == (
        str(folder),
        "diffusion",
        None,
    )
