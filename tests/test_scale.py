"""The simulation of a fleet against what is known in closed form, and against itself."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent.parent / "bench"))

from fleet import ALONE, BATCHES, MIXED, Ask, Policy, play

DECODE = {"s": 0.5, "l": 0.5}


def step(size: str, count: int) -> float:
    """Half of a step is shared by all who are in it."""
    return (0.5 + 0.5 * count) * (1.0 if size == "s" else 4.0)


def served(asks: list[Ask], policy: Policy, gpus: int = 1) -> list[tuple[float, float]]:
    outcome = play(asks, gpus, policy, step, DECODE, random.Random(0))
    assert len(outcome.served) == len(asks)
    return sorted((one.ask.arrived, one.finished) for one in outcome.served)


@pytest.mark.parametrize("policy", [ALONE, MIXED, BATCHES])
def test_one_picture_takes_its_steps_and_its_decoding(policy: Policy) -> None:
    assert served([Ask(3.0, "s", 10)], policy) == [(3.0, 3.0 + 10 * 1.0 + 0.5)]


def test_two_that_begin_together_share_every_step() -> None:
    asks = [Ask(0.0, "s", 10), Ask(0.0, "s", 10)]
    # Ten rounds of 1.5 s for both, and then one is decoded after the other.
    assert [finished for _, finished in served(asks, MIXED)] == [15.5, 16.0]


def test_who_comes_within_a_round_joins_the_next_one() -> None:
    # One round of 1 s alone, nine of 1.5 s together; then the first is decoded and the second has one more to itself.
    assert served([Ask(0.0, "s", 10), Ask(0.4, "s", 10)], MIXED) == [(0.0, 15.0), (0.4, 16.5)]


def test_a_short_one_leaves_a_long_one_behind_only_where_they_share() -> None:
    asks = [Ask(0.0, "s", 50), Ask(0.1, "s", 4)]
    mixed, alone, batch = (dict(served(asks, policy)) for policy in (MIXED, ALONE, BATCHES))
    assert mixed[0.1] < 10 < 50 < alone[0.1]
    assert batch[0.1] > 50


def test_waiting_in_front_of_one_server_is_as_the_formula_says() -> None:
    """M/D/1, Pollaczek and Khinchine: the mean wait is load / (2 (1 - load)) times the service."""
    chance, load, service = random.Random(1), 0.7, 10.5
    asks, now = [], 0.0
    for _ in range(60_000):
        now += chance.expovariate(load / service)
        asks.append(Ask(now, "s", 10))
    outcome = play(asks, 1, ALONE, step, DECODE, chance)
    wait = sum(one.seconds for one in outcome.served) / len(asks) - service
    assert wait == pytest.approx(load / (2 * (1 - load)) * service, rel=0.08)
    assert outcome.busy == pytest.approx(load, rel=0.02)


@pytest.mark.parametrize("policy", [ALONE, MIXED, BATCHES])
def test_nobody_is_lost_or_served_before_coming(policy: Policy) -> None:
    chance = random.Random(2)
    asks = sorted((Ask(chance.uniform(0, 400), chance.choice("sl"), chance.choice((4, 28))) for _ in range(300)),
                  key=lambda ask: ask.arrived)  # fmt: skip
    outcome = play(asks, 5, policy, step, DECODE, chance)
    assert sorted(one.ask.arrived for one in outcome.served) == [ask.arrived for ask in asks]
    for one in outcome.served:
        least = one.ask.steps * step(one.ask.size, 1) + 0.5
        assert one.ask.arrived <= one.started
        assert one.finished - one.started >= least - 1e-6
    assert 0 < outcome.busy <= 1
