"""Noise schedules: which noise levels a picture passes through, and what the network is told at each.

Every schedule is a list of levels of x_t = alpha x_0 + sigma eps. Two paths are known:

- `vp`, variance preserving diffusion, alpha^2 + sigma^2 = 1: a table of a thousand trained levels
  (`DiscreteVP`), and a spacing that picks from it. The table belongs to the model, the spacing to the request.
- `flow`, the straight path of rectified flow, alpha + sigma = 1.

This module knows nothing of networks and samplers. k = sigma / alpha is the noise level of Karras et al. 2022.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from triptych.core.errors import InvalidRequest, one_of

Path = Literal["vp", "flow"]


@dataclass(frozen=True, eq=False)
class Schedule:
    """Levels from noise to picture, each a float64 tensor of (steps + 1,).

    alphas, sigmas: x_t = alpha x_0 + sigma eps; the last level is the clean picture, alpha = 1 and sigma = 0.
    times: what the network is given; in steps of training for `vp` (0 to 999), in [0, 1] for `flow`.
    """

    alphas: Tensor
    sigmas: Tensor
    times: Tensor
    path: Path

    @property
    def steps(self) -> int:
        return len(self.alphas) - 1

    def level(self, i: int) -> tuple[float, float]:
        """(alpha, sigma) after i steps."""
        return self.alphas[i].item(), self.sigmas[i].item()

    def time(self, i: int) -> float:
        return self.times[i].item()

    def tail(self, strength: float) -> Schedule:
        """The last part, for a start from a partly noised picture: 0.25 is the last quarter of the steps.

        1 is the whole; at least one step is kept. Raises InvalidRequest outside of (0, 1].
        """
        if not 0 < strength <= 1:
            raise InvalidRequest("strength", f"{strength} is not allowed; more than 0 and at most 1 is")
        start = self.steps - max(1, round(strength * self.steps))
        return Schedule(self.alphas[start:], self.sigmas[start:], self.times[start:], self.path)


def _check_steps(steps: int) -> None:
    if steps < 1:
        raise InvalidRequest("steps", f"{steps} is not allowed; at least 1 is needed")


# ------------------------------------------------------------------------------------------------------- flow


def flow(steps: int, shift: float = 1.0, mu: float | None = None) -> Schedule:
    """Rectified flow (Liu et al. 2022): sigma = t from 1 to 0, alpha = 1 - t, times = t.

    shift: moves steps towards noise, t -> shift t / (1 + (shift - 1) t) (Esser et al. 2024, eq. 23), which a
    larger picture needs, for its noise hides less. mu: log(shift), FLUX's form; it replaces `shift`.
    """
    _check_steps(steps)
    if mu is not None:
        shift = math.exp(mu)
    if not shift > 0:
        raise ValueError(f"shift is {shift}; a positive number is needed")
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    # The same as eq. 23, written so that both ends are exact.
    shifted, rest = shift * t, 1 - t
    sigma, alpha = shifted / (shifted + rest), rest / (shifted + rest)
    return Schedule(alpha, sigma, sigma, "flow")


def dynamic_mu(tokens: int) -> float:
    """FLUX.1's log-shift for a picture of so many tokens: on the line through (256, 0.5) and (4096, 1.15)."""
    return 0.5 + (tokens - 256) * (1.15 - 0.5) / (4096 - 256)


# ---------------------------------------------------------------------------------------- variance preserving


@dataclass(frozen=True, eq=False)
class DiscreteVP:
    """The trained levels of a diffusion model: `alphas_cumprod` (T,) float64, abar_t = alpha_t^2, falling."""

    alphas_cumprod: Tensor

    @property
    def alphas(self) -> Tensor:
        return self.alphas_cumprod.sqrt()

    @property
    def sigmas(self) -> Tensor:
        return (1 - self.alphas_cumprod).sqrt()

    @property
    def angles(self) -> Tensor:
        """phi with alpha = cos phi, sigma = sin phi: finite at zero terminal SNR, where k is not."""
        return torch.atan2(self.sigmas, self.alphas)

    def level(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """(alpha, sigma), float32 of t's shape, at times 0 <= t <= T - 1.

        Exact at whole times (alpha 0 stays 0); between two of them interpolated along the chord, and brought
        back to alpha^2 + sigma^2 = 1.
        """
        alphas, sigmas = self.alphas.to(t.device), self.sigmas.to(t.device)
        exact = t.double().clamp(0, len(alphas) - 1)
        low = exact.floor().long()
        high = (low + 1).clamp(max=len(alphas) - 1)
        alpha = torch.lerp(alphas[low], alphas[high], exact - low)
        sigma = torch.lerp(sigmas[low], sigmas[high], exact - low)
        norm = torch.hypot(alpha, sigma)
        return (alpha / norm).float(), (sigma / norm).float()

    def time_of(self, phi: Tensor) -> Tensor:
        """The fractional times of angles (any shape), the inverse of `level`, clamped to the table's ends."""
        angles = self.angles
        high = torch.searchsorted(angles, phi.contiguous()).clamp(1, len(angles) - 1)
        left, right = angles[high - 1], angles[high]
        return (high - 1) + ((phi - left) / (right - left)).clamp(0, 1)


def from_betas(betas: Tensor, zero_terminal_snr: bool = False) -> DiscreteVP:
    """The table of a list of betas (T,): abar_t = prod (1 - beta).

    zero_terminal_snr: rescale so that the last level is pure noise (Lin et al. 2023, algorithm 1): sqrt(abar)
    is shifted to end in zero and stretched to begin where it began. Such a model predicts v, never epsilon.
    """
    abar = torch.cumprod(1 - betas.double(), 0)
    if zero_terminal_snr:
        root = abar.sqrt()
        abar = ((root - root[-1]) * (root[0] / (root[0] - root[-1]))).square()
    return DiscreteVP(abar)


def linear_beta(T: int = 1000, start: float = 1e-4, end: float = 0.02, zero_terminal_snr: bool = False) -> DiscreteVP:
    """Ho et al. 2020: betas rise linearly."""
    return from_betas(torch.linspace(start, end, T, dtype=torch.float64), zero_terminal_snr)


def scaled_linear(
    T: int = 1000, start: float = 0.00085, end: float = 0.012, zero_terminal_snr: bool = False
) -> DiscreteVP:
    """Latent diffusion (Rombach et al. 2022): sqrt(beta) rises linearly; Stable Diffusion 1.5's numbers."""
    return from_betas(torch.linspace(start**0.5, end**0.5, T, dtype=torch.float64).square(), zero_terminal_snr)


def cosine(T: int = 1000, zero_terminal_snr: bool = False) -> DiscreteVP:
    """Nichol & Dhariwal 2021, eq. 17: abar = cos^2((t + 0.008) / 1.008 * pi / 2), betas capped at 0.999."""
    t = torch.arange(T + 1, dtype=torch.float64) / T
    abar = ((t + 0.008) / 1.008 * (math.pi / 2)).cos().square()
    return from_betas((1 - abar[1:] / abar[:-1]).clamp(max=0.999), zero_terminal_snr)


NOISE_TABLES: dict[str, Callable[..., DiscreteVP]] = {
    "linear": linear_beta,
    "scaled_linear": scaled_linear,
    "cosine": cosine,
}
"""A model's table by the name in its card; each takes `T` and `zero_terminal_snr`."""


# Spacings: whole times (Lin et al. 2023, table 2), so that the network only sees times it was trained at.


def trailing(steps: int, table: DiscreteVP) -> Schedule:
    """From the noisiest level in equal gaps, T-1, T-1 - T/steps, ...: the one for zero terminal SNR."""
    T = len(table.alphas_cumprod)
    return _at_times(_descending([T - i * T / steps for i in range(steps)], steps, T, offset=-1), table)


def leading(steps: int, table: DiscreteVP) -> Schedule:
    """Ends at time 1 and never sees the noisiest level: Stable Diffusion 1.5's own (steps_offset 1)."""
    T = len(table.alphas_cumprod)
    _check_steps(steps)
    gap = T // steps
    offset = 1 if (steps - 1) * gap + 1 < T else 0  # all T steps leave no room for it
    return _at_times(_descending([(steps - 1 - i) * gap for i in range(steps)], steps, T, offset=offset), table)


def linspace(steps: int, table: DiscreteVP) -> Schedule:
    """Both ends included: T-1 ... 0 in equal, rounded gaps."""
    T = len(table.alphas_cumprod)
    times = [(T - 1) * (1 - i / (steps - 1)) for i in range(steps)] if steps > 1 else [T - 1.0]
    return _at_times(_descending(times, steps, T), table)


KARRAS_K_MAX = 80.0
"""sigma_max of Karras et al. 2022, table 1; at k = 80 nothing of the picture is left to see."""


def karras(steps: int, table: DiscreteVP, rho: float = 7.0) -> Schedule:
    """Karras et al. 2022, eq. 5: equal steps in k^(1/rho), between the ends of the model's own table.

    Cosine tables and those of zero terminal SNR go on to k in the hundreds, or to infinity; they are entered at
    KARRAS_K_MAX, for levels beyond it would take steps and give nothing. Times are fractions.
    """
    _check_steps(steps)
    k = table.angles.tan()
    k_min, k_max = k[0].item(), min(k[-1].item(), KARRAS_K_MAX)
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    levels = (k_max ** (1 / rho) + ramp * (k_min ** (1 / rho) - k_max ** (1 / rho))) ** rho
    phi = levels.atan()
    return _end_clean(phi.cos(), phi.sin(), table.time_of(phi))


def _descending(times: list[float], steps: int, T: int, offset: int = 0) -> Tensor:
    if not 1 <= steps <= T:
        raise InvalidRequest("steps", f"{steps} is not allowed; the model was trained with {T} levels, so 1 to {T} are")
    # Python rounds halves to even, as numpy does; the reference schedules are built with numpy.
    return torch.tensor([round(t) + offset for t in times], dtype=torch.long)


def _at_times(times: Tensor, table: DiscreteVP) -> Schedule:
    return _end_clean(table.alphas[times], table.sigmas[times], times.double())


def _end_clean(alphas: Tensor, sigmas: Tensor, times: Tensor) -> Schedule:
    one, zero = torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    return Schedule(torch.cat([alphas, one]), torch.cat([sigmas, zero]), torch.cat([times, zero]), "vp")


# ---------------------------------------------------------------------------------------------------- by name


def _linear_flow(steps: int, shift: float, tokens: int) -> Schedule:
    return flow(steps)


def _shifted_flow(steps: int, shift: float, tokens: int) -> Schedule:
    return flow(steps, shift=shift)


def _dynamic_flow(steps: int, shift: float, tokens: int) -> Schedule:
    return flow(steps, mu=dynamic_mu(tokens))


SCHEDULES_FLOW: dict[str, Callable[[int, float, int], Schedule]] = {
    "linear": _linear_flow,
    "shifted": _shifted_flow,
    "dynamic": _dynamic_flow,
}
SCHEDULES_DIFFUSION: dict[str, Callable[[int, DiscreteVP], Schedule]] = {
    "trailing": trailing,
    "leading": leading,
    "linspace": linspace,
    "karras": karras,
}


def flow_schedule(name: str, steps: int, *, shift: float = 3.0, tokens: int = 256) -> Schedule:
    """A flow model's schedule by name.

    shift: the model's own, for `shifted`. tokens: how many the picture has, for `dynamic`.
    Raises InvalidRequest for an unknown name.
    """
    return SCHEDULES_FLOW[one_of("schedule", name, SCHEDULES_FLOW)](steps, shift, tokens)


def diffusion_schedule(name: str, steps: int, table: DiscreteVP) -> Schedule:
    """A spacing of the model's table by name. Raises InvalidRequest for an unknown name."""
    return SCHEDULES_DIFFUSION[one_of("schedule", name, SCHEDULES_DIFFUSION)](steps, table)
