"""Schedules fall from noise to the clean picture, on their path, and fail with a sentence."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import InvalidRequest
from triptych.sampling import schedules
from triptych.sampling.schedules import DiscreteVP, Schedule

TABLES = {
    f"{name}{' zero' if zero else ''}": make(zero_terminal_snr=zero)
    for name, make in schedules.NOISE_TABLES.items()
    for zero in (False, True)
}


def check(schedule: Schedule, steps: int) -> None:
    assert schedule.steps == steps
    for values in (schedule.alphas, schedule.sigmas, schedule.times):
        assert values.dtype == torch.float64
        assert values.shape == (steps + 1,)
    assert schedule.level(steps) == (1.0, 0.0)
    assert (schedule.alphas.diff() > 0).all()
    assert (schedule.sigmas.diff() < 0).all()
    assert (schedule.times.diff() <= 0).all()
    assert (schedule.times[:-1].diff() < 0).all()
    if schedule.path == "flow":
        path = schedule.alphas + schedule.sigmas
    else:
        path = schedule.alphas**2 + schedule.sigmas**2
    torch.testing.assert_close(path, torch.ones_like(path), rtol=0, atol=1e-12)


@given(st.integers(1, 300), st.floats(0.1, 12))
def test_flow_falls(steps: int, shift: float) -> None:
    schedule = schedules.flow(steps, shift)
    check(schedule, steps)
    assert schedule.level(0) == (0.0, 1.0)


@given(st.sampled_from(sorted(schedules.SCHEDULES_DIFFUSION)), st.sampled_from(sorted(TABLES)), st.integers(1, 1000))
@settings(max_examples=150, deadline=None)
def test_diffusion_falls(spacing: str, table: str, steps: int) -> None:
    check(schedules.diffusion_schedule(spacing, steps, TABLES[table]), steps)


def test_flow_shift() -> None:
    t = schedules.flow(10).times
    torch.testing.assert_close(schedules.flow(10, shift=3).times, 3 * t / (1 + 2 * t))
    torch.testing.assert_close(schedules.flow(10, mu=math.log(3)).times, schedules.flow(10, shift=3).times)
    assert schedules.dynamic_mu(256) == pytest.approx(0.5)
    assert schedules.dynamic_mu(4096) == pytest.approx(1.15)
    with pytest.raises(ValueError, match="shift"):
        schedules.flow(4, shift=0)


def test_flow_names() -> None:
    assert torch.equal(schedules.flow_schedule("linear", 8, shift=5).times, schedules.flow(8).times)
    assert torch.equal(schedules.flow_schedule("shifted", 8, shift=5).times, schedules.flow(8, 5).times)
    mu = schedules.dynamic_mu(1024)
    assert torch.equal(schedules.flow_schedule("dynamic", 8, tokens=1024).times, schedules.flow(8, mu=mu).times)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_table(name: str) -> None:
    table = TABLES[name]
    assert len(table.alphas_cumprod) == 1000
    assert (table.alphas_cumprod.diff() < 0).all()
    assert (table.alphas_cumprod[-1] == 0) == ("zero" in name)


def test_zero_terminal_snr_keeps_the_first_level() -> None:
    assert TABLES["scaled_linear zero"].alphas_cumprod[0] == pytest.approx(TABLES["scaled_linear"].alphas_cumprod[0])


@pytest.mark.parametrize("name", sorted(TABLES))
def test_level_at_whole_and_fractional_times(name: str) -> None:
    table = TABLES[name]
    alpha, sigma = table.level(torch.arange(1000))
    assert alpha.dtype == torch.float32
    torch.testing.assert_close(alpha, table.alphas.float())
    torch.testing.assert_close(sigma, table.sigmas.float())
    alpha, sigma = table.level(torch.tensor([[0.5, 499.25], [998.5, 999.0]]))
    assert alpha.shape == (2, 2)
    torch.testing.assert_close(alpha**2 + sigma**2, torch.ones(2, 2))
    assert table.alphas[500] < alpha[0, 1] < table.alphas[499]
    assert (alpha[1, 1] == 0) == ("zero" in name)


@given(st.sampled_from(sorted(TABLES)), st.floats(0, 999))
@settings(deadline=None)
def test_time_of_inverts_level(name: str, t: float) -> None:
    table = TABLES[name]
    alpha, sigma = table.level(torch.tensor(t, dtype=torch.float64))
    # float32 levels are closer together than their rounding at the ends of some tables.
    assert table.time_of(torch.atan2(sigma.double(), alpha.double())).item() == pytest.approx(t, abs=0.05)


def test_trailing_begins_in_the_last_trained_level_and_leading_ends_at_one() -> None:
    table = TABLES["scaled_linear"]
    assert schedules.trailing(4, table).times.tolist() == [999, 749, 499, 249, 0]
    assert schedules.leading(4, table).times.tolist() == [751, 501, 251, 1, 0]
    assert schedules.linspace(4, table).times.tolist() == [999, 666, 333, 0, 0]
    assert schedules.leading(1000, table).times[0] == 999
    assert schedules.linspace(1, table).times[0] == 999


def test_karras_levels() -> None:
    """Karras et al. 2022, eq. 5, computed for the middle of three levels."""
    schedule = schedules.karras(3, TABLES["scaled_linear"])
    k = (schedule.sigmas / schedule.alphas).tolist()
    assert k[0] == pytest.approx(14.6146, rel=1e-4)
    assert k[2] == pytest.approx(0.0292, rel=1e-2)
    assert k[1] == pytest.approx(((k[0] ** (1 / 7) + k[2] ** (1 / 7)) / 2) ** 7)


@pytest.mark.parametrize("name", ["cosine", "cosine zero", "scaled_linear zero"])
def test_karras_wastes_no_steps_on_pure_noise(name: str) -> None:
    alpha, sigma = schedules.karras(10, TABLES[name]).level(0)
    assert sigma / alpha == pytest.approx(schedules.KARRAS_K_MAX)


def test_tail() -> None:
    schedule = schedules.flow(20)
    assert schedule.tail(1).steps == 20
    assert torch.equal(schedule.tail(0.25).sigmas, schedule.sigmas[15:])
    assert schedule.tail(0.001).steps == 1
    for strength in (0, -1, 1.1, math.nan):
        with pytest.raises(InvalidRequest, match="strength"):
            schedule.tail(strength)


@pytest.mark.parametrize("steps", [0, -3])
def test_no_steps(steps: int) -> None:
    with pytest.raises(InvalidRequest, match="steps"):
        schedules.flow(steps)
    for make in schedules.SCHEDULES_DIFFUSION.values():
        with pytest.raises(InvalidRequest, match="steps"):
            make(steps, TABLES["linear"])


def test_more_steps_than_levels() -> None:
    small = DiscreteVP(torch.linspace(0.99, 0.01, 10, dtype=torch.float64))
    assert schedules.trailing(10, small).times.tolist() == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    with pytest.raises(InvalidRequest, match="10 levels"):
        schedules.trailing(11, small)


def test_unknown_names_name_the_close_ones() -> None:
    with pytest.raises(InvalidRequest, match="karras"):
        schedules.diffusion_schedule("karas", 5, TABLES["linear"])
    with pytest.raises(InvalidRequest, match="dynamic"):
        schedules.flow_schedule("dynamical", 5)
