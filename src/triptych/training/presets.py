"""How much of everything: one frozen `RunConfig` per stage and preset. The numbers come from docs/training-log.md.

`tiny` is for tests (drawn shapes, seconds), `cpu` for two cores and hours, `gpu` for one large GPU.

Parameters of the painters' networks, which their families' own presets decide (tests/training/test_presets.py):

             cpu      gpu
flow         6.0 M    37.4 M
diffusion    7.7 M    43.4 M
tokens       4.4 M    24.8 M
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.errors import one_of
from triptych.training.loop import RunConfig
from triptych.training.optim import OptimConfig

STAGES = ("autoencoder", "tokenizer", "text", "planner", "flow", "diffusion", "tokens", "readers", "upscaler",
          "flow-control", "diffusion-control", "flow-reference", "tokens-reference", "editor")  # fmt: skip


@dataclass(frozen=True)
class WorldConfig:
    """What is drawn: the level, the picture's side in pixels, and how many scenes the painters' pool holds."""

    level: str
    size: int
    pool: int


WORLDS = {
    "tiny": WorldConfig("shapes", 64, 64),
    "cpu": WorldConfig("small", 128, 60_000),
    "gpu": WorldConfig("full", 256, 2_000_000),
}

_TINY = OptimConfig(warmup=2)
_CONTROL = OptimConfig(lr=1e-3, muon_lr=2e-3, warmup=50)
_REFERENCE = OptimConfig(lr=2e-3, muon_lr=4e-3, warmup=50)
_RUNS: dict[str, dict[str, RunConfig]] = {
    "tiny": {
        stage: RunConfig(stage, "tiny", 64, 8, precision="fp32", workers=0, sheet_samples=10_000, optim=_TINY)
        for stage in STAGES
    },
    "cpu": {
        "autoencoder": RunConfig("autoencoder", "cpu", samples=60_000, batch=32, ema=0.998,
                                 optim=OptimConfig(lr=2e-3, muon_lr=2e-3, warmup=100)),
        "tokenizer": RunConfig("tokenizer", "cpu", samples=24_000, batch=16, ema=0.998,
                               optim=OptimConfig(lr=1e-3, muon_lr=3e-3, warmup=50)),
        "text": RunConfig("text", "cpu", samples=100_000, batch=128, optim=OptimConfig(lr=2e-3, muon_lr=4e-3)),
        "planner": RunConfig("planner", "cpu", samples=200_000, batch=64, optim=OptimConfig(lr=7e-4, muon_lr=1.5e-3)),
        "flow": RunConfig("flow", "cpu", samples=200_000, batch=64, optim=OptimConfig(lr=1e-3, muon_lr=4e-3)),
        "diffusion": RunConfig("diffusion", "cpu", samples=120_000, batch=64, optim=OptimConfig(lr=1e-3, muon_lr=4e-3)),
        "tokens": RunConfig("tokens", "cpu", samples=60_000, batch=32, optim=OptimConfig(lr=1e-3, muon_lr=4e-3)),
        "readers": RunConfig("readers", "cpu", samples=80_000, batch=32, ema=0.998,
                             optim=OptimConfig(lr=2e-3, muon_lr=4e-3, warmup=100)),
        "flow-control": RunConfig("flow-control", "cpu", samples=80_000, batch=64, optim=_CONTROL),
        "diffusion-control": RunConfig("diffusion-control", "cpu", samples=80_000, batch=64, optim=_CONTROL),
        "flow-reference": RunConfig("flow-reference", "cpu", samples=70_000, batch=64, optim=_REFERENCE),
        "tokens-reference": RunConfig("tokens-reference", "cpu", samples=16_000, batch=32, optim=_REFERENCE),
        "editor": RunConfig("editor", "cpu", samples=120_000, batch=64,
                            optim=OptimConfig(lr=2e-3, muon_lr=4e-3, warmup=100)),
        "upscaler": RunConfig("upscaler", "cpu", samples=28_800, batch=16, ema=0.995, sheet_samples=6_400,
                              optim=OptimConfig(lr=1e-3, muon_lr=3e-3, warmup=50, decay=0.5)),
    },
    "gpu": {
        "autoencoder": RunConfig("autoencoder", "gpu", samples=4_000_000, batch=256, ema=0.999, workers=12),
        "tokenizer": RunConfig("tokenizer", "gpu", samples=3_000_000, batch=256, ema=0.999, workers=12),
        "text": RunConfig("text", "gpu", samples=2_000_000, batch=1024, ema=0.999, workers=12),
        "planner": RunConfig("planner", "gpu", samples=4_000_000, batch=1024, ema=0.999, workers=12),
        "flow": RunConfig("flow", "gpu", samples=8_000_000, batch=512, ema=0.9995, workers=12),
        "diffusion": RunConfig("diffusion", "gpu", samples=25_000_000, batch=512, ema=0.9995, workers=12),
        "tokens": RunConfig("tokens", "gpu", samples=8_000_000, batch=512, ema=0.9995, workers=12),
        "readers": RunConfig("readers", "gpu", samples=2_000_000, batch=256, ema=0.999, workers=12),
        "flow-control": RunConfig("flow-control", "gpu", samples=2_000_000, batch=256, ema=0.999, workers=12),
        "diffusion-control": RunConfig("diffusion-control", "gpu", samples=2_000_000, batch=256, ema=0.999, workers=12),
        "flow-reference": RunConfig("flow-reference", "gpu", samples=2_000_000, batch=256, ema=0.999, workers=12),
        "tokens-reference": RunConfig("tokens-reference", "gpu", samples=1_000_000, batch=256, ema=0.999, workers=12),
        "editor": RunConfig("editor", "gpu", samples=4_000_000, batch=1024, ema=0.999, workers=12),
        "upscaler": RunConfig("upscaler", "gpu", samples=4_000_000, batch=64, ema=0.999, workers=12),
    },
}  # fmt: skip


def run_config(stage: str, preset: str) -> RunConfig:
    """The run of a stage; `InvalidRequest` that names the close ones for an unknown stage or preset."""
    return _RUNS[one_of("preset", preset, _RUNS)][one_of("stage", stage, STAGES)]
