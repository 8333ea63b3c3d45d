"""The loop of every stage: step, log, checkpoint, sample sheet, export.

A stage tells what to train, which batch belongs to step k (a pure function of k) and what the loss is. All randomness
of a step comes from a generator seeded by (run seed, step), so killing the loop anywhere and resuming gives the same
weights as never stopping. With several processes (`accelerate launch`) each computes its own rows of every batch.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from triptych.core.errors import FileProblem, TriptychError
from triptych.training import checkpoint, optim
from triptych.training.devices import Devices
from triptych.training.ema import Ema
from triptych.training.flops import step_flops
from triptych.training.journal import Journal, finite, progress
from triptych.training.prefetch import prefetched

LOG_EVERY = 50
MAX_SKIPPED = 20
"""So many steps in a row without a finite gradient end the run."""
FLOPS_BATCH = 8


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

    def batch(self, step: int, size: int, rows: range | None = None) -> Any:
        """The data of one step, or `rows` of it; runs in a worker process; a pure function of its arguments."""
        ...

    def weight(self, batch: Any) -> float:
        """What the loss is a mean over: the pictures of these rows, or their plans' tokens."""
        ...

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Mean loss over the batch, and named parts for the log."""
        ...

    def sheet(self, path: Path) -> dict[str, float]:
        """Draw the sample sheet with the module's present weights; return figures for the log."""
        ...

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        """Write card and weights (the module's present ones) as a model folder."""
        ...


class _Batches:
    """Step number -> this process's rows of its batch."""

    def __init__(self, stage: Stage, size: int, rows: range) -> None:
        self.stage, self.size, self.rows = stage, size, rows

    def __call__(self, step: int) -> Any:
        return self.stage.batch(step, self.size, self.rows)


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The randomness of one step, independent of every other step."""
    return torch.Generator(device=device).manual_seed((seed * 1_000_003 + step) * 7919 + 17)


class Run:
    """A stage under way, in `folder`: `checkpoint.pt`, `log.jsonl`, `loss.png`, `sheets/`, and at the end `model/`."""

    def __init__(
        self,
        stage: Stage,
        config: RunConfig,
        folder: Path,
        report: Callable[[str], None],
        devices: Devices,
        *,
        before: dict[str, float] | None = None,
    ) -> None:
        """before: `samples` and `seconds` that the weights of a warm start had already taken."""
        self.stage, self.config, self.folder, self.devices = stage, config, folder, devices
        self.before = before or {"samples": 0, "seconds": 0.0}
        self.journal = Journal(folder, f"{config.stage}, {config.preset} preset", report, is_open=devices.main)
        self._skipped = 0
        self._flops: float | None = None

    def train(self, *, resume: bool, max_seconds: float | None = None) -> dict[str, Any]:
        """Train to `config.samples`, or until `max_seconds` have passed.

        Return the last log record, or nothing in a process that is not the first.
        """
        module = self.devices.place(self.stage.module)
        optimizer = optim.build(module, self.config.optim)
        ema = Ema(module, self.config.ema)
        step = self._restore(module, optimizer, ema) if resume else 0
        started = since_save = since_log = time.monotonic()
        logged, next_sheet, record = step, self._next_sheet(step), dict[str, Any]()
        batches = _Batches(self.stage, self.config.batch, self.devices.rows(self.config.batch))
        for batch in prefetched(batches, range(step, self.config.steps), self.config.workers):
            parts = self._step(module, optimizer, batch, step)
            ema.update(module, step)
            step += 1
            now = time.monotonic()
            out_of_time = max_seconds is not None and self.devices.agreed(now - started > max_seconds)
            last = step == self.config.steps or out_of_time
            if step % LOG_EVERY == 0 or last:
                record = self._log(step, parts, (step - logged) * self.config.batch / (now - since_log))
                logged, since_log = step, time.monotonic()
            if last or now - since_save > self.config.save_seconds:
                self._save(module, optimizer, ema, step)
                since_save = time.monotonic()
                since_log += since_save - now  # saving is not what the speed in the log is about
            if last or step * self.config.batch >= next_sheet:
                before = time.monotonic()
                record |= self._sheet(ema, module, step)
                next_sheet = self._next_sheet(step)
                since_log += time.monotonic() - before
            if last:
                break
        with ema.swapped_in(module):
            self.devices.on_main(lambda: self.stage.export(self.folder / "model", self._training_record(step, record)))
        return record if self.devices.main else {}

    def _step(self, module: nn.Module, optimizer: torch.optim.Optimizer, batch: Any, step: int) -> dict[str, float]:
        config = self.config.optim
        factor = optim.rate(step, self.config.steps, config)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        batch = self.devices.put(batch)
        generator = step_generator(self.config.seed * 64 + self.devices.rank, step, self.devices.device)
        with self.devices.autocast(self.config.precision):
            loss, parts = self.stage.loss(batch, generator, self.devices.device)
        (loss * self.devices.share(self.stage.weight(batch))).backward()
        self.devices.average_gradients(module)
        norm = nn.utils.clip_grad_norm_(module.parameters(), config.clip)
        if torch.isfinite(norm):
            optimizer.step()
            self._skipped = 0
        else:
            self._skip(step, float(loss.detach()), float(norm))
        optimizer.zero_grad(set_to_none=True)
        return {"loss": float(loss.detach()), "gradient_norm": float(norm), "rate": factor, **parts}

    def _skip(self, step: int, loss: float, norm: float) -> None:
        """A broken batch must not break the model; if every batch is broken, the model is."""
        self._skipped += 1
        what = f"loss {loss}, gradient norm {norm}"
        self.journal.write({"step": step + 1, "samples": (step + 1) * self.config.batch, "skipped": what})
        self.journal.say(f"step {step + 1} was skipped: {what}")
        if self._skipped == MAX_SKIPPED:
            raise TriptychError(f"training stopped at step {step + 1}: {MAX_SKIPPED} steps in a row were not finite "
                                f"({what}); the weights of the last checkpoint are from before them")  # fmt: skip

    def _restore(self, module: nn.Module, optimizer: torch.optim.Optimizer, ema: Ema) -> int:
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            self.journal.say("there is no checkpoint yet: from the beginning")
            return 0
        state = checkpoint.load(path)
        try:
            module.load_state_dict(state["module"])
            optimizer.load_state_dict(state["optimizer"])
            ema.load(state["ema"])
        except (KeyError, ValueError, RuntimeError) as error:
            raise FileProblem(f"the checkpoint {path} is of another model than this preset's: {error}") from error
        self.before = state.get("before", self.before)
        self.journal.say(f"resumed at step {state['step']} of {self.config.steps}")
        for line in differences(state["config"], asdict(self.config)):
            self.journal.say(f"not as the run that left the checkpoint: {line}")
        return int(state["step"])

    def _save(self, module: nn.Module, optimizer: torch.optim.Optimizer, ema: Ema, step: int) -> None:
        state = {"module": module.state_dict(), "optimizer": optimizer.state_dict(), "ema": ema.shadow,
                 "step": step, "config": asdict(self.config), "before": self.before}  # fmt: skip
        self.devices.on_main(lambda: checkpoint.save(self.folder / "checkpoint.pt", state))

    def _sheet(self, ema: Ema, module: nn.Module, step: int) -> dict[str, float]:
        if not self.devices.main:
            return {}
        samples = step * self.config.batch
        path = self.folder / "sheets" / f"{samples:09d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        with ema.swapped_in(module), torch.no_grad():
            module.eval()
            figures = self.stage.sheet(path)
            module.train()
        if figures:
            self.journal.write({"step": step, "samples": samples, **figures})
            self.journal.say("  ".join(f"{key} {value:.4g}" for key, value in figures.items()))
        self.journal.draw()
        return figures

    def _next_sheet(self, step: int) -> int:
        return (step * self.config.batch // self.config.sheet_samples + 1) * self.config.sheet_samples

    def _log(self, step: int, parts: dict[str, float], speed: float) -> dict[str, Any]:
        parts = self.devices.mean(parts)
        record: dict[str, Any] = {
            "step": step,
            "samples": step * self.config.batch,
            "samples_per_second": round(speed, 1),
        }
        if self.devices.main:
            rate = self._flops_per_sample() * speed / self.devices.count
            peak = self.devices.peak_flops(self.config.precision)
            record |= {"gflops": round(rate / 1e9, 1), "share_of_peak": round(rate / peak, 3)}
        record = finite(record | {key: round(value, 5) for key, value in parts.items()})
        self.journal.write(record)
        self.journal.say(progress(record, self.config.steps, (self.config.samples - record["samples"]) / speed))
        return record

    def _flops_per_sample(self) -> float:
        """Forward and backward; measured once, on a batch that is small but large enough for every loss."""
        if self._flops is None:
            device, size = self.devices.device, min(FLOPS_BATCH, self.config.batch)
            batch = self.devices.put(self.stage.batch(0, size))
            generator = step_generator(0, 0, device)
            self._flops = step_flops(self.stage.module, lambda: self.stage.loss(batch, generator, device)[0]) / size
        return self._flops

    def _training_record(self, step: int, record: dict[str, Any]) -> dict[str, Any]:
        """What stands on the card: samples and seconds of all stretches, the rest of the last one."""
        return {
            "preset": self.config.preset,
            "samples": int(self.before["samples"]) + step * self.config.batch,
            "steps": step,
            "seconds": round(self.before["seconds"] + self.journal.seconds()),
            "precision": self.config.precision,
            "last": record,
        }


def differences(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of a run's configuration is not as it was, apart from what no weight depends on."""
    return [
        f"{name} was {then.get(name)}, is {value}"
        for name, value in now.items()
        if name not in {"workers", "save_seconds", "sheet_samples"} and then.get(name) != value
    ]
