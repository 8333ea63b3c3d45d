"""Several processes: equal weights in all of them, and the gradients of one process with the whole batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from triptych.training import checkpoint
from triptych.training.devices import Devices

SCRIPT = """
import sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from triptych.training.devices import Devices
from triptych.training.loop import Run, RunConfig
from triptych.training.optim import OptimConfig
from triptych.training.presets import WORLDS
from triptych.training.stages.run import Workshop

def train(out, distributed):
    devices = Devices(distributed=distributed, device=torch.device("cpu"))
    with devices.main_first():
        torch.manual_seed(devices.rank)  # other first weights in every process
        stage = Workshop("tiny", WORLDS["tiny"], "scenes", out, None, print).stage("planner")
    optim = OptimConfig(lr=1e-6, muon_lr=None, clip=1e9, warmup=1, decay=0.0)
    config = RunConfig("planner", "tiny", 24, 8, precision="fp32", workers=0, sheet_samples=10_000, optim=optim)
    stage.sheet = lambda path: {}
    record = Run(stage, config, out / "tiny" / "planner", print, devices).train(resume=False, max_seconds=1000.0)
    torch.save(stage.module.state_dict(), out / f"weights{devices.rank}.pt")
    assert bool(record) == (devices.rank == 0)

if __name__ == "__main__":
    train(Path(sys.argv[1]), True)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_two_processes_train_as_one(tiny_folder: Path, tmp_path: Path) -> None:
    two, one = tmp_path / "two", tmp_path / "one"
    for out in (two, one):
        (out / "tiny").mkdir(parents=True)
        (out / "tiny" / "text").symlink_to(tiny_folder.parent / "tiny" / "text")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    launched = {**os.environ, "OMP_NUM_THREADS": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}  # fmt: skip
    processes = [
        subprocess.Popen(
            [sys.executable, str(script), str(two)],
            env={**launched, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    outputs = [process.communicate(timeout=280)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs

    first, second = (torch.load(two / f"weights{rank}.pt") for rank in (0, 1))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert "step" in outputs[0]
    assert "step" not in outputs[1]  # one process reports
    assert len((two / "tiny" / "planner" / "log.jsonl").read_text().splitlines()) == 1

    names: dict[str, object] = {"__name__": "script"}
    exec(compile(SCRIPT, "script", "exec"), names)
    names["train"](one, False)  # type: ignore[operator]
    together, alone = (checkpoint.load(out / "tiny" / "planner" / "checkpoint.pt") for out in (two, one))
    pairs = [
        (together["optimizer"]["state"][i]["mean"], state["mean"])  # the running mean of the gradients
        for i, state in alone["optimizer"]["state"].items()
    ]
    assert max(float(mean.abs().max()) for _, mean in pairs) > 1e-4
    for shared, whole in pairs:
        assert torch.allclose(shared, whole, rtol=1e-3, atol=1e-3 * float(whole.abs().max()) + 1e-9)


def test_alone_nothing_is_shared() -> None:
    devices = Devices(device=torch.device("cpu"))
    assert devices.main
    assert devices.rows(8) == range(8)
    assert devices.share(3.0) == 1.0
    assert devices.agreed(True)
    assert devices.mean({"loss": 2.0}) == {"loss": 2.0}
    module = nn.Linear(2, 2)
    module(torch.ones(1, 2)).sum().backward()
    before = module.weight.grad
    devices.average_gradients(module)
    assert module.weight.grad is before


def test_rows_cover_the_batch_once() -> None:
    devices = [Devices(device=torch.device("cpu")) for _ in range(4)]
    for rank, each in enumerate(devices):
        each.rank, each.count = rank, 4
    assert [row for each in devices for row in each.rows(12)] == list(range(12))


def test_batches_are_moved_whole() -> None:
    devices = Devices(device=torch.device("meta"))
    moved = devices.put({"a": torch.ones(2), "b": (torch.ones(1), [torch.ones(1)]), "c": "text"})
    assert moved["a"].device.type == moved["b"][0].device.type == moved["b"][1][0].device.type == "meta"
    assert moved["c"] == "text"


def test_precision_decides_the_yardstick() -> None:
    devices = Devices(device=torch.device("cpu"))
    state = torch.get_rng_state()
    assert devices.peak_flops("fp32") > 1e8
    assert torch.equal(state, torch.get_rng_state())
