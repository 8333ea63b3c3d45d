"""`triptych lora`, `triptych train lora` and `generate --lora` at the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.adapters.lora.making import lora_for, named, pairs_for, peft

from triptych.adapters.lora import write_lora
from triptych.core import registry
from triptych.library import Library

Run = Callable[..., Any]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, tiny_folder: Path, tiny_library: Library, tmp_path: Path) -> Path:
    """The tiny models in the place of the built-in ones; an empty work folder."""
    monkeypatch.setattr(registry, "builtin_folder", lambda: tiny_folder)
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def file(tiny: Path, tiny_library: Library) -> Path:
    network = tiny_library.family("flow").network  # type: ignore[attr-defined]
    return lora_for(network, tiny).file.path


@pytest.fixture
def pictures(tiny: Path) -> Path:
    folder = tiny / "set"
    folder.mkdir()
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_show_tells_what_a_file_is_and_what_fits(run: Run, file: Path) -> None:
    done = run("lora", "show", file, "-m", "flow")
    assert done.code == 0
    assert "layers of rank 3" in done.out
    assert "layers fit" in done.out
    data = json.loads(run("lora", "show", file, "-m", "flow", "--json").out)
    assert data["ranks"] == [3]
    assert data["match"]["unmatched"] == []
    assert len(data["match"]["layers"]) == data["match"]["layers_of_network"] == data["layers"]


def test_show_names_every_layer_that_does_not_fit(run: Run, tiny: Path, tiny_library: Library) -> None:
    network = tiny_library.family("flow").network  # type: ignore[attr-defined]
    tensors = named(pairs_for(network), peft("transformer."))
    tensors |= {"lora_te1_fc1.lora_down.weight": torch.ones(1, 4), "lora_te1_fc1.lora_up.weight": torch.ones(4, 1)}
    tensors |= {"what.is.this": torch.ones(1), "x.lora_A.weight": torch.ones(1, 4), "x.lora_B.weight": torch.ones(4, 1)}
    tensors |= {"y\x1b[31m.lora_A.weight": torch.ones(1, 4), "y\x1b[31m.lora_B.weight": torch.ones(4, 1)}
    path = write_lora(tiny / "odd.safetensors", tensors, {"note\x1b[31m": "red\x1b[31m\nline"})
    shown = run("lora", "show", path, "-m", "flow").out
    for line in ("text encoder  lora_te1_fc1", "of no LoRA  what.is.this", "unknown name  x"):
        assert line in shown
    assert "\x1b" not in shown
    made = run("generate", "a red circle", "--lora", path, "--steps", "1", "--out", "a.png")
    assert made.code == 0
    assert "names that this model lacks" in made.err
    assert "\x1b" not in made.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("lora", "show", "{file}", "-m", "diffusion"), 2, "a LoRA of another model"),
        (("lora", "show", "{file}", "-m", "fox"), 3, "no model 'fox'"),
        (("lora", "show", "none.safetensors"), 3, "no file none.safetensors"),
        (("lora", "show", "{set}/0.png"), 3, "not a safetensors file"),
        (("lora", "fuse", "{file}", "-m", "diffusion", "--out", "new"), 2, "a LoRA of another model"),
        (("lora", "fuse", "{file}", "--out", "new", "--name", "A B"), 2, "small letters"),
        (("lora", "fuse", "{file}:99", "--out", "new"), 2, "lora"),
        (("generate", "a red circle", "--lora", "{set}/0.png"), 3, "not a safetensors file"),
        (("generate", "a red circle", "-m", "diffusion", "--lora", "{file}"), 2, "a LoRA of another model"),
        (("train", "lora"), 2, "a folder of 5 to 20 pictures"),
        (("train", "lora", "--data", "nowhere"), 3, "no folder nowhere"),
        (("train", "lora", "--data", "{set}"), 3, "have no caption"),
        (("train", "lora", "--data", "{set}", "--preset", "tiny"), 2, "preset"),
        (("train", "lora", "--data", "{set}", "--steps", "2", "--samples", "32"), 2, "steps"),
        (("train", "lora", "--data", "{set}", "--trigger", "x", "--rank", "0"), 2, "rank"),
        (("train", "lora", "--data", "{set}", "--trigger", "x", "--out", "x.ckpt"), 2, "NAME.safetensors"),
        (("train", "flow", "--rank", "4"), 2, "an option of `triptych train lora`"),
        (("train", "flow", "--trigger", "x"), 2, "an option of `triptych train lora`"),
    ],
)
def test_what_cannot_be_done_is_told(
    run: Run, file: Path, pictures: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(*(text.format(file=file, set=pictures) for text in arguments))
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert not any(Path().glob("*.training"))


def test_fuse_writes_a_model_folder(run: Run, file: Path, tiny: Path) -> None:
    done = run("lora", "fuse", f"{file}:0.5", "--out", tiny / "new", "--json")
    assert done.code == 0
    data = json.loads(done.out)
    assert data["match"][0]["mismatched"] == []
    assert (tiny / "new" / "card.json").exists()
    assert (tiny / "new" / "unfused" / "model.safetensors").exists()


def test_train_then_generate_then_replay(run: Run, pictures: Path, tiny: Path) -> None:
    """From pictures to a LoRA, a picture with it, and that picture once more; without the file it is told."""
    done = run("train", "lora", "--data", pictures, "--trigger", "noise", "--steps", "2", "--rank", "1", "--json",
               "--out", "noise.safetensors")  # fmt: skip
    assert done.code == 0
    data = json.loads(done.out)
    assert data["samples"] == 32
    assert Path(data["sheet"]).exists()
    assert "3 pictures" in done.err
    made = run("generate", "a red circle, noise", "--lora", "noise.safetensors:0.8", "--seed", "3", "--steps", "2",
               "--out", "a.png", "--json")  # fmt: skip
    assert made.code == 0, made.err
    (kept,) = json.loads(made.out)["recipe"]["request"]["loras"]
    assert (kept["scale"], kept["file"]["name"]) == (0.8, "noise.safetensors")
    assert run("replay", "a.png").out.strip() == "exact"
    Path("noise.safetensors").rename(tiny / "kept.safetensors")
    (tiny / "home" / "models").mkdir(parents=True)
    (tiny / "kept.safetensors").rename(tiny / "home" / "models" / "other-name.safetensors")
    assert run("replay", "a.png").out.strip() == "exact", "found by its hash in the data folder"
    (tiny / "home" / "models" / "other-name.safetensors").unlink()
    for path in (tiny / "noise.training").rglob("*.safetensors"):
        path.unlink()
    missing = run("replay", "a.png")
    assert (missing.code, missing.out) == (3, "")
    assert "noise.safetensors" in missing.err
