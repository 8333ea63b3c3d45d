"""UniPC, order 2, B2(h) = exp(h) - 1, data prediction (Zhao et al. 2023): a predictor like DPM-Solver++ (2M),
and a corrector that repairs the last step with the evaluation made for the next one, at no extra cost.
"""

from __future__ import annotations

import math

from torch import Tensor

from triptych.sampling.dpmpp import extrapolate, log_snr
from triptych.sampling.sampler import OneEvaluation, SamplerState, refuse_finished, transition


def corrector_weights(h: float, r: float) -> tuple[float, float]:
    """(weight of the step before, weight of the new evaluation) for UniC of order 2.

    Zhao et al. 2023, section 3.2: rho_1 + rho_2 = b_1 and r rho_1 + rho_2 = b_2, with hh = -h, B = expm1(hh),
    phi_1 = B / hh, b_1 = (phi_1 - 1) / B and b_2 = 2 ((phi_1 - 1) / hh - 1/2) / B.
    r < 0 is the place of the step before, in steps; rho_1 goes with the difference quotient, hence the
    division by r.
    """
    hh = -h
    B = math.expm1(hh)
    phi = B / hh - 1
    b1, b2 = phi / B, 2 * (phi / hh - 0.5) / B
    rho_1 = (b1 - b2) / (1 - r)
    return rho_1 / r, b1 - rho_1


class UniPC(OneEvaluation):
    """history: (x at the start of the last step, x0 there, x0 of the step before that if there is one).

    The first and the last predictor are of first order; a step is corrected in the order it was predicted.
    """

    name = "unipc"

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        schedule, i = state.schedule, state.i
        here, there = schedule.level(i), schedule.level(i + 1)
        x = self._correct(state, x0) if state.history else state.x
        aim = x0
        if state.history and i + 1 < state.total:
            aim = extrapolate(schedule, i, x0, state.history[1])
        return state.next(transition(x, aim, here, there), history=(x, x0, *state.history[1:2]))

    def _correct(self, state: SamplerState, x0: Tensor) -> Tensor:
        """Take step i - 1 again, now that x0 at its end is known."""
        schedule, i = state.schedule, state.i
        x_before, x0_before, *older = state.history
        if older:
            h = log_snr(schedule, i) - log_snr(schedule, i - 1)
            r = (log_snr(schedule, i - 2) - log_snr(schedule, i - 1)) / h
            weight_older, weight_new = corrector_weights(h, r)
            aim = x0_before + weight_new * (x0 - x0_before) + weight_older * (older[0] - x0_before)
        else:
            aim = x0_before + 0.5 * (x0 - x0_before)
        return transition(x_before, aim, schedule.level(i - 1), schedule.level(i))
