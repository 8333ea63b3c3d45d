"""Outpainting with the built-in models, from the command line to the replay."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.cli import main

pytestmark = pytest.mark.weights


@pytest.mark.parametrize(("model", "edge"), [("flow", "left=32,top=16"), ("tokens", "right=32")])
def test_a_picture_is_continued_and_made_again(
    model: str, edge: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    first, second = tmp_path / "fox.png", tmp_path / "wide.png"
    quick = [] if model == "tokens" else ["--quality", "low"]
    assert main(["generate", "a fox in the snow", "--seed", "1", "--quality", "low", "--out", str(first)]) == 0
    capsys.readouterr()
    arguments = ["outpaint", str(first), "--extend", edge, "-m", model, "--seed", "2", *quick]
    assert main([*arguments, "--out", str(second), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["outpaint"]["source_changed_pixels"] == 0
    assert told["outpaint"]["seam_error"] < 1
    assert told["plan"]["background"] == "snow"
    assert [item["noun"] for item in told["plan"]["objects"]] == ["fox"]
    before, after = (np.asarray(Image.open(path)) for path in (first, second))
    x, y = (32, 16) if model == "flow" else (0, 0)
    assert np.array_equal(after[y : y + 128, x : x + 128], before)
    assert main(["replay", str(second), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "exact"
