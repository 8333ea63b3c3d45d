"""Methods that replace a part of the noise at every step: DDIM with eta, and Euler ancestral.

Both step down further than asked, to a level (alpha', sigma' kept), and fill up with fresh noise, so that the
marginal at the next level is right:  x' = alpha' x0 + kept sigma' eps + sqrt(1 - kept^2) sigma' noise. They
differ in `kept`, the share of the standard deviation that the old noise holds.
"""

from __future__ import annotations

import math

from torch import Tensor

from triptych.sampling.sampler import (
    Level,
    OneEvaluation,
    SamplerState,
    fresh_noise,
    refuse_finished,
    transition,
)


def posterior_share(here: Level, there: Level, eta: float) -> float:
    """`kept` of DDIM (Song et al. 2021, eq. 16): all for eta 0; for eta 1 DDPM's exact posterior q(x' | x, x0).

    With q = k' / k the fresh share is eta sqrt(1 - q^2): on the variance preserving path this is eq. 16, and
    for eta 1 it is the ancestral step of k-diffusion, sigma_up^2 = k'^2 (k^2 - k'^2) / k^2. q is 0 from pure
    noise: the next level's noise is all fresh.
    """
    (alpha, sigma), (alpha_to, sigma_to) = here, there
    q = (sigma_to * alpha) / (alpha_to * sigma)
    return math.sqrt(1 - eta * eta * (1 - q * q))


def flow_share(here: Level, there: Level) -> float:
    """`kept` of rectified flow's ancestral step as it is in use: down to sigma'^2 / sigma, then up to sigma'.

    On the way up the picture's share must shrink from 1 - sigma_down to 1 - sigma', which scales the old
    noise too. Unlike the posterior it keeps some of the noise of the first, pure level.
    """
    (_, sigma), (alpha_to, sigma_to) = here, there
    sigma_down = sigma_to * sigma_to / sigma
    return (sigma_to / sigma) * alpha_to / (1 - sigma_down)


def _renoise(state: SamplerState, x0: Tensor, kept: float) -> SamplerState:
    here, (alpha_to, sigma_to) = state.schedule.level(state.i), state.schedule.level(state.i + 1)
    x = transition(state.x, x0, here, (alpha_to, kept * sigma_to))
    fresh = math.sqrt(max(0.0, 1 - kept * kept)) * sigma_to
    return state.next(x + fresh * fresh_noise(state) if fresh > 0 else x)


class Ddim(OneEvaluation):
    """Song et al. 2021, eq. 12. eta in [0, 1]: the share of DDPM's noise that is added at each step."""

    name = "ddim"

    def __init__(self, eta: float = 0.0) -> None:
        if not 0 <= eta <= 1:
            raise ValueError(f"eta is {eta}; 0 to 1 is allowed")
        self.eta = eta
        self.stochastic = eta > 0

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        here, there = state.schedule.level(state.i), state.schedule.level(state.i + 1)
        return _renoise(state, x0, posterior_share(here, there, self.eta))


class EulerAncestral(OneEvaluation):
    """Euler's method with ancestral noise: k-diffusion's on the `vp` path, rectified flow's own on `flow`."""

    name = "euler_ancestral"
    stochastic = True

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        refuse_finished(state)
        here, there = state.schedule.level(state.i), state.schedule.level(state.i + 1)
        kept = flow_share(here, there) if state.schedule.path == "flow" else posterior_share(here, there, eta=1.0)
        return _renoise(state, x0, kept)
