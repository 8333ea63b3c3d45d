"""Training: killing it at any moment and resuming gives the same weights as not killing it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.training import checkpoint
from triptych.training.presets import STAGES
from triptych.training.stages import run

SAMPLES = 96


def weights(out: Path, stage: str) -> dict[str, Tensor]:
    state = checkpoint.load(out / "tiny" / stage / "checkpoint.pt")
    return {**state["module"], **{f"ema.{name}": value for name, value in state["ema"].items()}}


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    different = [name for name, value in first.items() if not torch.equal(value, second[name])]
    assert different == []


def train(stage: str, out: Path, **options: object) -> dict[str, object]:
    return run(stage, "tiny", out=out, samples=SAMPLES, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All stages trained without a stop."""
    out = tmp_path_factory.mktemp("whole")
    for stage in STAGES:
        train(stage, out)
    return out


def test_every_stage_leaves_model_log_checkpoint_and_sheet(whole: Path) -> None:
    for stage in STAGES:
        folder = whole / "tiny" / stage
        card = json.loads((folder / "model" / "card.json").read_text())
        assert card["name"] == stage
        assert card["training"]["samples"] == SAMPLES
        assert (folder / "model" / "model.safetensors").stat().st_size > 1000
        assert list((folder / "sheets").glob("*.png"))
        records = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        assert any(record.get("samples_per_second", 0) > 0 for record in records)


@pytest.mark.parametrize("stage", ["autoencoder", "text", "flow", "tokens"])
def test_stopping_and_resuming_equals_never_stopping(whole: Path, tmp_path: Path, stage: str) -> None:
    for part in STAGES[: STAGES.index(stage)]:
        (tmp_path / "tiny").mkdir(exist_ok=True)
        (tmp_path / "tiny" / part).symlink_to(whole / "tiny" / part)
    stopped = train(stage, tmp_path, max_seconds=0.0)
    assert stopped["step"] == 1
    train(stage, tmp_path, resume=True)
    assert_same(weights(whole, stage), weights(tmp_path, stage))


def test_kill_and_resume_equals_never_stopping(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    for part in ("autoencoder", "tokenizer", "text"):
        (tmp_path / "tiny" / part).symlink_to(whole / "tiny" / part)
    script = (
        "from dataclasses import replace\n"
        "from pathlib import Path\n"
        "from triptych.training import presets\n"
        "runs = presets._RUNS['tiny']\n"
        "runs['planner'] = replace(runs['planner'], save_seconds=0.0)\n"  # a checkpoint after every step
        "from triptych.training.stages import run\n"
        f"run('planner', 'tiny', out=Path({str(tmp_path)!r}), samples={SAMPLES})\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "OMP_NUM_THREADS": "1"})
    saved = tmp_path / "tiny" / "planner" / "checkpoint.pt"
    deadline = time.monotonic() + 120
    while not saved.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert 0 < checkpoint.load(saved)["step"] <= SAMPLES // 8
    train("planner", tmp_path, resume=True)
    assert_same(weights(whole, "planner"), weights(tmp_path, "planner"))


def test_warm_start_takes_the_exported_weights(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "tiny", tmp_path / "tiny", ignore=shutil.ignore_patterns("checkpoint.pt", "log.jsonl"))
    exported = load_file(whole / "tiny" / "flow" / "model" / "model.safetensors")
    run("flow", "tiny", out=tmp_path, samples=8, warm=True)
    moved = checkpoint.load(tmp_path / "tiny" / "flow" / "checkpoint.pt")["module"]
    distance = max(float((moved[name] - value.float()).abs().max()) for name, value in exported.items())
    assert 0 < distance < 0.05  # one small step away from where the export stood


def test_a_truncated_checkpoint_is_a_clear_error(whole: Path, tmp_path: Path) -> None:
    source = whole / "tiny" / "autoencoder" / "checkpoint.pt"
    broken = tmp_path / "tiny" / "autoencoder" / "checkpoint.pt"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(source.read_bytes()[:1000])
    with pytest.raises(FileProblem, match="truncated"):
        train("autoencoder", tmp_path, resume=True)


def test_unknown_stage_and_preset_name_the_close_ones(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="flow"):
        run("flwo", "tiny", out=tmp_path)
    with pytest.raises(InvalidRequest, match="tiny"):
        run("flow", "tinny", out=tmp_path)
    with pytest.raises(InvalidRequest, match="samples"):
        run("flow", "tiny", out=tmp_path, samples=3)
