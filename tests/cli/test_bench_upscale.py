"""`triptych bench upscale` over tiny models: every line of the table, the sheets, and the renders of drafts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.cli import bench_upscale
from triptych.core import registry
from triptych.library import Library

from .conftest import Outcome

Run = Callable[..., Outcome]
pytestmark = pytest.mark.font


@pytest.fixture(autouse=True)
def models(tiny_library: Library, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tiny models in the place of the built-in ones, and small pictures."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    monkeypatch.setattr(registry, "builtin_folder", lambda: tiny_folder)
    monkeypatch.setattr(bench_upscale, "SIDES", {4: 64, 2: 32})
    monkeypatch.setattr(bench_upscale, "SPEED_SIDE", 64)
    monkeypatch.chdir(tmp_path)


def test_the_table_has_a_line_for_every_way(run: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "mine" / "a.png")
    done = run("bench", "upscale", "--pictures", "2", "--data", "mine", "--out", "sheets", "--json", "--quiet")
    assert (done.code, done.err) == (0, "")
    told = json.loads(done.out)
    lines = {(line["kind"], line["scale"], line["filter"], line["way"]): line for line in told["quality"]}
    for kind in ("scenes", "page", "leaves", "mine"):
        for scale in (2, 4):
            assert lines[kind, scale, "bicubic", "lanczos"]["gain"]["value"] == 0
            assert lines[kind, scale, "bicubic", "upscaler"]["psnr"]["value"] > 5
    assert ("trips", 4, "bicubic", "upscaler") in lines
    assert ("scenes", 2, "area", "upscaler") in lines
    assert ("scenes", 4, "bicubic", "as 2x of 2x") in lines
    assert ("scenes", 2, "bicubic", "as 2x of 2x") not in lines
    assert told["speed"]["seconds"] >= 0
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == {"x2.png", "x4.png"}
    assert "renders" not in told


def test_drafts_are_rendered_in_each_way_that_a_model_has(run: Run, tmp_path: Path) -> None:
    done = run("bench", "upscale", "--pictures", "1", "--renders", "1", "--out", "sheets", "--quiet")
    assert done.code == 0, done.err
    rows = [line.split("  ")[0] for line in done.out.splitlines() if "things found again" in line]
    assert [rows.count(model) for model in ("flow", "diffusion", "tokens")] == [3, 3, 2]  # tokens have one short side
    assert {f"renders-{model}.png" for model in ("flow", "diffusion", "tokens")} <= {
        path.name for path in (tmp_path / "sheets").iterdir()
    }


def test_sentences(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("bench", "upscale", "--pictures", "1", "--data", "empty")
    assert (done.code, "holds no pictures" in done.err) == (2, True)
    done = run("bench", "upscale", "--model", "none.safetensors")
    assert (done.code, "none.safetensors" in done.err) == (3, True)
