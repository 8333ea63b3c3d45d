"""The loop of every stage: step, log, checkpoint, sample sheet, export.

A stage tells what to train, which batch belongs to step k (a pure function of k) and what the loss is. All randomness
of a step comes from a generator seeded by (run seed, step), so killing the loop anywhere and resuming gives the same
weights as never stopping. With several processes (`accelerate launch`) each takes its slice of every batch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from triptych.training import checkpoint, optim
from triptych.training.devices import Devices
from triptych.training.ema import Ema


@dataclass(frozen=True)
class RunConfig:
    """One run, complete. samples: how many pictures in all; batch: pictures a step over all processes."""

    stage: str
    preset: str
    samples: int
    batch: int
    seed: int = 0
    ema: float = 0.998
    precision: str = "bf16"
    save_seconds: float = 120.0
    sheet_samples: int = 20_000
    workers: int = 1
    optim: optim.OptimConfig = field(default_factory=optim.OptimConfig)

    @property
    def steps(self) -> int:
        return max(1, self.samples // self.batch)


class Stage(Protocol):
    """What the loop needs to know of a stage."""

    @property
    def module(self) -> nn.Module:
        """Everything that is trained, as one module."""
        ...

    def batch(self, step: int, size: int) -> Any:
        """The data of one step; runs in a worker process; a pure function of its arguments."""
        ...

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Mean loss over the batch, and named parts for the log."""
        ...

    def flops_per_sample(self) -> float:
        """Multiply-adds x 2 of one forward pass of one picture; 0 where unknown."""
        ...

    def sheet(self, path: Path) -> dict[str, float]:
        """Draw the sample sheet with the module's present weights; return figures for the log."""
        ...

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        """Write card and weights (the module's present ones) as a model folder."""
        ...


class _Steps(Dataset[Any]):
    """Step number -> batch; lets DataLoader's worker processes prepare what comes next."""

    def __init__(self, stage: Stage, start: int, config: RunConfig) -> None:
        self.make, self.start, self.config = stage.batch, start, config

    def __len__(self) -> int:
        return self.config.steps - self.start

    def __getitem__(self, item: int) -> Any:
        if item >= len(self):
            raise IndexError
        torch.set_num_threads(1)
        return self.make(self.start + item, self.config.batch)


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The randomness of one step, independent of every other step."""
    return torch.Generator(device=device).manual_seed((seed * 1_000_003 + step) * 7919 + 17)


@dataclass
class Run:
    """A stage under way, in `folder`: `checkpoint.pt`, `log.jsonl`, `sheets/`, and at the end `model/`."""

    stage: Stage
    config: RunConfig
    folder: Path
    report: Callable[[str], None]
    devices: Devices

    def train(self, *, resume: bool, max_seconds: float | None = None) -> dict[str, Any]:
        """Train to `config.samples`, or until `max_seconds` have passed; return the last log record."""
        module = self.devices.place(self.stage.module)
        optimizer = optim.build(module, self.config.optim)
        ema = Ema(module, self.config.ema)
        step = self._restore(module, optimizer, ema) if resume else 0
        started, since_save, record = time.monotonic(), time.monotonic(), dict[str, Any]()
        step_start, next_sheet = step, self._next_sheet(step)
        for batch in self._batches(step):
            parts = self._step(module, optimizer, batch, step)
            ema.update(module, step)
            step += 1
            now = time.monotonic()
            out_of_time = max_seconds is not None and now - started > max_seconds
            last = step == self.config.steps or out_of_time
            if step % 50 == 0 or last:
                record = self._log(step, parts, (step - step_start) * self.config.batch / (now - started))
            if last or now - since_save > self.config.save_seconds:
                self._save(module, optimizer, ema, step)
                since_save = time.monotonic()
            if last or step * self.config.batch >= next_sheet:
                record |= self._sheet(ema, module, step)
                next_sheet = self._next_sheet(step)
            if last:
                break
        with ema.swapped_in(module):
            self.devices.on_main(lambda: self.stage.export(self.folder / "model", self._training_record(step, record)))
        return record

    def _step(self, module: nn.Module, optimizer: torch.optim.Optimizer, batch: Any, step: int) -> dict[str, float]:
        config = self.config.optim
        factor = optim.rate(step, self.config.steps, config)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        batch = self.devices.share(batch)
        generator = step_generator(self.config.seed * 64 + self.devices.rank, step, self.devices.device)
        with self.devices.autocast(self.config.precision):
            loss, parts = self.stage.loss(batch, generator, self.devices.device)
        loss.backward()
        self.devices.average_gradients(module)
        norm = nn.utils.clip_grad_norm_(module.parameters(), config.clip)
        if torch.isfinite(norm):  # a broken batch must not break the model
            optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return {"loss": float(loss.detach()), "gradient_norm": float(norm), "rate": factor, **parts}

    def _batches(self, start: int) -> Iterator[Any]:
        loader = DataLoader(
            _Steps(self.stage, start, self.config),
            batch_size=None,
            num_workers=self.config.workers,
            prefetch_factor=3 if self.config.workers else None,
            collate_fn=_as_is,
        )
        return iter(loader)

    def _restore(self, module: nn.Module, optimizer: torch.optim.Optimizer, ema: Ema) -> int:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return 0
        state = checkpoint.load(path)
        module.load_state_dict(state["module"])
        optimizer.load_state_dict(state["optimizer"])
        ema.shadow = state["ema"]
        self.report(f"resumed at step {state['step']} of {self.config.steps}")
        return int(state["step"])

    def _save(self, module: nn.Module, optimizer: torch.optim.Optimizer, ema: Ema, step: int) -> None:
        state = {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.shadow,
                 "step": step, "config": asdict(self.config)}  # fmt: skip
        self.devices.on_main(lambda: checkpoint.save(self.folder / "checkpoint.pt", state))

    def _sheet(self, ema: Ema, module: nn.Module, step: int) -> dict[str, float]:
        path = self.folder / "sheets" / f"{step * self.config.batch:09d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figures: dict[str, float] = {}
        with ema.swapped_in(module), torch.no_grad():
            module.eval()
            self.devices.on_main(lambda: figures.update(self.stage.sheet(path)))
            module.train()
        if figures:
            self._write({"step": step, "samples": step * self.config.batch, **figures})
            self.report("  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
        return figures

    def _next_sheet(self, step: int) -> int:
        return (step * self.config.batch // self.config.sheet_samples + 1) * self.config.sheet_samples

    def _log(self, step: int, parts: dict[str, float], speed: float) -> dict[str, Any]:
        record: dict[str, Any] = {
            "step": step,
            "samples": step * self.config.batch,
            "samples_per_second": round(speed, 1),
        }
        flops = 3 * self.stage.flops_per_sample() * speed  # a backward pass costs two forward ones
        if flops:
            record |= {"gflops": round(flops / 1e9, 1), "share_of_peak": round(flops / self.devices.peak_flops(), 3)}
        record |= {key: round(value, 5) for key, value in parts.items()}
        self._write(record)
        self.report("  ".join(f"{key} {value}" for key, value in record.items()))
        return record

    def _write(self, record: dict[str, Any]) -> None:
        def append() -> None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps({"time": round(time.time(), 1), **record}) + "\n")

        self.devices.on_main(append)

    def _training_record(self, step: int, record: dict[str, Any]) -> dict[str, Any]:
        return {"preset": self.config.preset, "samples": step * self.config.batch, "steps": step,
                "precision": self.config.precision, "last": record}  # fmt: skip


def _as_is(batch: Any) -> Any:
    return batch
