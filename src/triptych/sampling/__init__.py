"""Sampling as pure functions: noise, schedules, parameterizations, samplers, token draws, guidance.

A picture is made by asking a sampler what to show the network (`query`) and handing back the clean picture
that the network saw in it (`advance`). Nothing here runs a loop or a network, or keeps a state of its own.
It imports torch, numpy and core.
"""

from triptych.sampling.parameterization import Kind, target, to_eps, to_x0
from triptych.sampling.registry import SAMPLERS, get_sampler
from triptych.sampling.sampler import Sampler, SamplerState, begin_from_noise
from triptych.sampling.schedules import (
    NOISE_TABLES,
    SCHEDULES_DIFFUSION,
    SCHEDULES_FLOW,
    DiscreteVP,
    Schedule,
    diffusion_schedule,
    flow_schedule,
)

__all__ = [
    "NOISE_TABLES",
    "SAMPLERS",
    "SCHEDULES_DIFFUSION",
    "SCHEDULES_FLOW",
    "DiscreteVP",
    "Kind",
    "Sampler",
    "SamplerState",
    "Schedule",
    "begin_from_noise",
    "diffusion_schedule",
    "flow_schedule",
    "get_sampler",
    "target",
    "to_eps",
    "to_x0",
]
