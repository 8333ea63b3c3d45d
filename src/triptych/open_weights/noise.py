"""A checkpoint's noise table and what its network predicts, from its scheduler's configuration. No network."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from triptych.core.errors import FileProblem
from triptych.open_weights.jsonfile import Config
from triptych.sampling.parameterization import Kind
from triptych.sampling.schedules import DiscreteVP, cosine, from_betas

_KINDS: dict[str, Kind] = {"epsilon": "epsilon", "v_prediction": "v", "sample": "x0"}


@dataclass(frozen=True, eq=False)
class Diffusion:
    """table: the trained levels. predicts: what the network's output means. spacing: the schedule it is used with."""

    table: DiscreteVP
    predicts: Kind
    spacing: str


def diffusion_of(config: Config) -> Diffusion:
    """The same from a `scheduler_config.json` of Stable Diffusion's kind."""
    T = config.whole("num_train_timesteps", 1000, least=2, most=100_000)
    start = config.number("beta_start", 0.0001, least=1e-8, most=0.5)
    end = config.number("beta_end", 0.02, least=1e-8, most=0.999)
    shape = config.one_of("beta_schedule", ("linear", "scaled_linear", "squaredcos_cap_v2"), "linear")
    zero = config.flag("rescale_betas_zero_snr", False)
    if config.values.get("trained_betas"):
        raise config.problem("trained_betas", "null")
    if start > end:
        raise config.problem("beta_start", f"at most beta_end, {end}")
    predicts = _KINDS[config.one_of("prediction_type", tuple(_KINDS), "epsilon")]
    if zero and predicts == "epsilon":
        raise FileProblem(f"{config.where}: epsilon says nothing at zero terminal SNR; v_prediction is needed")
    if shape == "squaredcos_cap_v2":
        table = cosine(T, zero_terminal_snr=zero)
    elif shape == "linear":
        table = from_betas(torch.linspace(start, end, T, dtype=torch.float64), zero)
    else:
        table = from_betas(torch.linspace(start**0.5, end**0.5, T, dtype=torch.float64).square(), zero)
    spacing = "trailing" if zero or config.values.get("timestep_spacing") == "trailing" else "karras"
    return Diffusion(table, predicts, spacing)
