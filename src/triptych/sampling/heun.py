"""Heun's method: second order, two evaluations per step, the last step one (Karras et al. 2022, algorithm 1).

The slope at both ends of the step is averaged. Because Euler's guess x' lies on the line through the first
x0, both slopes can be written at x', and their difference is a multiple of the change of x0: the correction
is x' + weight (x0_second - x0_first), and that weight is all that the path decides.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from triptych.sampling.sampler import Level, SamplerState, refuse_finished, transition
from triptych.sampling.schedules import Path, Schedule

PURE_NOISE = 1e-3
"""Below this alpha a level counts as pure noise."""


def heun_weight(here: Level, there: Level, path: Path) -> float:
    """Half the step times the change of the slope per change of x0.

    flow: slope (x - x0) / sigma, in sigma. vp: slope (x / alpha - x0) / k, in k = sigma / alpha, as
    k-diffusion has it. In pure noise k is huge or infinite, and a step in it would blow a small change of x0
    up; there x0 itself is averaged, the trapezoid rule of the exponential integrator. Where steps are short
    the two agree.
    """
    (alpha, sigma), (alpha_to, sigma_to) = here, there
    if path == "flow":
        return 0.5 * (sigma / sigma_to - 1)
    if alpha < PURE_NOISE:
        return 0.5 * (alpha_to - alpha * sigma_to / sigma)
    return 0.5 * alpha_to * (sigma * alpha_to / (alpha * sigma_to) - 1)


class Heun:
    """history: (x0 of the first evaluation,) while the second is awaited; x is then Euler's guess."""

    name = "heun"
    stochastic = False

    def evaluations(self, steps: int) -> int:
        return 2 * steps - 1

    def begin(self, x: Tensor, schedule: Schedule, seed: int, index: int) -> SamplerState:
        return SamplerState(x.float(), schedule, 0, seed, index)

    def query(self, state: SamplerState) -> tuple[Tensor, float]:
        refuse_finished(state)
        return state.x, state.schedule.time(state.i + state.stage)

    def level(self, state: SamplerState) -> Level:
        refuse_finished(state)
        return state.schedule.level(state.i + state.stage)

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        here, there = state.schedule.level(state.i), state.schedule.level(state.i + 1)
        if state.stage == 1:
            (first,) = state.history
            return state.next(state.x + heun_weight(here, there, state.schedule.path) * (x0 - first))
        guess = transition(state.x, x0, here, there)
        if state.i + 1 == state.total:  # the slope at sigma 0 is undefined, and Euler's step is exact: x0
            return state.next(guess)
        return replace(state, x=guess, stage=1, history=(x0,))
