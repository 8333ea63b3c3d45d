"""`triptych upscale` and `triptych render` over tiny models: files in, files out, and sentences for what cannot be."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from triptych.api import generate
from triptych.cli import main
from triptych.core import registry
from triptych.library import Library

from .conftest import Outcome

Run = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def models(tiny_library: Library, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tiny models in the place of the built-in ones, an empty folder, and a data folder of its own."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    monkeypatch.setattr(registry, "builtin_folder", lambda: tiny_folder)
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "My photo.png"
    pixels = np.random.default_rng(1).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return generate("a red circle", seed=3, quality="low").images[0].save(tmp_path / "draft.png")


def size(path: str | Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_four_times_beside_where_one_stands(run: Run, photo: Path) -> None:
    done = run("upscale", photo)
    assert (done.code, done.out.strip()) == (0, "my-photo-upscaled.png")
    assert size("my-photo-upscaled.png") == (128, 96)
    assert "128x96 by upscaler" in done.err
    assert run("upscale", photo).out.strip() == "my-photo-upscaled-2.png"  # nothing is replaced unasked


def test_json_is_one_object_and_replay_is_exact(run: Run, photo: Path) -> None:
    done = run("upscale", photo, "--to", "100", "--out", "large.webp", "--json", "--quiet")
    told = json.loads(done.out)
    assert (done.err, told["path"], told["width"], told["height"]) == ("", "large.webp", 100, 75)
    assert told["recipe"]["step"]["op"] == "upscale"
    assert run("replay", "large.webp").out.strip() == "exact"
    assert "upscale" in run("log").out


def test_names_of_sizes(run: Run, photo: Path) -> None:
    done = run("upscale", photo, "--to", "2k", "--out", "x.png")
    assert done.code == 0
    assert size("x.png") == (2048, 1536)


def test_stdout(photo: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["upscale", str(photo), "--scale", "2", "--out", "-"]) == 0
    with Image.open(io.BytesIO(capsysbinary.readouterr().out)) as made:
        assert made.size == (64, 48)
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--to", "big"], 2, "to: 'big' is not allowed"),
        (["--to", "16"], 2, "to: 16 does not enlarge a picture of 32x24"),
        (["--scale", "0.5"], 2, "scale: 0.5 does not enlarge"),
        (["--to", "64", "--scale", "2"], 2, "not both"),
        (["--to", "9000"], 2, "8192 pixels a side"),
        (["--model", "none.safetensors"], 3, "cannot read the weights none.safetensors"),
        (["--out", "-", "--json"], 2, "cannot share stdout"),
        (["--out", "x.gif"], 2, "gif"),
    ],
)
def test_sentences(run: Run, photo: Path, arguments: list[str], code: int, words: str) -> None:
    done = run("upscale", photo, *arguments)
    assert done.code == code
    assert words in done.err
    assert "Traceback" not in done.err
    assert not done.out
    assert not list(Path.cwd().iterdir())


def test_bad_pictures(run: Run, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "moving.webp", save_all=True, append_images=frames[1:])
    assert "is animated" in run("upscale", tmp_path / "moving.webp").err
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert run("upscale", tmp_path / "cut.png").code == 3
    Image.new("RGB", (1, 1), "red").save(tmp_path / "dot.png")
    done = run("upscale", tmp_path / "dot.png", "--out", "dot.png")  # one pixel is a picture
    assert done.code == 0
    assert size("dot.png") == (4, 4)


def test_transparency_needs_a_format_that_has_it(run: Run, tmp_path: Path) -> None:
    Image.new("RGBA", (16, 16), (200, 0, 0, 90)).save(tmp_path / "glass.png")
    assert "JPEG knows no transparency" in run("upscale", tmp_path / "glass.png", "--out", "glass.jpg").err
    assert run("upscale", tmp_path / "glass.png", "--scale", "2", "--out", "glass.png").code == 0
    with Image.open("glass.png") as made:
        assert made.mode == "RGBA"
        assert abs(int(np.asarray(made)[16, 16, 3]) - 90) < 60  # untrained, it is only roughly so


def test_a_pickle_is_refused(run: Run, photo: Path, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "RealESRGAN.pth")
    done = run("upscale", photo, "--model", tmp_path / "RealESRGAN.pth")
    assert done.code == 3
    assert "is a pickle" in done.err
    assert "convert it to safetensors" in done.err


def test_a_draft_is_rendered_and_made_again(run: Run, draft: Path) -> None:
    done = run("render", draft, "--quality", "medium", "--to", "100", "--json")
    told = json.loads(done.out)
    assert (told["width"], told["painted"], told["model"]) == (100, [64, 64], "flow")
    assert told["path"] == "draft-render.png"
    assert set(told["composition"]) == {"before", "after", "pairs", "iou", "score"}
    assert run("replay", "draft-render.png").out.strip() == "exact"
    plain = run("render", draft, "--scale", "2", "--strength", "0.5")
    assert (plain.code, plain.out.strip()) == (0, "draft-render-2.png")
    assert size("draft-render-2.png") == (128, 128)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--quality", "best"], 2, "quality: 'best' is not known"),
        (["--to", "64", "--scale", "2"], 2, "given together with --scale"),
        (["--size", "60x60"], 2, "width: 60 is not allowed for flow"),
        (["--strength", "2"], 2, "strength"),
    ],
)
def test_sentences_of_render(run: Run, draft: Path, arguments: list[str], code: int, words: str) -> None:
    done = run("render", draft, *arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert not list(Path.cwd().iterdir())


def test_only_pictures_of_ours_can_be_rendered(run: Run, photo: Path, draft: Path) -> None:
    done = run("render", photo)
    assert done.code == 3
    assert "no recipe" in done.err or "not written by Triptych" in done.err
    run("upscale", draft, "--out", "large.png")
    done = run("render", "large.png")
    assert done.code == 2
    assert "`triptych upscale` enlarges it as it is" in done.err
