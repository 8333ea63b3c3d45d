"""Hosted models at the command line, each against its fake: a picture with its notes, an edit under the lock, keys, the
ledger, and what is never said.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.hosted.fakes import Fake
from tests.hosted.fakes.base import KEY, picture_of
from tests.hosted.test_providers import MODELS

from triptych.cli import main
from triptych.core.readers import read_recipe


@pytest.fixture
def home(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, the fake's address and key in the environment, and an empty current folder."""
    folder = tmp_path / "home"
    monkeypatch.setenv("TRIPTYCH_HOME", str(folder))
    monkeypatch.setenv(fake.variable, fake.base)
    monkeypatch.setenv(fake.key_variable, KEY)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return folder


def test_a_picture_with_notes_and_recipe(fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = MODELS[fake.name]
    assert main(["generate", "a fox", "-m", model, "--out", "fox.png", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["family"] == "hosted"
    assert told["recipe"]["grade"] == "none"
    assert told["recipe"]["weights_sha256"] is None
    assert {note["parameter"] for note in told["notes"]} >= {"cost"}
    recipe = read_recipe(Path("fox.png"))
    assert recipe.model == model
    assert recipe.pixels_sha256 == told["images"][0]["pixels_sha256"]
    pixels = np.asarray(Image.open("fox.png").convert("RGB"))
    assert np.array_equal(pixels, fake.painted[-1])
    assert main(["replay", "fox.png"]) == 2
    assert "hosted" in capsys.readouterr().err


def test_the_key_is_nowhere(fake: Fake, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Success, refusal, a wrong key, a cut line, a wrong answer: then every file and every word is searched."""
    model = MODELS[fake.name]
    said = ""
    for mode in ("ok", "moderated", "bad key", "wrong JSON", "reset"):
        fake.mode = mode
        for extra in ([], ["--debug"]) if mode != "ok" else ([],):
            try:
                main(["generate", "a fox", "-m", model, "--out", f"{mode}.png", *extra])
            except Exception as error:  # --debug shows it
                import traceback

                said += "".join(traceback.format_exception(error))
            shown = capsys.readouterr()
            said += shown.out + shown.err
    main(["keys", "list"])
    main(["hosted", "--json"])
    shown = capsys.readouterr()
    said += shown.out + shown.err
    raw = KEY.encode()
    forms = [raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode(), raw[:12], raw[-8:]]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 3
    for form in forms:
        assert form.decode() not in said
        for path in files:
            assert form not in path.read_bytes(), path


def test_exit_codes(fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = ["generate", "a fox", "-m", MODELS[fake.name], "--out", "fox.png"]
    for mode, code in {"moderated": 5, "bad key": 4, "out of credit": 4, "wrong JSON": 4, "server error": 4}.items():
        fake.mode = mode
        assert main(call) == code, mode
    assert main([*call, "--max-cost", "0.0001"]) == 2
    assert main([*call, "--sampler", "euler"]) == 2
    assert main([*call, "--lora", "missing.safetensors"]) == 3
    assert main(["generate", "a fox", "-m", f"{fake.name}/no-such-model"]) == 3
    assert not Path("fox.png").exists()
    assert fake.bills <= 2


def test_models_are_listed_and_shown(fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    cards = {card["name"]: card for card in json.loads(capsys.readouterr().out)["models"]}
    assert MODELS[fake.name] in cards
    assert main(["models", "show", MODELS[fake.name]]) == 0
    assert "price       about $" in capsys.readouterr().out


def test_commands_that_need_a_model_here_say_so(fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "a fox", "-m", MODELS[fake.name]]) == 2
    assert "is hosted" in capsys.readouterr().err


def test_trace_shows_partial_pictures_or_says_that_there_are_none(
    fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["generate", "a fox", "-m", MODELS[fake.name], "--trace", "trace", "--out", "fox.png"]
    assert main(call) == 0
    steps = list(Path("trace").rglob("step-*.png"))
    assert len(steps) == (3 if fake.name == "openai" else 0)
    assert bool(steps) or "trace" in capsys.readouterr().err


def edited(
    fake: Fake, capsys: pytest.CaptureFixture[str], *options: str
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Edit a picture with a mask; the source, the result, and what --json told."""
    source = picture_of("the source", (640, 480), 0)
    Image.fromarray(source).save("source.png")
    mask = np.zeros((480, 640), np.uint8)
    mask[160:320, 200:420] = 255
    Image.fromarray(mask).save("mask.png")
    call = ["edit", "source.png", "a red barn", "-m", MODELS[fake.name], "--out", "out.png", "--json", *options]
    assert main(call) == 0, capsys.readouterr().err
    return source, np.asarray(Image.open("out.png")), json.loads(capsys.readouterr().out)


def test_the_pixel_lock_holds_whatever_comes_back(
    fake: Fake, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider paints another picture altogether; not one byte outside of the mask changes."""
    source, result, told = edited(fake, capsys, "--mask", "mask.png")
    changed = np.abs(source.astype(int) - result).max(axis=2) > 0
    assert changed[160:320, 200:420].any()
    changed[160:320, 200:420] = False
    assert not changed.any()
    assert told["lock"]["outside_changed_pixels"] == 0
    assert told["lock"]["returned"]["changed_share"] > 0.5
    assert {note["parameter"] for note in told["notes"]} >= {"mask", "cost"}
    recipe = read_recipe(Path("out.png"))
    assert recipe.step is not None
    assert recipe.step.report["returned"]["kept_pixels"] > 0


def test_an_instruction_alone_gives_the_whole_picture_to_the_provider(
    fake: Fake, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, result, told = edited(fake, capsys)
    assert result.shape == source.shape
    assert told["lock"]["position"] == 0.5


def test_keys_are_kept_privately(
    fake: Fake, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import io

    monkeypatch.delenv(fake.key_variable)
    assert main(["generate", "a fox", "-m", MODELS[fake.name], "--out", "fox.png"]) == 4
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY + "\n"))
    home.mkdir(exist_ok=True)
    (home / "keys.json").write_text('{"server_token": "kept"}')
    assert main(["keys", "set", fake.name]) == 0
    assert os.stat(home / "keys.json").st_mode & 0o777 == 0o600
    assert json.loads((home / "keys.json").read_text()) == {"server_token": "kept", fake.name: KEY}
    assert main(["generate", "a fox", "-m", MODELS[fake.name], "--out", "fox.png"]) == 0
    assert main(["keys", "remove", fake.name]) == 0
    assert main(["keys", "remove", fake.name]) == 2
    assert KEY not in "".join(capsys.readouterr())
