"""Every sampler against the reference implementation in diffusers: the same noise, the same toy network, and
the pictures compared after every step. The schedules are our own, so that their tables are compared on the
way.

The toy network knows the answer: pixels are drawn from two bumps at +-1, whose posterior mean is a closed
formula. It is as far from linear as a network would be. The reference calls it through epsilon or v, as a
pipeline does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from triptych.sampling import SAMPLERS, Sampler, Schedule, begin_from_noise, noise, schedules
from triptych.sampling.ancestral import Ddim

diffusers = pytest.importorskip("diffusers")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the reference's own

SHAPE = (3, 8, 8)
SEED, INDEX = 11, 3
TOLERANCE = 1e-5
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


def two_bumps(x: Tensor, alpha: float, sigma: float, width: float = 0.3) -> Tensor:
    """E[x0 | x] for x0 = +-1 + width noise: which bump it was (tanh), then a Gaussian posterior around it."""
    variance = (alpha * width) ** 2 + sigma**2
    bump = torch.tanh(alpha * x / variance)
    return bump + (alpha * width**2 / variance) * (x - alpha * bump)


def ours(sampler: Sampler, schedule: Schedule) -> list[Tensor]:
    """x after the start and after every step."""
    state = begin_from_noise(sampler, schedule, SHAPE, seed=SEED, index=INDEX)
    trajectory = [state.x]
    while not state.done:
        x, _ = sampler.query(state)
        before = state.i
        state = sampler.advance(state, two_bumps(x, *sampler.level(state)))
        if state.i > before:
            trajectory.append(state.x)
    return trajectory


def theirs(scheduler: Any, schedule: Schedule, step: Callable[..., Tensor], *, scaled: bool) -> list[Tensor]:
    """The reference's x in our coordinates. scaled: it works on x / alpha (Karras et al.), not on x."""
    kind = scheduler.config.get("prediction_type", "flow")
    alpha, sigma = schedule.level(0)
    x = sigma * noise.normal(SEED, INDEX, noise.INITIAL, SHAPE)[None]
    sample = x / alpha if scaled else x
    trajectory = [x[0]]
    done = 0
    for call, t in enumerate(scheduler.timesteps, start=1):
        second = getattr(scheduler, "state_in_first_order", True) is False  # Heun's second evaluation of a step
        alpha, sigma = schedule.level(done + 1 if second else done)
        seen = scheduler.scale_model_input(sample, t) if hasattr(scheduler, "scale_model_input") else sample
        x0 = two_bumps(seen, alpha, sigma)
        if kind == "epsilon":
            prediction = (seen - alpha * x0) / sigma
        elif kind == "v_prediction":
            prediction = (alpha * seen - x0) / sigma
        else:
            prediction = (seen - x0) / sigma
        sample = step(scheduler, prediction, t, sample, done)
        # A step of Heun's method ends with its second evaluation, or, at the last level, with its only one.
        if getattr(scheduler, "state_in_first_order", True) or call == len(scheduler.timesteps):
            done += 1
            trajectory.append((sample * schedule.level(done)[0] if scaled else sample)[0])
    return trajectory


def plain(scheduler: Any, prediction: Tensor, t: Tensor, sample: Tensor, done: int) -> Tensor:
    return scheduler.step(prediction, t, sample).prev_sample


def agree(mine: list[Tensor], reference: list[Tensor]) -> None:
    assert len(mine) == len(reference)
    for step, (x, y) in enumerate(zip(mine, reference, strict=True)):
        scale = max(1.0, y.abs().max().item())
        assert (x - y).abs().max().item() <= TOLERANCE * scale, f"after step {step}"


def same_levels(schedule: Schedule, k: Tensor) -> None:
    """The reference lists k = sigma / alpha in float32."""
    torch.testing.assert_close(schedule.sigmas / schedule.alphas, k.double(), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
@pytest.mark.parametrize("spacing", ["trailing", "leading", "karras"])
def test_euler_discrete(steps: int, spacing: str) -> None:
    # Karras levels span the whole table, which the reference only sees through linspace.
    options = {
        "timestep_spacing": "linspace" if spacing == "karras" else spacing,
        "use_karras_sigmas": spacing == "karras",
    }
    scheduler = diffusers.EulerDiscreteScheduler(**SD, steps_offset=1, **options)
    scheduler.set_timesteps(steps)
    schedule = schedules.SCHEDULES_DIFFUSION[spacing](steps, schedules.scaled_linear())
    same_levels(schedule, scheduler.sigmas)
    # Fractional times of Karras levels: interpolated in log k there, in the angle here; a tenth of a step of
    # training.
    tolerance = 0.1 if spacing == "karras" else 0
    torch.testing.assert_close(schedule.times[:-1], scheduler.timesteps.double(), rtol=0, atol=tolerance)
    agree(ours(SAMPLERS["euler"], schedule), theirs(scheduler, schedule, plain, scaled=True))


@pytest.mark.parametrize("steps", [4, 10, 28])  # where the reference's linspace falls on whole times
def test_linspace(steps: int) -> None:
    scheduler = diffusers.EulerDiscreteScheduler(**SD, timestep_spacing="linspace")
    scheduler.set_timesteps(steps)
    schedule = schedules.linspace(steps, schedules.scaled_linear())
    same_levels(schedule, scheduler.sigmas)
    torch.testing.assert_close(schedule.times[:-1], scheduler.timesteps.double(), rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("linear", {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}),
        ("scaled_linear", SD),
        ("cosine", {"beta_schedule": "squaredcos_cap_v2"}),
    ],
)
@pytest.mark.parametrize("zero", [False, True])
def test_noise_tables(name: str, options: dict[str, Any], zero: bool) -> None:
    scheduler = diffusers.DDIMScheduler(**options, rescale_betas_zero_snr=zero)
    table = schedules.NOISE_TABLES[name](zero_terminal_snr=zero)
    # Theirs is a float32 product of a thousand numbers.
    torch.testing.assert_close(table.alphas_cumprod, scheduler.alphas_cumprod.double(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
def test_euler_ancestral_discrete(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = diffusers.EulerAncestralDiscreteScheduler(**SD, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    schedule = schedules.trailing(steps, schedules.scaled_linear())
    module = "diffusers.schedulers.scheduling_euler_ancestral_discrete.randn_tensor"

    def step(scheduler: Any, prediction: Tensor, t: Tensor, sample: Tensor, done: int) -> Tensor:
        monkeypatch.setattr(module, lambda *args, **options: noise.normal(SEED, INDEX, done, SHAPE)[None])
        return plain(scheduler, prediction, t, sample, done)

    agree(ours(SAMPLERS["euler_ancestral"], schedule), theirs(scheduler, schedule, step, scaled=True))


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
@pytest.mark.parametrize("spacing", ["trailing", "karras"])
def test_heun_discrete(steps: int, spacing: str) -> None:
    options = {
        "timestep_spacing": "linspace" if spacing == "karras" else spacing,
        "use_karras_sigmas": spacing == "karras",
    }
    scheduler = diffusers.HeunDiscreteScheduler(**SD, **options)
    scheduler.set_timesteps(steps)
    schedule = schedules.SCHEDULES_DIFFUSION[spacing](steps, schedules.scaled_linear())
    assert len(scheduler.timesteps) == SAMPLERS["heun"].evaluations(steps)
    agree(ours(SAMPLERS["heun"], schedule), theirs(scheduler, schedule, plain, scaled=True))


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
@pytest.mark.parametrize("spacing", ["trailing", "karras"])
@pytest.mark.parametrize(
    ("name", "reference", "options"),
    [
        ("dpmpp_2m", "DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
        ("unipc", "UniPCMultistepScheduler", {"solver_order": 2, "solver_type": "bh2"}),
    ],
)
def test_multistep(name: str, reference: str, options: dict[str, Any], steps: int, spacing: str) -> None:
    scheduler = getattr(diffusers, reference)(
        **SD, **options, timestep_spacing="trailing", use_karras_sigmas=spacing == "karras"
    )
    scheduler.set_timesteps(steps)
    schedule = schedules.SCHEDULES_DIFFUSION[spacing](steps, schedules.scaled_linear())
    same_levels(schedule, scheduler.sigmas)
    agree(ours(SAMPLERS[name], schedule), theirs(scheduler, schedule, plain, scaled=False))


@pytest.mark.parametrize("steps", [5, 10, 20])  # divisors of 1000, where the reference knows its next level
@pytest.mark.parametrize(("eta", "zero"), [(0.0, False), (0.5, False), (1.0, False), (0.0, True), (0.5, True)])
def test_ddim(steps: int, eta: float, zero: bool) -> None:
    """With zero terminal SNR (Lin et al. 2023) the network predicts v.

    There eta 1 is left out: the reference takes the root of 1 - abar' - std^2, which is 0, by rounding an error
    of 3e-4 or NaN.
    """
    scheduler = diffusers.DDIMScheduler(
        **SD,
        clip_sample=False,
        timestep_spacing="trailing",
        rescale_betas_zero_snr=zero,
        prediction_type="v_prediction" if zero else "epsilon",
    )
    scheduler.set_timesteps(steps)
    schedule = schedules.trailing(steps, schedules.scaled_linear(zero_terminal_snr=zero))
    assert schedule.times[:-1].tolist() == scheduler.timesteps.tolist()

    def step(scheduler: Any, prediction: Tensor, t: Tensor, sample: Tensor, done: int) -> Tensor:
        fresh = noise.normal(SEED, INDEX, done, SHAPE)[None]
        return scheduler.step(prediction, t, sample, eta=eta, variance_noise=fresh if eta else None).prev_sample

    agree(ours(Ddim(eta), schedule), theirs(scheduler, schedule, step, scaled=False))


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_flow_match_euler(steps: int, shift: float) -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=torch.linspace(1, 1 / steps, steps).tolist())
    schedule = schedules.flow(steps, shift=shift)
    torch.testing.assert_close(schedule.sigmas, scheduler.sigmas.double(), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(schedule.times[:-1], scheduler.timesteps.double() / 1000, rtol=1e-6, atol=0)
    agree(ours(SAMPLERS["euler"], schedule), theirs(scheduler, schedule, plain, scaled=False))


@pytest.mark.parametrize("tokens", [64, 256, 1024, 4096])
def test_flow_match_dynamic_shift(tokens: int) -> None:
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    slope = (1.15 - 0.5) / (4096 - 256)
    mu = tokens * slope + 0.5 - slope * 256  # calculate_shift of the FLUX pipeline
    scheduler.set_timesteps(sigmas=torch.linspace(1, 0.1, 10).tolist(), mu=mu)
    schedule = schedules.flow_schedule("dynamic", 10, tokens=tokens)
    torch.testing.assert_close(schedule.sigmas, scheduler.sigmas.double(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
def test_flow_heun(steps: int) -> None:
    """The reference does not take a list of levels, and ends above zero: its own levels are handed to both."""
    scheduler = diffusers.FlowMatchHeunDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(steps)
    levels = torch.cat([scheduler.sigmas[:1], scheduler.sigmas[1::2]]).double()
    schedule = Schedule(1 - levels, levels, levels, "flow")
    agree(ours(SAMPLERS["heun"], schedule), theirs(scheduler, schedule, plain, scaled=False))


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
def test_flow_euler_ancestral(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = diffusers.LTXEulerAncestralRFScheduler()
    schedule = schedules.flow(steps, shift=3.0)
    scheduler.set_timesteps(sigmas=schedule.sigmas.float())
    scheduler.timesteps = scheduler.timesteps[:steps]  # it lists the clean level as a time, too
    module = "diffusers.schedulers.scheduling_ltx_euler_ancestral_rf.randn_tensor"

    def step(scheduler: Any, prediction: Tensor, t: Tensor, sample: Tensor, done: int) -> Tensor:
        monkeypatch.setattr(module, lambda *args, **options: noise.normal(SEED, INDEX, done, SHAPE)[None])
        return plain(scheduler, prediction, t, sample, done)

    agree(ours(SAMPLERS["euler_ancestral"], schedule), theirs(scheduler, schedule, step, scaled=False))


@pytest.mark.parametrize("steps", [5, 10, 20, 30])
@pytest.mark.parametrize(
    ("name", "reference"), [("dpmpp_2m", "DPMSolverMultistepScheduler"), ("unipc", "UniPCMultistepScheduler")]
)
def test_flow_multistep(name: str, reference: str, steps: int) -> None:
    """The reference starts a little below pure noise, to keep its logarithms finite: its own levels are
    handed to both.
    """
    scheduler = getattr(diffusers, reference)(use_flow_sigmas=True, flow_shift=3.0, prediction_type="flow_prediction")
    scheduler.set_timesteps(steps)
    levels = scheduler.sigmas.double()
    schedule = Schedule(1 - levels, levels, levels, "flow")
    agree(ours(SAMPLERS[name], schedule), theirs(scheduler, schedule, plain, scaled=False))
