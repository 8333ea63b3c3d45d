"""Euler's method: deterministic, first order, one evaluation per step."""

from __future__ import annotations

from torch import Tensor

from triptych.sampling.sampler import OneEvaluation, SamplerState, refuse_finished, transition


class Euler(OneEvaluation):
    """Karras et al. 2022, algorithm 1 without churn; equal to DDIM with eta 0 (see `sampler.transition`)."""

    name = "euler"

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        here, there = state.schedule.level(state.i), state.schedule.level(state.i + 1)
        return state.next(transition(state.x, x0, here, there))
