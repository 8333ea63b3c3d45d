"""plan, replay, models, log and train."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from triptych.core.metadata import save_picture
from triptych.core.plan import Plan
from triptych.core.readers import read_pixels

from .conftest import PLAN, FakeApi, Outcome

Run = Callable[..., Outcome]


def test_plan_prints_json_that_generate_takes(api: FakeApi, run: Run) -> None:
    done = run("plan", "a fox", "--seed", 3)
    assert Plan.parse(json.loads(done.out)) == PLAN
    Path("p.json").write_text(done.out)
    assert run("a fox", "--plan", "p.json").code == 0
    assert api.requests[0].plan == PLAN


def test_plan_writes_and_draws(api: FakeApi, run: Run) -> None:
    done = run("plan", "a fox", "--out", "plans/p.json", "--draw", "p.png")
    assert done.out.split() == ["plans/p.json", "p.png"]
    assert "--plan plans/p.json" in done.err
    assert Plan.parse(json.loads(Path("plans/p.json").read_text())) == PLAN
    assert read_pixels(Path("p.png")).shape == (512, 512, 3)


def test_plan_json_is_one_line(api: FakeApi, run: Run) -> None:
    out = run("plan", "a fox", "--json").out
    assert out.count("\n") == 1
    assert json.loads(out)["background"] == "snow"


def test_plan_of_nothing_is_refused(api: FakeApi, run: Run) -> None:
    done = run("plan", " ")
    assert (done.code, done.err) == (2, "triptych: prompt: is empty; there is nothing to plan\n")


def test_plan_refuses_a_drawing_that_is_no_picture_before_it_works(api: FakeApi, run: Run) -> None:
    assert run("plan", "a fox", "--draw", "p.txt").code == 2
    assert api.calls == []


@pytest.mark.parametrize(("verdict", "code"), [("exact", 0), ("within tolerance", 0), ("different", 1)])
def test_replay_says_its_verdict(api: FakeApi, run: Run, verdict: str, code: int) -> None:
    path = run("a fox").out.strip()
    api.verdict = verdict
    done = run("replay", path)
    assert (done.code, done.out) == (code, f"{verdict}\n")
    assert ("largest difference 3 of 255" in done.err) == (verdict != "exact")
    assert ("the weights of the model have changed" in done.err) == (verdict == "different")
    data = json.loads(run("replay", path, "--json").out)
    assert (data["verdict"], data["seed"], data["grade"]) == (verdict, 11, "same machine")


def test_replay_of_what_has_no_recipe(api: FakeApi, run: Run) -> None:
    save_picture(Path("plain.png"), np.zeros((8, 8, 3), np.uint8))
    Path("text.png").write_text("no picture")
    for name, sentence in (
        ("plain.png", "holds no recipe"),
        ("text.png", "is not a PNG"),
        ("none.png", "no such file"),
    ):
        done = run("replay", name)
        assert (done.code, done.out) == (3, "")
        assert sentence in done.err


def test_models(weights: Path, run: Run) -> None:
    here = [" ".join(line.split()) for line in run("models").out.splitlines() if "/" not in line.split()[0]]
    assert here == ["flow flow small", "tiny flow small"]
    card, _ = (card for card in json.loads(run("models", "--json").out)["models"] if card["family"] != "hosted")
    assert (card["name"], card["family"], card["capabilities"]["native_size"]) == ("flow", "flow", [64, 64])


def test_models_show(weights: Path, run: Run) -> None:
    text = run("models", "show", "flow").out
    for words in ("euler, heun", "1,000 pictures in 2.0 h on 2 CPU cores", "score       clip 0.5", "model.safetensors"):
        assert words in text
    assert json.loads(run("models", "show", "flow", "--json").out)["scores"] == {"clip": 0.5}
    done = run("models", "show", "flwo")
    assert (done.code, "did you mean 'flow'" in done.err) == (3, True)


@pytest.mark.parametrize("command", [["generate"], ["plan"], ["compare", "--axis", "seed=1,2"]])
def test_missing_and_truncated_weights_are_3(api: FakeApi, weights: Path, run: Run, command: list[str]) -> None:
    path = weights / "flow" / "model.safetensors"
    whole = path.read_bytes()
    for damage, sentence in ((whole[:-1], "truncated"), (None, "are missing")):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        done = run(*command, "a fox")
        assert (done.code, done.out) == (3, "")
        assert sentence in done.err
        path.write_bytes(whole)
    assert run(*command, "a fox", "--model", "flwo").code == 3
    assert api.calls == []


def test_replay_of_a_model_that_is_gone(api: FakeApi, weights: Path, run: Run) -> None:
    path = run("a fox").out.strip()
    (weights / "flow" / "card.json").unlink()
    done = run("replay", path)
    assert (done.code, "there is no model 'flow'" in done.err) == (3, True)


def test_log(api: FakeApi, run: Run) -> None:
    assert run("log").out == ""
    run("a fox\nin snow")
    run("two owls")
    newest, oldest = run("log").out.splitlines()
    assert "  two owls  " in newest
    assert "  seed 11  a fox in snow  " in oldest
    assert run("log", "-q", "fox").out.count("\n") == 1
    (row,) = json.loads(run("log", "-q", "owls", "--json").out)["pictures"]
    assert (row["prompt"], row["recipe"]["request"]["seed"]) == ("two owls", 11)


def test_a_broken_log_is_3_when_it_is_asked_for(api: FakeApi, run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "triptych.db").write_bytes(b"no database" * 100)
    assert run("log").code == 3


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def train(stage: str, preset: str, **options: Any) -> dict[str, Any]:
        options.pop("report")("step 1")
        calls.append({"stage": stage, "preset": preset, **options})
        return {"loss": 0.5}

    module = ModuleType("triptych.training.stages")
    module.run = train  # pyright: ignore[reportAttributeAccessIssue]
    parent = ModuleType("triptych.training")
    parent.stages = module  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "triptych.training", parent)
    monkeypatch.setitem(sys.modules, "triptych.training.stages", module)
    return calls


def test_train_forwards(api: FakeApi, run: Run, stages: list[dict[str, Any]]) -> None:
    done = run("train", "flow", "--preset", "tiny", "--resume", "--max-seconds", 5, "--out", "work", "--samples", 64)
    assert (done.code, done.out, done.err) == (0, "work/tiny/flow\n", "step 1\n")
    assert stages == [
        {
            "stage": "flow",
            "preset": "tiny",
            "data": "scenes",
            "resume": True,
            "warm": False,
            "samples": 64,
            "max_seconds": 5.0,
            "out": Path("work"),
            "font": None,
            "distributed": False,
        }
    ]
    assert json.loads(run("train", "flow", "--json", "--quiet").out) == {"loss": 0.5}


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--data", "nowhere"], 3),
        (["--font", "nothing.ttf"], 3),
        (["--max-seconds", "0"], 2),
        (["--max-seconds", "nan"], 2),
        (["--resume", "--warm"], 2),
        (["--out", "/proc/self/x"], 3),
    ],
)
def test_train_refuses_before_it_begins(
    api: FakeApi, run: Run, stages: list[dict[str, Any]], options: list[str], code: int
) -> None:
    assert run("train", "flow", *options).code == code
    assert stages == []
