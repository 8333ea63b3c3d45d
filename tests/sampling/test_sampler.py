"""What every sampler promises, whatever its method: the same pictures in any company, states that do not
change, and convergence to the true solution. Step by step equality with the reference is in tests/parity.
"""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from triptych.core.errors import InvalidRequest
from triptych.sampling import SAMPLERS, Sampler, SamplerState, Schedule, begin_from_noise, get_sampler, noise, schedules
from triptych.sampling.ancestral import Ddim
from triptych.sampling.heun import heun_weight
from triptych.sampling.sampler import transition

SHAPE = (2, 4, 4)
MEAN, SPREAD = 0.3, 0.5
ALL: list[Sampler] = [*SAMPLERS.values(), Ddim(0.5), Ddim(1.0)]
DETERMINISTIC = [sampler for sampler in ALL if not sampler.stochastic]
SCHEDULES = {
    "flow": lambda steps: schedules.flow(steps, shift=3.0),
    "vp": lambda steps: schedules.trailing(steps, schedules.scaled_linear()),
    "karras": lambda steps: schedules.karras(steps, schedules.scaled_linear()),
    "zero": lambda steps: schedules.trailing(steps, schedules.scaled_linear(zero_terminal_snr=True)),
    "cosine": lambda steps: schedules.trailing(steps, schedules.cosine()),
}


def gaussian(x: Tensor, alpha: float, sigma: float) -> Tensor:
    """E[x0 | x] where x0 is normal with MEAN and SPREAD."""
    return MEAN + (alpha * SPREAD**2 / ((alpha * SPREAD) ** 2 + sigma**2)) * (x - alpha * MEAN)


def exact(x: Tensor, alpha: float, sigma: float) -> Tensor:
    """Where the probability flow ODE carries x for `gaussian`: the same quantile of the picture's
    distribution.
    """
    return MEAN + SPREAD * (x - alpha * MEAN) / math.hypot(alpha * SPREAD, sigma)


def one_step(sampler: Sampler, state: SamplerState) -> SamplerState:
    x, _ = sampler.query(state)
    return sampler.advance(state, gaussian(x, *sampler.level(state)))


def run(sampler: Sampler, schedule: Schedule, seed: int = 5, index: int = 0) -> SamplerState:
    state = begin_from_noise(sampler, schedule, SHAPE, seed=seed, index=index)
    while not state.done:
        state = one_step(sampler, state)
    return state


def error(sampler: Sampler, schedule: Schedule) -> float:
    start = begin_from_noise(sampler, schedule, SHAPE, seed=5, index=0)
    return (run(sampler, schedule).x - exact(start.x, *schedule.level(0))).abs().max().item()


@pytest.mark.parametrize("sampler", DETERMINISTIC, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("name", SCHEDULES)
def test_converges_to_the_exact_solution(sampler: Sampler, name: str) -> None:
    coarse, fine = error(sampler, SCHEDULES[name](25)), error(sampler, SCHEDULES[name](200))
    assert fine < 0.02
    # First order: an eighth. Karras levels end at a fixed k_min, whose last step leaves an error of 0.0014.
    assert fine < max(coarse / 4, 0.002)


@pytest.mark.parametrize(("name", "order"), [("euler", 1), ("heun", 2), ("dpmpp_2m", 2), ("unipc", 2)])
@pytest.mark.parametrize("path", ["flow", "vp"])
def test_order(name: str, order: int, path: str) -> None:
    """Halving the steps divides the error by 2^order. In float64, between two levels away from the ends,
    where neither the last step nor rounding hides it.
    """
    sampler = get_sampler(name)

    def local_error(steps: int) -> float:
        phi = torch.linspace(1.3, 0.5, steps + 1, dtype=torch.float64)
        if path == "vp":
            schedule = Schedule(phi.cos(), phi.sin(), phi, "vp")
        else:
            schedule = Schedule(1 - phi / 1.4, phi / 1.4, phi, "flow")
        # One more level after the last keeps the samplers from treating it as their final step.
        longer = Schedule(
            torch.cat([schedule.alphas, torch.ones(1, dtype=torch.float64)]),
            torch.cat([schedule.sigmas, torch.zeros(1, dtype=torch.float64)]),
            torch.cat([schedule.times, torch.zeros(1, dtype=torch.float64)]),
            schedule.path,
        )
        start = noise.normal(1, 0, -1, SHAPE).double()
        state = SamplerState(start, longer, 0, 1, 0)
        while state.i < steps:
            state = one_step(sampler, state)
        (a0, s0), (a1, s1) = schedule.level(0), schedule.level(steps)
        truth = a1 * MEAN + math.hypot(a1 * SPREAD, s1) * (start - a0 * MEAN) / math.hypot(a0 * SPREAD, s0)
        return (state.x - truth).abs().max().item()

    measured = math.log2(local_error(40) / local_error(80))
    assert measured > order - 0.25


@pytest.mark.parametrize("name", ["flow", "vp", "zero", "karras"])
@pytest.mark.parametrize("sampler", [s for s in ALL if s.stochastic], ids=lambda sampler: sampler.name)
def test_stochastic_samplers_keep_the_distribution(sampler: Sampler, name: str) -> None:
    schedule = SCHEDULES[name](150)
    state = begin_from_noise(sampler, schedule, (1, 64, 64), seed=1, index=0)
    while not state.done:
        state = one_step(sampler, state)
    assert state.x.mean().item() == pytest.approx(MEAN, abs=0.04)
    assert state.x.std().item() == pytest.approx(SPREAD, rel=0.06)


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3, 5])
def test_few_steps_stay_finite_and_counted(sampler: Sampler, name: str, steps: int) -> None:
    schedule = SCHEDULES[name](steps)
    state = begin_from_noise(sampler, schedule, SHAPE, seed=2, index=1)
    asked = 0
    while not state.done:
        x, t = sampler.query(state)
        level = sampler.level(state)
        assert math.isfinite(t)
        state = sampler.advance(state, gaussian(x, *level))
        asked += 1
    assert asked == sampler.evaluations(steps)
    assert state.x.dtype == torch.float32
    assert state.x.isfinite().all()
    # Two steps of Heun's method on Karras levels (k from 14.6 to 0.03) overshoot in the reference just as here.
    assert state.x.abs().max() < (20 if (sampler.name, name, steps) == ("heun", "karras", 2) else 5)


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_network_that_knows_the_picture_is_followed(sampler: Sampler, name: str) -> None:
    """If x0 never changes, every method ends exactly there: extrapolations and corrections of a constant
    vanish.
    """
    picture = noise.normal(9, 0, 0, SHAPE)
    state = begin_from_noise(sampler, SCHEDULES[name](7), SHAPE, seed=2, index=1)
    while not state.done:
        state = sampler.advance(state, picture)
    torch.testing.assert_close(state.x, picture, rtol=0, atol=1e-6)


@given(
    st.randoms(use_true_random=False), st.lists(st.tuples(st.integers(0, 7), st.integers(1, 6)), min_size=2, max_size=6)
)
@settings(max_examples=40, deadline=None)
def test_any_order_of_steps_gives_the_same_pictures(random, mix: list[tuple[int, int]]) -> None:
    """Pictures of different samplers, schedules and lengths take turns at random, as in a batch that others
    join.
    """
    names = list(SCHEDULES)
    jobs = [(ALL[kind], SCHEDULES[names[i % len(names)]](steps), i) for i, (kind, steps) in enumerate(mix)]
    alone = [run(sampler, schedule, seed=4, index=i).x for sampler, schedule, i in jobs]
    states = [begin_from_noise(sampler, schedule, SHAPE, seed=4, index=i) for sampler, schedule, i in jobs]
    while unfinished := [i for i, state in enumerate(states) if not state.done]:
        i = random.choice(unfinished)
        states[i] = one_step(jobs[i][0], states[i])
    for state, expected in zip(states, alone, strict=True):
        assert torch.equal(state.x, expected)


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: sampler.name)
def test_states_do_not_change(sampler: Sampler) -> None:
    """A step taken twice from the same state gives the same, and the state is as it was."""
    state = begin_from_noise(sampler, SCHEDULES["vp"](5), SHAPE, seed=3, index=0)
    for _ in range(3):
        before = (state.x.clone(), state.i, state.stage, [tensor.clone() for tensor in state.history])
        first, second = one_step(sampler, state), one_step(sampler, state)
        assert torch.equal(first.x, second.x)
        assert torch.equal(state.x, before[0])
        assert (state.i, state.stage) == before[1:3]
        assert all(torch.equal(a, b) for a, b in zip(state.history, before[3], strict=True))
        with pytest.raises(FrozenInstanceError):
            state.i = 9  # type: ignore[misc]
        state = first


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: sampler.name)
def test_thread_count_changes_nothing(sampler: Sampler) -> None:
    """Odd sizes, so that a thread's share does not end where a vector register does."""
    threads = torch.get_num_threads()
    pictures = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            state = begin_from_noise(sampler, SCHEDULES["zero"](4), (3, 173, 131), seed=3, index=0)
            while not state.done:
                state = one_step(sampler, state)
            pictures.append(state.x)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], pictures[2])


@pytest.mark.parametrize("sampler", ALL, ids=lambda sampler: sampler.name)
def test_a_finished_picture_is_refused(sampler: Sampler) -> None:
    state = run(sampler, SCHEDULES["flow"](2))
    for act in (lambda: sampler.query(state), lambda: sampler.level(state), lambda: sampler.advance(state, state.x)):
        with pytest.raises(ValueError, match="finished"):
            act()


def test_ddim_without_noise_is_euler_and_with_all_of_it_ancestral() -> None:
    schedule = SCHEDULES["vp"](8)
    assert torch.equal(run(Ddim(0.0), schedule).x, run(get_sampler("euler"), schedule).x)
    assert torch.equal(run(Ddim(1.0), schedule).x, run(get_sampler("euler_ancestral"), schedule).x)
    with pytest.raises(ValueError, match="eta"):
        Ddim(1.5)


def test_seed_and_index_choose_the_picture() -> None:
    for sampler in ALL:
        pictures = [run(sampler, SCHEDULES["flow"](4), seed, index).x for seed, index in [(1, 0), (1, 1), (2, 0)]]
        assert not torch.equal(pictures[0], pictures[1])
        assert not torch.equal(pictures[0], pictures[2])


def test_begin_from_noise() -> None:
    euler, schedule = get_sampler("euler"), SCHEDULES["vp"](10)
    alpha, sigma = schedule.level(0)
    fresh = noise.normal(6, 2, noise.INITIAL, SHAPE)
    assert torch.equal(begin_from_noise(euler, schedule, SHAPE, seed=6, index=2).x, sigma * fresh)
    picture = torch.full(SHAPE, 0.5)
    tail = schedule.tail(0.3)
    alpha, sigma = tail.level(0)
    partly = begin_from_noise(euler, tail, SHAPE, seed=6, index=2, init=picture)
    torch.testing.assert_close(partly.x, alpha * picture + sigma * fresh)
    assert partly.total == 3
    with pytest.raises(ValueError, match="shape"):
        begin_from_noise(euler, tail, SHAPE, seed=6, index=2, init=torch.zeros(1, 2, 3))


def test_transition_keeps_picture_and_noise() -> None:
    x0, eps = noise.normal(1, 0, 0, SHAPE), noise.normal(1, 0, 1, SHAPE)
    moved = transition(0.6 * x0 + 0.8 * eps, x0, (0.6, 0.8), (0.9, 0.2))
    torch.testing.assert_close(moved, 0.9 * x0 + 0.2 * eps)


def test_heun_rules_agree_where_steps_are_short() -> None:
    """The weight used in near-pure noise and k-diffusion's are the same to first order in the step."""

    def level(k: float) -> tuple[float, float]:
        return 1 / math.hypot(1, k), k / math.hypot(1, k)

    noisy = heun_weight(level(2000.0), level(1999.0), "vp")
    usual = heun_weight(level(500.0), level(499.75), "vp") * level(1999.0)[0] / level(499.75)[0]
    assert noisy == pytest.approx(usual, rel=1e-2)


def test_names() -> None:
    assert list(SAMPLERS) == ["euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim", "unipc"]
    assert all(name == sampler.name for name, sampler in SAMPLERS.items())
    with pytest.raises(InvalidRequest, match="euler_ancestral") as caught:
        get_sampler("euler_ancestrl")
    assert caught.value.parameter == "sampler"
