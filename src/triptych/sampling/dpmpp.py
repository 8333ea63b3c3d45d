"""DPM-Solver++ (2M), Lu et al. 2022b: second order from one evaluation per step and the memory of the last.

Both multistep methods here (this and UniPC) are exact in the linear part and extrapolate x0 in lambda, half
the log signal-to-noise ratio; the step itself is `sampler.transition` towards the extrapolated picture.
"""

from __future__ import annotations

import math

from torch import Tensor

from triptych.sampling.sampler import OneEvaluation, SamplerState, refuse_finished, transition
from triptych.sampling.schedules import Schedule


def log_snr(schedule: Schedule, i: int) -> float:
    """lambda = log(alpha / sigma) after i steps; -inf for pure noise, +inf for the clean picture."""
    alpha, sigma = schedule.level(i)
    if alpha == 0:
        return -math.inf
    return math.inf if sigma == 0 else math.log(alpha / sigma)


def extrapolate(schedule: Schedule, i: int, x0: Tensor, before: Tensor) -> Tensor:
    """x0 in the middle of step i, on the line through the last two: x0 + (h / 2 h_before) (x0 - before).

    Lu et al. 2022b, algorithm 2. A step that began in pure noise is infinitely long, and lends no slope.
    """
    h = log_snr(schedule, i + 1) - log_snr(schedule, i)
    h_before = log_snr(schedule, i) - log_snr(schedule, i - 1)
    return x0 + (0.5 * h / h_before) * (x0 - before)


class DpmSolverPlusPlus2M(OneEvaluation):
    """history: (x0 of the step before,). The first and the last step are of first order."""

    name = "dpmpp_2m"

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        here, there = state.schedule.level(state.i), state.schedule.level(state.i + 1)
        aim = x0
        if state.history and state.i + 1 < state.total:
            aim = extrapolate(state.schedule, state.i, x0, state.history[0])
        return state.next(transition(state.x, aim, here, there), history=(x0,))
