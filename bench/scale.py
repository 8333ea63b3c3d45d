"""What a picture costs and how long clients wait, on 10 to 1,000 GPUs over a day: a simulation, not a measurement.

    python bench/scale.py [--costs published|flow] [--price 2.5] [--load 0.7] [--gpus 10,100,1000]

`--costs flow` measures the step costs of the built-in flow model on this machine's CPU first, and plays those.
`published` takes figures that others measured on an H200 (their sources are printed). All else that is assumed is
printed above the table.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from fleet import ALONE, BATCHES, MIXED, Ask, Policy, Served, play

SIZES = {"512x512": 0.7, "1024x1024": 0.3}
STEPS = {4: 0.3, 28: 0.5, 50: 0.2}
WAVE = 0.6
"""The busiest hour has 1 + WAVE times the mean, the quietest 1 - WAVE."""
HOURS, WINDOW, WARM = 8, 300.0, 60.0
"""How many hours of the day are played, seconds of each, and those at its beginning that do not count."""
SEED = 5


@dataclass(frozen=True)
class Costs:
    """seconds[size][k]: of a step that 2**k pictures share; decode: seconds of a picture at its end."""

    source: str
    seconds: dict[str, tuple[float, ...]]
    decode: dict[str, float]

    def step(self, size: str, count: int) -> float:
        """Between two measured widths on a straight line; beyond the last one in proportion."""
        known = self.seconds[size]
        below = min(int(math.log2(count)), len(known) - 1)
        low, high = 2**below, 2 ** (below + 1)
        if below == len(known) - 1:
            return known[below] * count / low
        return known[below] + (known[below + 1] - known[below]) * (count - low) / (high - low)


def published() -> Costs:
    """A FLUX.1-dev class model of 12 billion parameters in bf16 on one H200.

    3.50 s for 28 steps at 1024x1024, alone and compiled (SGLang, pull request 19673); a second picture in the forward
    makes it 1.02 times as fast, so the chip is full with one. 512x512 is a quarter of the tokens: the full chip takes a
    quarter of the time, and one picture alone reaches 1/3.21 of that rate; 2, 4, 8 and 16 reach 1.82, 2.77, 3.14 and
    3.21 times the rate of one (the same project, pull request 22183, on another model of this class).
    """
    large = 3.50 / 28
    alone = large / 4 * 3.21
    return Costs(
        "published, H200, FLUX.1-dev class: SGLang pull requests 19673 and 22183",
        {
            "1024x1024": (large, 2 * large / 1.02),
            "512x512": tuple(alone * 2**k / rate for k, rate in enumerate((1, 1.82, 2.77, 3.14, 3.21))),
        },
        {"1024x1024": 0.06, "512x512": 0.015},
    )


def measured(model: str) -> Costs:
    """The built-in model here: runs of few and of more steps, whose difference is the steps alone. Medians of 5.

    The two sizes of the traffic are the model's own size and half of it.
    """
    from triptych import Engine, Request
    from triptych.library import Library

    def seconds(size: int, count: int, steps: int) -> float:
        requests = [
            Request(prompt="a red fox", model=model, seed=n, steps=steps, width=size, height=size, use_plan=False)
            for n in range(count)
        ]
        began = time.perf_counter()
        Engine(Library(), largest_batch=count).generate_many(requests)
        return time.perf_counter() - began

    few, more = 2, 8
    table, decode = {}, {}
    for name, size in (("1024x1024", 256), ("512x512", 128)):
        row = []
        for count in (1, 2, 4, 8):
            rounds = [(seconds(size, count, few), seconds(size, count, more)) for _ in range(5)]
            step = statistics.median((after - before) / (more - few) for before, after in rounds)
            row.append(max(step, 1e-4))
            if count == 1:
                decode[name] = max(statistics.median(before for before, _ in rounds) - few * step, 0.0)
        table[name] = tuple(row)
    return Costs(f"measured here, CPU, model {model}: 256x256 stands for 1024x1024, 128x128 for 512x512", table, decode)


def capacity(costs: Costs, room: int) -> float:
    """Pictures a second of one GPU that is never idle and holds `room` pictures of the traffic's mix."""
    mean_steps = sum(steps * part for steps, part in STEPS.items())
    shares = {size: room * part for size, part in SIZES.items()}
    step = sum(costs.step(size, max(round(share), 1)) for size, share in shares.items()) / room
    decode = sum(costs.decode[size] * part for size, part in SIZES.items())
    return 1 / (mean_steps * step + decode)


def hour(rate: float, seconds: float, chance: random.Random) -> Iterator[Ask]:
    """Requests at `rate` a second, independent of each other (Poisson), of the mix above."""
    now = 0.0
    while (now := now + chance.expovariate(rate)) < seconds:
        size = chance.choices(list(SIZES), list(SIZES.values()))[0]
        yield Ask(now, size, chance.choices(list(STEPS), list(STEPS.values()))[0])


def rates(mean: float) -> list[float]:
    """Requests a second of the hours that are played, evenly over the day."""
    return [mean * (1 + WAVE * math.sin(2 * math.pi * at / HOURS)) for at in range(HOURS)]


@dataclass(frozen=True)
class Day:
    served: list[Served]
    dollars_per_thousand: float
    overloaded: int
    """Hours in which the queue held more than a request for each GPU when the window ended."""


def day(costs: Costs, gpus: int, policy: Policy, mean: float, price: float, follow: float | None) -> Day:
    """A window of each hour. follow: the fleet of an hour is what its traffic needs at this load, not `gpus`."""
    chance = random.Random(SEED)
    served: list[Served] = []
    paid = made = 0.0
    overloaded = 0
    for rate in rates(mean):
        fleet = gpus if follow is None else min(gpus, max(1, math.ceil(rate / (capacity(costs, policy.room) * follow))))
        outcome = play(hour(rate, WINDOW, chance), fleet, policy, costs.step, costs.decode, chance)
        paid += fleet
        made += rate * 3600
        overloaded += outcome.waiting > fleet
        served += [one for one in outcome.served if one.ask.arrived >= WARM]
    return Day(served, 1000 * paid * price / made, overloaded)


def quantile(values: list[float], q: float) -> float:
    return sorted(values)[min(int(q * len(values)), len(values) - 1)] if values else math.nan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--costs", choices=("published", "flow"), default="published")
    parser.add_argument("--price", type=float, default=2.5, help="dollars for a GPU and an hour")
    parser.add_argument("--load", type=float, default=0.55, help="mean traffic, in parts of what MIXED can do")
    parser.add_argument("--gpus", default="10,100,1000")
    given = parser.parse_args()
    costs = published() if given.costs == "published" else measured(given.costs)

    print("assumed")
    print(f"  step costs: {costs.source}")
    for size, row in costs.seconds.items():
        shown = ", ".join(f"{2**k}: {1000 * seconds:.0f}" for k, seconds in enumerate(row))
        print(
            f"    {size}: ms of a step by pictures that share it: {shown}; decoding {1000 * costs.decode[size]:.0f} ms"
        )
    print(f"  requests: independent (Poisson), sizes {SIZES}, steps {STEPS}, one picture each")
    print(f"  a day: the busiest hour has {1 + WAVE:.1f} times the mean, the quietest {1 - WAVE:.1f} times")
    print(f"  traffic: over the day {given.load:.2f} of what the fleet can do step by step; the same for all rows")
    print(f"  played: {WINDOW:.0f} s of {HOURS} hours, evenly over the day; the first {WARM:.0f} s do not count")
    print("  an hour is overloaded if more than a request for each GPU waits at its end: waits would go on growing")
    print(f"  a GPU and hour: ${given.price:.2f}; nothing else costs, nothing breaks, the network takes no time")
    print("  the fleet that follows has, each hour, what its traffic needs at 0.8 load; starting a GPU takes no time")
    print()
    heads = f"{'pictures/h':>11}{'$/1000':>8}{'p50 s':>8}{'p99 s':>9}{'p99 of 4 steps':>16}{'overloaded':>12}"
    print(f"{'GPUs':>5}  {'how':<40}{heads}")
    for gpus in (int(text) for text in given.gpus.split(",")):
        mean = given.load * gpus * capacity(costs, MIXED.room)
        for policy, follow in ((MIXED, None), (MIXED, 0.8), (BATCHES, None), (ALONE, None)):
            played = day(costs, gpus, policy, mean, given.price, follow)
            seconds = [one.seconds for one in played.served]
            short = [one.seconds for one in played.served if one.ask.steps == min(STEPS)]
            name = policy.name + (", fleet follows" if follow else "")
            print(
                f"{gpus:>5}  {name:<40}{3600 * mean:>11,.0f}{played.dollars_per_thousand:>8.2f}"
                f"{quantile(seconds, 0.5):>8.1f}{quantile(seconds, 0.99):>9.1f}{quantile(short, 0.99):>16.1f}"
                f"{played.overloaded:>7} of {HOURS}",
                flush=True,
            )
        print(f"{'':>5}  the queue's database: {8 * mean * (1 + WAVE):,.0f} rows a second in the busiest hour")


if __name__ == "__main__":
    main()
