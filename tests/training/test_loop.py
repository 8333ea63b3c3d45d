"""Training: killing it at any moment and resuming gives the same weights as not killing it."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.training import checkpoint
from triptych.training.devices import Devices
from triptych.training.loop import Run, RunConfig
from triptych.training.optim import OptimConfig
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
        assert any(record.get("gflops", 0) > 0 and record["share_of_peak"] > 0 for record in records)
        assert (folder / "loss.png").exists() or find_spec("matplotlib") is None


def test_warm_text_takes_encoder_tower_and_writer(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "tiny" / "text", tmp_path / "tiny" / "text", ignore=shutil.ignore_patterns("checkpoint.pt"))
    run("text", "tiny", out=tmp_path, samples=8, warm=True)
    moved = checkpoint.load(tmp_path / "tiny" / "text" / "checkpoint.pt")["module"]
    before = checkpoint.load(whole / "tiny" / "text" / "checkpoint.pt")["ema"]
    for part in ("encoder", "tower", "writer"):
        distances = [float((moved[name] - value).abs().max()) for name, value in before.items() if part in name]
        assert 0 < max(distances) < 0.05


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


def test_a_card_counts_the_pictures_of_every_stretch(whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole / "tiny", tmp_path / "tiny", ignore=shutil.ignore_patterns("checkpoint.pt", "log.jsonl"))
    run("flow", "tiny", out=tmp_path, samples=16, warm=True, max_seconds=0.0)
    run("flow", "tiny", out=tmp_path, samples=16, resume=True)
    card = json.loads((tmp_path / "tiny" / "flow" / "model" / "card.json").read_text())
    assert card["training"]["samples"] == SAMPLES + 16
    assert card["training"]["steps"] == 2


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


# Runs of a small model of its own: what the loop does with broken steps, full disks and worker processes


class Line:
    """Fits y = 2 x; its loss is not finite at the steps named."""

    def __init__(self, broken: range = range(0)) -> None:
        torch.manual_seed(0)
        self.module = torch.nn.Linear(4, 4)
        self.broken = broken

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        x = torch.randn(size, 4, generator=torch.Generator().manual_seed(step))
        return {"x": x, "step": torch.tensor([step])}

    def weight(self, batch: dict[str, Tensor]) -> float:
        return len(batch["x"])

    def loss(
        self, batch: dict[str, Tensor], generator: torch.Generator, device: torch.device
    ) -> tuple[Tensor, dict[str, float]]:
        noise = torch.randn(batch["x"].shape, generator=generator)
        loss = (self.module(batch["x"]) - 2 * batch["x"] + 0.1 * noise).square().mean()
        return loss * (float("nan") if int(batch["step"]) in self.broken else 1.0), {}

    def sheet(self, path: Path) -> dict[str, float]:
        return {}

    def export(self, folder: Path, training: dict[str, object]) -> None:
        folder.mkdir(exist_ok=True)


def fit(folder: Path, stage: Line, *, resume: bool = False, **options: object) -> list[str]:
    """What the run told."""
    config = RunConfig("flow", "tiny", 96, 8, precision="fp32", optim=OptimConfig(warmup=1))
    lines: list[str] = []
    settings: dict[str, object] = {"workers": 0} | options
    Run(stage, replace(config, **settings), folder, lines.append, Devices()).train(resume=resume)  # type: ignore[arg-type]
    return lines


def test_workers_change_no_weight(tmp_path: Path) -> None:
    alone, helped = Line(), Line()
    fit(tmp_path / "alone", alone)
    fit(tmp_path / "helped", helped, workers=1)
    assert_same(dict(alone.module.state_dict()), dict(helped.module.state_dict()))


def test_a_step_that_is_not_finite_is_skipped_and_logged(tmp_path: Path) -> None:
    stage = Line(broken=range(3, 5))
    lines = fit(tmp_path, stage)
    assert all(torch.isfinite(p).all() for p in stage.module.parameters())
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in records if "skipped" in record] == [4, 5]
    assert "loss nan" in records[0]["skipped"]
    assert sum("was skipped" in line for line in lines) == 2


def test_a_run_that_is_broken_for_good_stops(tmp_path: Path) -> None:
    with pytest.raises(TriptychError, match="20 steps in a row were not finite"):
        fit(tmp_path, Line(broken=range(5, 1000)), samples=800)


def test_resuming_with_other_settings_says_so(tmp_path: Path) -> None:
    fit(tmp_path, Line())
    lines = fit(tmp_path, Line(), resume=True, samples=192, workers=1, save_seconds=1.0)
    told = [line for line in lines if "not as the run" in line]
    assert told == ["not as the run that left the checkpoint: samples was 96, is 192"]
    assert checkpoint.load(tmp_path / "checkpoint.pt")["step"] == 24


def test_resuming_what_is_complete_changes_nothing(tmp_path: Path) -> None:
    first, second = Line(), Line()
    fit(tmp_path, first)
    fit(tmp_path, second, resume=True)
    assert_same(dict(first.module.state_dict()), dict(second.module.state_dict()))


def test_a_checkpoint_of_another_model_is_a_clear_error(tmp_path: Path) -> None:
    fit(tmp_path, Line())
    other = Line()
    other.module = torch.nn.Linear(5, 4)
    with pytest.raises(FileProblem, match="of another model"):
        fit(tmp_path, other, resume=True)


def test_a_full_disk_leaves_the_checkpoint_of_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"step": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # files cannot grow beyond: the system's own refusal
    try:
        with pytest.raises(FileProblem, match=r"checkpoint\.pt could not be written: .*; the one before is untouched"):
            checkpoint.save(path, {"step": 2, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert checkpoint.load(path) == {"step": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["checkpoint.pt"]
