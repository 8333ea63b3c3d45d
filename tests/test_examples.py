"""Every example runs from beginning to end, with tiny models in the place of the built-in ones."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

from triptych import api, library
from triptych.library import Library

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.fixture(autouse=True)
def tiny_models(tiny_folder: Path, tiny_library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`triptych.generate` and a plain `Library()` find the tiny models; what an example writes goes to a new folder."""
    monkeypatch.setattr(api, "library", lambda: tiny_library)
    monkeypatch.setattr(library, "builtin_folder", lambda: tiny_folder)
    monkeypatch.chdir(tmp_path)


def run(name: str, capsys: pytest.CaptureFixture[str]) -> str:
    (path,) = [path for path in EXAMPLES if path.stem == name]
    with torch.random.fork_rng():
        runpy.run_path(str(path), run_name="__main__")
    return capsys.readouterr().out


def test_every_example_has_a_test_below() -> None:
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    tested.add("openai_sdk")  # needs a server: tests/server/test_serve.py runs it
    assert {path.stem for path in EXAMPLES} <= tested


def test_advise(capsys: pytest.CaptureFixture[str]) -> None:
    *families, better = run("advise", capsys).splitlines()
    assert [line.partition(":")[0] for line in families] == ["diffusion", "flow", "autoregressive"]
    assert "windowless clock tower" in better


def test_generate(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("generate", capsys).count("exact") == 2
    assert len(list(tmp_path.glob("apples-*.png"))) == 2


def test_stream_previews(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "8 steps of euler" in run("stream_previews", capsys)
    assert len(list((tmp_path / "fox-steps").glob("*.png"))) == 8  # the last step is the finished picture


def test_edit_a_plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "balloon" in run("edit_a_plan", capsys).splitlines()[1]
    assert (tmp_path / "penguin-before.png").read_bytes() != (tmp_path / "penguin-after.png").read_bytes()


def test_compare_families(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = run("compare_families", capsys)
    assert [line.split()[0] for line in out.splitlines()] == ["flow", "diffusion", "tokens"]
    assert (tmp_path / "families.png").exists()


def test_many_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    out = run("many_at_once", capsys)
    assert out.count("equal") == 4
    assert "DIFFERENT" not in out


def test_sampler_from_scratch(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert int(run("sampler_from_scratch", capsys).split(" of 255")[0].split()[-1]) <= 1
    assert (tmp_path / "star.png").exists()


def test_train_tiny(capsys: pytest.CaptureFixture[str]) -> None:
    assert "painted (64, 64, 3) with ['flow']" in run("train_tiny", capsys)


def test_train_a_lora(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = run("train_a_lora", capsys)
    assert "layers fit" in out
    assert (tmp_path / "without.png").read_bytes() != (tmp_path / "with.png").read_bytes()
