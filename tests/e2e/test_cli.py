"""The real command line over real, tiny models: from words to a file on the disk, and from there back again.

`tests/cli` holds the command line against a fake and goes into every option; here the whole path runs, in this process.
"""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych import api
from triptych.cli import main
from triptych.core import registry
from triptych.core.metadata import save_picture
from triptych.core.readers import read_pixels, read_recipe
from triptych.core.recipe import Recipe

from .conftest import Run, point_at

MODELS = ("flow", "diffusion", "tokens")


@pytest.fixture(autouse=True)
def workplace(tiny_place: Path) -> Path:
    """An empty folder, with the tiny models."""
    return tiny_place


@pytest.fixture
def own_models(tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the models that a test may damage."""
    copy = Path(shutil.copytree(tiny_folder, tmp_path / "models"))
    point_at(copy, monkeypatch)
    return copy


def quick(model: str) -> list[str]:
    return ["--model", model, *([] if model == "tokens" else ["--steps", "2"])]


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


@pytest.mark.parametrize("model", MODELS)
def test_generate_answers_as_the_interfaces_page_says(run: Run, model: str) -> None:
    done = run("generate", "a blue ring at night", *quick(model), "--seed", 7, "--json")
    assert (done.code, done.err) == (0, "")
    data = done.json
    assert set(data) == {"images", "model", "family", "seconds", "steps", "plan", "notes", "recipe", "cost"}
    assert data["cost"] == 0
    (image,) = data["images"]
    assert image["path"] == "a-blue-ring-at-night-seed7.png"
    assert (image["seed"], image["width"], image["height"]) == (7, 64, 64)
    assert data["model"] == model
    assert data["steps"] == (None if model == "tokens" else 2)
    assert set(data["seconds"]) == {"start", "plan", "encode", "denoise", "decode", "total"}
    assert all(seconds >= 0 for seconds in data["seconds"].values())
    assert set(data["plan"]) == {"background", "light", "objects"}
    for item in data["plan"]["objects"]:
        assert set(item) == {"noun", "colour", "box", "text"}
        assert len(item["box"]) == 4
    assert data["notes"] == []
    recipe = read_recipe(Path(image["path"]))
    assert Recipe.parse(data["recipe"]) == recipe
    assert image["pixels_sha256"] == recipe.pixels_sha256


@pytest.mark.parametrize("model", MODELS)
def test_what_was_made_replays_exactly(run: Run, model: str) -> None:
    paths = run("a blue ring", *quick(model), "--n", 3, "--out", "made.png").out.split()
    assert paths == ["made-0.png", "made-1.png", "made-2.png"]
    done = run("replay", paths[2])
    assert (done.code, done.out, done.err) == (0, "exact\n", "")
    data = run("replay", paths[0], "--json").json
    assert (data["verdict"], data["max_difference"], data["same_weights"]) == ("exact", 0, True)
    Path("recipe.json").write_text(read_recipe(Path(paths[1])).dumps())
    assert run("replay", "recipe.json").out == "exact\n"


def test_replay_tells_what_was_changed(run: Run) -> None:
    path = Path(run("a blue ring", "--steps", 1).out.strip())
    recipe, pixels = read_recipe(path), read_pixels(path).copy()
    pixels[:4, :4] ^= 128
    save_picture(path, pixels, recipe)
    done = run("replay", path)
    assert (done.code, done.out) == (1, "different\n")
    assert "largest difference 128 of 255" in done.err


def test_replay_with_other_weights_says_so(run: Run, own_models: Path) -> None:
    path = run("a blue ring", "--steps", 1).out.strip()
    weights = own_models / "flow" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-4000:] = bytes(4000)
    weights.write_bytes(data)
    registry.write_card(own_models / "flow", registry.Card.read(own_models / "flow"))
    api.library.cache_clear()
    done = run("replay", path)
    assert done.code in (0, 1)
    assert run("replay", path, "--json").json["same_weights"] is False
    assert done.out == "exact\n" or "the weights of the model have changed since" in done.err


def test_a_plan_is_written_drawn_edited_and_painted(run: Run) -> None:
    done = run("plan", "two blue rings on a meadow", "--seed", 3, "--out", "plan.json", "--draw", "plan.png")
    assert (done.code, done.out.split()) == (0, ["plan.json", "plan.png"])
    assert read_pixels(Path("plan.png")).shape == (512, 512, 3)
    written = json.loads(Path("plan.json").read_text())
    plain = run("two blue rings on a meadow", "--steps", 2, "--seed", 3, "--json").json
    assert plain["plan"] == written

    written["background"] = "night"
    written["objects"] = [{"noun": "cross", "colour": "red", "box": [0.1, 0.2, 0.6, 0.9], "text": None}]
    Path("plan.json").write_text(json.dumps(written))
    edited = run("two blue rings on a meadow", "--steps", 2, "--seed", 3, "--plan", "plan.json", "--json").json
    assert edited["plan"] == written
    assert edited["images"][0]["pixels_sha256"] != plain["images"][0]["pixels_sha256"]
    assert run("replay", edited["images"][0]["path"]).out == "exact\n"


def test_a_plan_goes_through_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written = run("plan", "a blue ring", "--seed", 3, "--out", "-")
    assert files() == []
    monkeypatch.setattr(sys, "stdin", io.StringIO(written.out))
    painted = run("a blue ring", "--plan", "-", "--steps", 1, "--json").json
    assert painted["plan"] == json.loads(written.out)


def test_compare_draws_a_grid_over_models_and_words(run: Run) -> None:
    axes = ["--axis", "model=flow,tokens", "--axis", "ring=ring,cross"]
    done = run("compare", "a blue ring", *axes, "--seed", 1, "--quality", "low", "--out", "grid.png", "--json")
    data = done.json
    assert (data["columns"], data["rows"]) == (["model flow", "model tokens"], ["ring", "cross"])
    hashes = {cell["recipe"]["pixels_sha256"] for row in data["cells"] for cell in row}
    assert len(hashes) == 4
    assert {cell["recipe"]["request"]["seed"] for row in data["cells"] for cell in row} == {1}
    grid = read_pixels(Path("grid.png"))
    assert grid.shape[0] > 2 * 96
    assert grid.shape[1] > 2 * 96


def test_a_cell_that_a_model_refuses_says_why(run: Run) -> None:
    done = run("compare", "a ring", "--axis", "model=flow,tokens", "--steps", 1, "--seed", 1, "--json", "--quiet")
    painted, refused = done.json["cells"][0]
    assert "recipe" in painted
    assert refused["refused"].startswith("steps: 1 is not allowed: tokens does not take it")


def test_the_log_finds_what_was_made(run: Run) -> None:
    assert run("log").out == ""
    first = run("a blue ring", "--steps", 1, "--seed", 5).out.strip()
    run("a red cross", "--steps", 1, "--n", 2)
    assert len(run("log").out.splitlines()) == 3
    (row,) = run("log", "-q", "blue", "--json").json["pictures"]
    assert (row["prompt"], row["seed"], row["path"]) == ("a blue ring", 5, str(Path(first).absolute()))
    assert Recipe.parse(row["recipe"]) == read_recipe(Path(first))


def test_models_are_listed_and_shown(run: Run) -> None:
    names = [line.split()[0] for line in run("models").out.splitlines()]
    assert [name for name in names if "/" not in name] == sorted(MODELS)
    assert {model["name"] for model in run("models", "--json").json["models"]} == set(names)
    shown = run("models", "show", "flow").out
    assert "knows       circle, square" in shown
    assert "part        autoencoder" in shown
    assert run("models", "show", "autoencoder").code == 0


def test_the_picture_goes_to_stdout_and_nowhere_else(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["a blue ring", "--steps", "1", "--out", "-", "--seed", "3"]) == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as picture:
        assert picture.size == (64, 64)
        assert Recipe.parse(picture.info["triptych"]).request.seed == 3
    assert files() == []


def test_a_pattern_names_every_picture(run: Run) -> None:
    done = run("a ring", "--steps", 1, "--n", 2, "--seed", 4, "--out", "{model}/{prompt}-{seed}-{index}.webp")
    assert done.out.split() == ["flow/a-ring-4-0.webp", "flow/a-ring-4-1.webp"]
    assert run("replay", "flow/a-ring-4-1.webp").out == "exact\n"


@pytest.mark.parametrize("model", MODELS)
def test_trace_keeps_every_step(run: Run, model: str) -> None:
    total = 64 if model == "tokens" else 2
    done = run("a blue ring", *quick(model), "--trace", "steps", "--seed", 2)
    assert (done.code, "the steps are in steps" in done.err) == (0, True)
    lines = [json.loads(line) for line in Path("steps/events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["started", "planned", *["step"] * total, "finished"]
    previews = [line["preview"] for line in lines if "preview" in line]
    # The last step is the picture itself.
    assert len(previews) == total - 1
    assert all(read_pixels(Path("steps") / name).ndim == 3 for name in previews)


def test_an_empty_prompt_is_painted_with_a_note(run: Run) -> None:
    data = run("", "--steps", 1, "--seed", 1, "--json").json
    assert data["plan"] is None
    assert data["images"][0]["path"] == "picture-seed1.png"
    assert [(note["parameter"], note["action"]) for note in data["notes"]] == [("prompt", "note")]


def test_a_prompt_of_every_alphabet_is_painted(run: Run) -> None:
    prompt = 'Ein \u201eRing\u201c, \u732b, \U0001f98a, a\u0301 "100 %" \\ {seed} ../../x'
    data = run(prompt, "--steps", 1, "--seed", 1, "--json").json
    path = Path(data["images"][0]["path"])
    assert path.parent == Path()
    assert read_recipe(path).request.prompt == prompt
    assert run("replay", path).out == "exact\n"


BAD: dict[str, tuple[list[str], int, str]] = {
    "long prompt": (["x" * 10_000], 2, "prompt: has 10000 characters; at most 4000"),
    "control characters": (["a\x1b[2Jring"], 2, "prompt: has control characters"),
    "8-bit control characters": (["a\x9b2Jring"], 2, "prompt: has control characters"),
    "no text": (["a \udcff ring"], 2, "prompt: has bytes that are not text"),
    "size not divisible": (["a ring", "--size", "100x64"], 2, "width: 100 is not allowed for flow"),
    "size too small": (["a ring", "--size", "32"], 2, "width: 32 is not allowed for flow"),
    "size beyond the cap": (["a ring", "--size", "4096x4096"], 2, "size: 4096x4096 is not allowed for flow"),
    "a size that tokens lack": (["a ring", "--size", "128", "-m", "tokens"], 2, "size: 128x128 is not allowed"),
    "0 steps": (["a ring", "--steps", "0"], 2, "steps: 0 is not allowed"),
    "10000 steps": (["a ring", "--steps", "10000"], 2, "steps: 10000 is not allowed"),
    "201 steps": (["a ring", "--steps", "201"], 2, "steps: 201 is not allowed for flow: from 1 to 200"),
    "NaN guidance": (["a ring", "--guidance", "nan"], 2, "guidance: "),
    "unknown sampler": (["a ring", "--sampler", "eulr"], 2, "sampler: 'eulr' is not known; did you mean 'euler'"),
    "unknown schedule": (
        ["a ring", "--schedule", "linera"],
        2,
        "schedule: 'linera' is not known; did you mean 'linear'",
    ),
    "unknown model": (["a ring", "--model", "flwo"], 3, "there is no model 'flwo'; did you mean 'flow'?"),
    "a part as a model": (["a ring", "--model", "text"], 3, "'text' is a part of other models"),
    "a plan with control characters": (["a ring", "--plan", "odd.json"], 2, "plan: at objects.0.noun"),
    "no folder": (["a ring", "--out", "file.txt/a.png"], 3, "cannot write in file.txt"),
    "no picture": (["replay", "file.txt"], 3, "file.txt is not a PNG, JPEG or WebP picture"),
    "half a picture": (["replay", "half.png"], 3, "half.png"),
    "no recipe": (["replay", "plain.png"], 3, "plain.png holds no recipe"),
    "newer recipe": (["replay", "newer.png"], 3, "newer.png was made by a newer Triptych (recipe version 3"),
    "newer recipe alone": (["replay", "newer.json"], 3, "newer.json was made by a newer Triptych"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_clear_sentence_and_leaves_nothing(run: Run, name: str) -> None:
    arguments, code, sentence = BAD[name]
    _make_bad_files()
    before = files()
    done = run(*arguments)
    assert (done.code, done.out) == (code, "")
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("triptych: ")
    assert sentence in done.err
    assert files() == before


def _make_bad_files() -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    Path("file.txt").write_text("no picture")
    Path("odd.json").write_text('{"objects": [{"noun": "ring\\u001b", "box": [0, 0, 1, 1]}]}')
    save_picture(Path("plain.png"), pixels)
    Path("half.png").write_bytes(Path("plain.png").read_bytes()[:40])
    Path("newer.json").write_text('{"version": 3, "more": "than we know"}')
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("triptych", Path("newer.json").read_text())
    Image.fromarray(pixels).save("newer.png", pnginfo=info)


@pytest.mark.parametrize("part", ["flow", "autoencoder", "text", "planner"])
def test_missing_or_truncated_weights(run: Run, own_models: Path, part: str) -> None:
    (weights,) = (own_models / part).glob("*.safetensors")
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-16])
    for sentence in ("is truncated", "are missing"):
        done = run("a ring", "--steps", 1)
        assert (done.code, done.out) == (3, "")
        assert sentence in done.err
        assert str(weights) in done.err
        assert len(done.err.splitlines()) == 1
        weights.unlink(missing_ok=True)
    assert files() == []


def test_altered_weights_are_refused(run: Run, own_models: Path) -> None:
    (weights,) = (own_models / "text").glob("*.safetensors")
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    done = run("a ring", "--steps", 1)
    assert (done.code, "was altered" in done.err) == (3, True)


def test_no_models_at_all(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point_at(tmp_path / "nothing", monkeypatch)
    assert run("models").code == 0
    done = run("a ring")
    assert (done.code, "no model is installed" in done.err) == (3, True)


def test_a_full_disk_leaves_whole_pictures_or_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    fsync = os.fsync

    def full_after_one(handle: int) -> None:
        written.append(handle)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", full_after_one)
    done = run("a ring", "--steps", 1, "--n", 3, "--out", "made.png")
    assert (done.code, done.out) == (3, "")
    assert "cannot write made-1.png: the disk is full" in done.err
    assert files() == ["made-0.png"]
    assert run("replay", "made-0.png").out == "exact\n"


def test_out_of_memory_is_6(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    family = api.library().family("flow")

    def forward(states: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: 99 bytes")

    monkeypatch.setattr(family, "forward", forward)
    done = run("a ring", "--steps", 1)
    assert (done.code, done.out, len(done.err.splitlines())) == (6, "", 1)
    assert files() == []
