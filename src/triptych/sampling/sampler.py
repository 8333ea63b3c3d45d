"""The state of a picture that a sampler works on, and the doors that every sampler has.

A sampler is pure functions over an immutable state; the loop is the caller's:

    state = begin_from_noise(sampler, schedule, shape, seed=7, index=0)
    while not state.done:
        x, t = sampler.query(state)
        state = sampler.advance(state, x0)      # x0: the clean picture that the network sees in x at time t

Whatever the network predicts, `advance` is handed x0 ("denoised", the convention of k-diffusion; see
`parameterization.to_x0`). Every deterministic first-order method is then one line, `transition`.

Coefficients are Python floats (float64), x is float32. Sums are written as separate products and additions,
never lerp or addcmul: those may fuse, and round differently where a thread's share of the tensor ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from triptych.sampling import noise
from triptych.sampling.schedules import Schedule

Level = tuple[float, float]
"""(alpha, sigma)"""


@dataclass(frozen=True, eq=False)
class SamplerState:
    """One picture under way.

    x: (C, H, W) float32, unbatched. i: finished steps of the schedule. seed, index: the address of its noise.
    stage: evaluations already made of step i. history: what the method remembers, each in its own way.
    """

    x: Tensor
    schedule: Schedule
    i: int
    seed: int
    index: int
    stage: int = 0
    history: tuple[Tensor, ...] = ()

    @property
    def total(self) -> int:
        return self.schedule.steps

    @property
    def done(self) -> bool:
        return self.i >= self.total

    def next(self, x: Tensor, history: tuple[Tensor, ...] = ()) -> SamplerState:
        """The state after step i, at `x`."""
        return replace(self, x=x, i=self.i + 1, stage=0, history=history)


class Sampler(Protocol):
    """The doors. A sampler holds settings only: one object serves all pictures at once."""

    @property
    def name(self) -> str: ...

    @property
    def stochastic(self) -> bool:
        """Whether fresh noise is added on the way."""
        ...

    def evaluations(self, steps: int) -> int:
        """Calls of the network for so many steps."""
        ...

    def begin(self, x: Tensor, schedule: Schedule, seed: int, index: int) -> SamplerState:
        """Start from x, which is at the schedule's first level."""
        ...

    def query(self, state: SamplerState) -> tuple[Tensor, float]:
        """What to show the network: (x, time). Raises ValueError when the picture is finished."""
        ...

    def level(self, state: SamplerState) -> Level:
        """(alpha, sigma) of the query."""
        ...

    def advance(self, state: SamplerState, x0: Tensor) -> SamplerState:
        """Take the network's clean picture for the query, and go on."""
        ...


class OneEvaluation:
    """The doors that all methods with one evaluation per step share; they add `name` and `advance`."""

    stochastic = False

    def evaluations(self, steps: int) -> int:
        return steps

    def begin(self, x: Tensor, schedule: Schedule, seed: int, index: int) -> SamplerState:
        return SamplerState(x.float(), schedule, 0, seed, index)

    def query(self, state: SamplerState) -> tuple[Tensor, float]:
        refuse_finished(state)
        return state.x, state.schedule.time(state.i)

    def level(self, state: SamplerState) -> Level:
        refuse_finished(state)
        return state.schedule.level(state.i)


def refuse_finished(state: SamplerState) -> None:
    if state.done:
        raise ValueError(f"the picture is finished: all {state.total} steps are done")


def transition(x: Tensor, x0: Tensor, level: Level, to: Level) -> Tensor:
    """Carry x from one level to another along the line through x0: x' = alpha' x0 + sigma' eps.

    With eps = (x - alpha x0) / sigma this is DDIM (Song et al. 2021, eq. 12, eta 0), Euler's method for the
    probability flow ODE of Karras et al. 2022 in k = sigma / alpha, Euler's method for a rectified flow in
    sigma, and the first-order DPM-Solver++ (Lu et al. 2022b), all at once. Nothing divides by alpha: it may
    be 0.
    """
    (alpha, sigma), (alpha_to, sigma_to) = level, to
    ratio = sigma_to / sigma
    return ratio * x + (alpha_to - ratio * alpha) * x0


def fresh_noise(state: SamplerState) -> Tensor:
    """The noise of the state's step, on x's device."""
    return noise.normal(state.seed, state.index, state.i, state.x.shape).to(state.x.device)


def begin_from_noise(
    sampler: Sampler,
    schedule: Schedule,
    shape: Sequence[int],
    *,
    seed: int,
    index: int,
    init: Tensor | None = None,
    device: torch.device | str = "cpu",
) -> SamplerState:
    """Start picture `index` of `seed` at the schedule's first level, of shape (C, H, W).

    init: (C, H, W), a picture to start from; it shows through as that level lets it (see `Schedule.tail`).
    """
    alpha, sigma = schedule.level(0)
    x = sigma * noise.normal(seed, index, noise.INITIAL, shape).to(device)
    if init is not None:
        if tuple(init.shape) != tuple(shape):
            raise ValueError(f"init has shape {tuple(init.shape)}; {tuple(shape)} is needed")
        x = x + alpha * init.to(x)
    return sampler.begin(x, schedule, seed, index)
