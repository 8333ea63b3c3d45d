from __future__ import annotations

import errno
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from triptych.core.gallery import Gallery
from triptych.core.readers import read_recipe
from triptych.core.recipe import Recipe

from .conftest import PLAN, FakeApi, Outcome

Run = Callable[..., Outcome]


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file())


def test_prints_the_path_and_nothing_else_on_stdout(api: FakeApi, run: Run) -> None:
    done = run("A red fox, at night!", "--seed", 7)
    assert (done.code, done.out) == (0, "a-red-fox-at-night-seed7.png\n")
    assert "seed 7" in done.err
    assert "triptych replay a-red-fox-at-night-seed7.png" in done.err
    assert read_recipe(Path("a-red-fox-at-night-seed7.png")).request.seed == 7


def test_json_is_one_object_of_the_public_words(api: FakeApi, run: Run) -> None:
    done = run("a kitten", "--json", "--n", 2, "--out", "out/")
    data = json.loads(done.out)
    assert set(data) == {"images", "model", "family", "seconds", "steps", "plan", "notes", "recipe", "cost"}
    assert set(data["images"][0]) >= {"path", "seed", "width", "height", "pixels_sha256"}
    assert [image["index"] for image in data["images"]] == [0, 1]
    assert set(data["seconds"]) == {"start", "plan", "encode", "denoise", "decode", "total"}
    assert data["plan"]["objects"][0] == {"noun": "fox", "colour": "red", "box": [0.1, 0.2, 0.6, 0.9], "text": None}
    assert data["notes"] == [{"parameter": "prompt", "action": "translated", "text": "kitten is read as cat"}]
    assert Recipe.parse(data["recipe"]) == read_recipe(Path(data["images"][0]["path"]))
    assert done.err == ""


def test_notes_go_to_stderr(api: FakeApi, run: Run) -> None:
    assert "note  prompt: kitten is read as cat (translated)" in run("a kitten").err
    assert run("a kitten", "--quiet").err == ""


def test_every_option_reaches_the_request(api: FakeApi, run: Run) -> None:
    Path("p.json").write_text(json.dumps(PLAN.as_json()))
    options = {
        "--model": "tiny",
        "--seed": 5,
        "--n": 2,
        "--size": "64x96",
        "--quality": "high",
        "--steps": 4,
        "--sampler": "heun",
        "--guidance": 2.5,
        "--guidance-interval": "0.1,0.8",
        "--guidance-rescale": 0.3,
        "--negative": "blurry",
        "--plan": "p.json",
    }
    assert run("generate", "a fox", *(word for pair in options.items() for word in pair)).code == 0
    (request,) = api.requests
    inputs = {"init", "strength", "strength_map", "references", "controls", "loras", "regions"}
    assert request.model_dump(exclude={"plan", "schedule", "temperature", "top_k", "top_p", *inputs}) == {
        "prompt": "a fox",
        "negative": "blurry",
        "model": "tiny",
        "seed": 5,
        "n": 2,
        "width": 64,
        "height": 96,
        "quality": "high",
        "steps": 4,
        "sampler": "heun",
        "guidance": 2.5,
        "guidance_interval": (0.1, 0.8),
        "guidance_rescale": 0.3,
        "use_plan": True,
    }
    assert request.plan == PLAN


@pytest.mark.parametrize("option", [("--temperature", 0.5), ("--top-k", 5), ("--top-p", 0.5), ("--schedule", "linear")])
def test_options_that_the_model_refuses_reach_the_contract(api: FakeApi, run: Run, option: tuple[str, object]) -> None:
    done = run("a fox", *option)
    assert done.code == 2
    assert option[0].strip("-").replace("-", "_") in done.err


def test_no_plan(api: FakeApi, run: Run) -> None:
    assert json.loads(run("a fox", "--no-plan", "--json").out)["plan"] is None


BAD = [
    (["x" * 10_000], 2, "prompt: has 10000 characters; at most 4000"),
    (["a\x07fox"], 2, "prompt: has control characters"),
    (["a fox", "--negative", "\x00"], 2, "negative: has control characters"),
    (["a fox", "--size", "100x64"], 2, "width: 100 is not allowed"),
    (["a fox", "--size", "9999x9999"], 2, "width: 9999 is not allowed"),
    (["a fox", "--size", "2048x2048"], 2, "at most 1048576 pixels"),
    (["a fox", "--size", "big"], 2, "size: 'big' is not allowed"),
    (["a fox", "--size", "64x64", "--aspect", "1:1"], 2, "aspect: given together"),
    (["a fox", "--steps", "0"], 2, "steps: 0 is not allowed"),
    (["a fox", "--steps", "10000"], 2, "steps: 10000 is not allowed"),
    (["a fox", "--steps", "101"], 2, "steps: 101 is not allowed for flow: from 1 to 100"),
    (["a fox", "--guidance", "nan"], 2, "guidance: "),
    (["a fox", "--guidance", "inf"], 2, "guidance: "),
    (["a fox", "--guidance-interval", "a"], 2, "guidance_interval: 'a' is not allowed"),
    (["a fox", "--guidance-interval", "0.9,0.1"], 2, "guidance_interval"),
    (["a fox", "--sampler", "eular"], 2, "did you mean 'euler'"),
    (["a fox", "--quality", "best"], 2, "quality: 'best' is not allowed"),
    (["a fox", "--model", "flwo"], 3, "there is no model 'flwo'; did you mean 'flow'?"),
    (["a fox", "--n", "0"], 2, "n: 0 is not allowed"),
    (["a fox", "--seed", "-1"], 2, "seed: -1 is not allowed"),
    (["a fox", "--seed", str(2**63)], 2, "seed: "),
    (["a fox", "--plan", "missing.json"], 3, "no such file"),
    (["a fox", "--plan", "bad.json"], 2, "plan: bad.json is not JSON"),
    (["a fox", "--plan", "odd.json"], 2, "plan: at objects.0.box"),
    (["a fox", "--plan", "good.json", "--no-plan"], 2, "plan: given together"),
    (["a fox", "--out", "fox.gif"], 2, "out: '.gif' is not a picture format"),
    (["a fox", "--out", "fox"], 2, "out: a name without suffix"),
    (["a fox", "--out", "{what}.png"], 2, "out: {what} is not a placeholder"),
    (["a fox", "--out", "good.json/fox.png"], 3, "cannot write in good.json"),
    (["a fox", "--out", "/proc/self/nothing/fox.png"], 3, "cannot write in /proc/self/nothing"),
    (["a fox", "--out", "-", "--json"], 2, "out: - (stdout) and --json"),
    (["a fox", "--out", "-", "--n", "2"], 2, "out: - (stdout) takes one picture"),
    (["a fox", "--trace", "good.json"], 3, "cannot write in good.json"),
]


@pytest.mark.parametrize(("arguments", "code", "sentence"), BAD, ids=[" ".join(case[0])[:40] for case in BAD])
def test_bad_input_is_a_clear_sentence_and_leaves_nothing(
    api: FakeApi, run: Run, arguments: list[str], code: int, sentence: str
) -> None:
    Path("good.json").write_text(json.dumps(PLAN.as_json()))
    Path("bad.json").write_text("{")
    Path("odd.json").write_text('{"objects": [{"noun": "fox", "box": [1, 1, 0, 0]}]}')
    before = files()
    done = run(*arguments)
    assert done.code == code
    assert sentence in done.err
    assert done.out == ""
    assert len(done.err.splitlines()) == 1
    assert files() == before


def test_a_full_disk_is_3_and_leaves_nothing(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    done = run("a fox")
    assert (done.code, done.out) == (3, "")
    assert "the disk is full" in done.err
    assert files() == []


def test_what_can_be_known_before_is_said_before_torch_is_imported(tmp_path: Path) -> None:
    call = "from triptych.cli import main; code = main(['a fox', '--sampler', 'none'])"
    script = f"import sys; {call}; print(code, 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    # 2 where the built-in weights are there, 3 in a checkout without them.
    assert done.stdout.split() in (["2", "False"], ["3", "False"])


def test_an_empty_prompt_is_allowed_with_a_note(api: FakeApi, run: Run) -> None:
    done = run("", "--seed", 1)
    assert (done.code, done.out) == (0, "picture-seed1.png\n")
    assert "unconditional" in done.err


def test_the_prompt_comes_from_stdin(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a fox\nin snow\n"))
    run("-", "--seed", 1)
    assert api.calls[0]["prompt"] == "a fox\nin snow"


def test_an_endless_stdin_is_refused(api: FakeApi, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("x" * 10**6))
    assert run("-").code == 2


def test_the_picture_goes_to_stdout(api: FakeApi, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    from triptych.cli import main

    assert main(["a fox", "--out", "-", "--seed", "3"]) == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as picture:
        assert picture.size == (64, 64)
        assert picture.getpixel((0, 0)) == (3, 3, 3)
    assert files() == []


@pytest.mark.parametrize(
    ("out", "n", "expected"),
    [
        (None, 1, ["a-fox-seed11.png"]),
        (None, 2, ["a-fox-seed11-0.png", "a-fox-seed11-1.png"]),
        ("x.png", 1, ["x.png"]),
        ("x.webp", 2, ["x-0.webp", "x-1.webp"]),
        ("deep/er/", 1, ["deep/er/a-fox-seed11.png"]),
        ("{model}/{prompt}_{seed}_{index}.jpg", 2, ["flow/a-fox_11_0.jpg", "flow/a-fox_11_1.jpg"]),
    ],
)
def test_where_pictures_go(api: FakeApi, run: Run, out: str | None, n: int, expected: list[str]) -> None:
    assert run("a fox", "--n", n, *(("--out", out) if out else ())).out.split() == expected
    assert set(expected) <= set(files())


def test_a_picture_without_a_given_name_replaces_nothing(api: FakeApi, run: Run) -> None:
    assert run("a fox").out == "a-fox-seed11.png\n"
    assert run("a fox").out == "a-fox-seed11-2.png\n"
    Path("pictures").mkdir()
    assert run("a fox", "--out", "pictures").out == "pictures/a-fox-seed11.png\n"


def test_trace_keeps_every_step(api: FakeApi, run: Run) -> None:
    assert run("a fox", "--trace", "steps", "--steps", 3, "--n", 2).code == 0
    lines = [json.loads(line) for line in Path("steps/events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines][:3] == ["started", "planned", "step"]
    assert sum(line["event"] == "step" for line in lines) == 6
    assert sorted(path.name for path in Path("steps/picture-1").iterdir()) == [f"step-000{n}.png" for n in (1, 2, 3)]


def test_every_picture_is_logged(api: FakeApi, run: Run, tmp_path: Path) -> None:
    run("a fox", "--n", 2, "--json")
    rows = Gallery(tmp_path / "home").search("fox")
    assert len(rows) == 2
    assert {Path(row.path).name for row in rows} == {"a-fox-seed11-0.png", "a-fox-seed11-1.png"}


def test_a_broken_log_never_breaks_a_picture(api: FakeApi, run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "triptych.db").write_bytes(b"no database" * 100)
    done = run("a fox")
    assert (done.code, done.out) == (0, "a-fox-seed11.png\n")
    assert "note  log: " in done.err
    with pytest.raises(sqlite3.DatabaseError):
        sqlite3.connect(tmp_path / "home" / "triptych.db").execute("SELECT 1 FROM pictures")


def test_aspect_asks_the_card_of_the_model(api: FakeApi, run: Run) -> None:
    assert run("a fox", "--aspect", "3:2").code == 0
    assert (api.requests[0].width, api.requests[0].height) == (80, 64)
    done = run("a fox", "--aspect", "3:2", "--model", "flwo")
    assert (done.code, "did you mean 'flow'" in done.err) == (3, True)
