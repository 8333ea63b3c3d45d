"""`triptych edit` without a mask, `triptych vary` and `triptych bench edits`: refusals, and whole runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .conftest import Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    Image.fromarray(np.full((64, 64, 3), 128, np.uint8)).save(path)
    return path


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--change", "weather"), "change: 'weather' is not known"),
        (("--change", "light", "--what", "fox"), "what: names a thing, which --change light has nothing to do with"),
        (("--change", "light", "--out", "a.jpg"), "JPEG loses pixels"),
        (("--change", "light", "--out", "-", "--json"), "out: - (stdout) and --json"),
        (("--change", "light", "--quality", "best"), "quality: 'best' is not known"),
        (("--change", "light", "-m", "flo"), "there is no model 'flo'"),
    ],
)
def test_what_vary_refuses(run: Run, weights: Path, picture: Path, arguments: tuple[str, ...], message: str) -> None:
    done = run("vary", picture, *arguments)
    assert done.code in (2, 3)
    assert message in done.err
    assert done.out == ""


def test_vary_names_a_picture_that_is_not_there(run: Run, weights: Path) -> None:
    done = run("vary", "nowhere.png", "--change", "light")
    assert done.code == 3
    assert "nowhere.png" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--grow", "3"), "grow: needs --mask or --lock"),
        (("--invert",), "invert: needs --mask or --lock"),
        (("--strength", "0.5"), "strength: needs --mask or --lock"),
        (("--no-plan",), "no_plan: needs --mask or --lock"),
        (("--out", "a.jpg"), "JPEG loses pixels"),
    ],
)
def test_what_an_edit_without_a_mask_refuses(
    run: Run, weights: Path, picture: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = run("edit", picture, "make the fox blue", *arguments)
    assert done.code == 2
    assert message in done.err


def test_what_the_bench_refuses(run: Run, weights: Path) -> None:
    assert "there is no model 'flo'" in run("bench", "edits", "--models", "flo").err
    done = run("bench", "edits", "--models", "flow", "--split", "combination")
    assert done.code == 2
    assert "split" in done.err


@pytest.mark.weights
@pytest.mark.slow
def test_from_words_to_pictures_and_back(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paint, edit by instruction, vary, replay: with the built-in models, as a person would."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run("generate", "a red car and a tree in a meadow", "--seed", "5", "--out", "a.png").code == 0
    done = run("edit", "a.png", "make the car blue, then make it night", "--out", "b.png")
    assert done.code == 0, done.err
    assert "read as: recolour the car -> blue, then background -> night" in done.err
    assert run("replay", "b.png").out.strip() == "exact"
    done = run("edit", "b.png", "remove the blue car", "--json", "--out", "c.png")
    told = json.loads(done.out)
    assert told["lock"]["outside_changed_pixels"] == 0
    assert [thing["noun"] for thing in told["plan"]["objects"]] == ["tree"]
    missing = run("edit", "c.png", "make the car red")
    assert missing.code == 2
    assert "'the car' is not in the picture; what is: a green tree" in missing.err
    conflict = run("edit", "c.png", "keep the sky but make it snow")
    assert "asks to keep the background and to change it" in conflict.err
    done = run("vary", "a.png", "--change", "background", "--n", "2", "--seed", "1", "--json", "--out", "v/")
    images = json.loads(done.out)["images"]
    assert len({image["what"] for image in images}) == 2
    for image in images:
        assert image["lock"]["outside_changed_pixels"] == 0
        assert any(change.startswith("background: meadow -> ") for change in image["moved"]["changed"])
        assert run("replay", image["path"]).out.strip() == "exact"


@pytest.mark.weights
@pytest.mark.slow
def test_the_bench_measures_and_goes_on_where_it_stopped(run: Run, tmp_path: Path) -> None:
    options = ("--models", "flow", "--cases", "1", "--conversations", "1", "--readings", "30", "--quality", "low")
    done = run("bench", "edits", *options, "--out", tmp_path, "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert told["reading"]["train"]["right"][0] > 0.8
    known, naive = (told["single"]["flow"][way]["all"] for way in ("plan known", "naive"))
    assert known["whole"][0] > naive["whole"][0]
    assert naive["outside_changed"][0] > 0.9
    assert len(told["drift"]["flow"]["plan known"]) == 6
    assert (tmp_path / "drift.png").exists()
    again = run("bench", "edits", *options, "--out", tmp_path, "--json", "--quiet")
    assert json.loads(again.out) == told
    assert again.err == ""
