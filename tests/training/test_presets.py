"""Every stage has every preset, and the GPU's networks have the sizes that the presets' page names."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
import torch

from triptych.autoencoders import fsq
from triptych.core.errors import InvalidRequest
from triptych.families.autoregressive import presets as tokens
from triptych.families.autoregressive.decoder import Decoder
from triptych.families.diffusion import presets as diffusion
from triptych.families.diffusion.unet import UNet
from triptych.families.flow import presets as flow
from triptych.families.flow.mmdit import MMDiT
from triptych.scenes import LEVELS
from triptych.training import presets
from triptych.training.presets import STAGES, WORLDS, run_config
from triptych.training.stages.run import TEXT_SIZES


@pytest.mark.parametrize("preset", ["tiny", "cpu", "gpu"])
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_every_preset(stage: str, preset: str) -> None:
    config = run_config(stage, preset)
    assert (config.stage, config.preset) == (stage, preset)
    assert config.samples >= config.batch > 0
    assert config.steps * config.batch <= config.samples
    assert 0 < config.optim.warmup < config.steps
    assert WORLDS[preset].level in LEVELS
    json.dumps(dataclasses.asdict(config))  # it stands in checkpoints


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="gpu"):
        run_config("flow", "gpus")
    with pytest.raises(InvalidRequest, match="tokens"):
        run_config("token", "cpu")


def network(stage: str, preset: str) -> torch.nn.Module:
    width, length = TEXT_SIZES[preset]["width"], TEXT_SIZES[preset]["length"]
    if stage == "flow":
        return MMDiT(flow.preset_of(preset, width).network)
    if stage == "diffusion":
        return UNet(diffusion.preset_of(preset, width).network)
    return Decoder(tokens.preset_of(preset, math.prod(fsq.TokenizerConfig().levels), width, length).network)


@pytest.mark.parametrize("stage", ["flow", "diffusion", "tokens"])
def test_the_networks_have_the_sizes_that_are_told(stage: str) -> None:
    told = next(line.split() for line in (presets.__doc__ or "").splitlines() if line.startswith(stage))
    with torch.device("meta"):
        counts = [sum(p.numel() for p in network(stage, preset).parameters()) for preset in ("cpu", "gpu")]
    assert [told[1], told[3]] == [f"{count / 1e6:.1f}" for count in counts]
