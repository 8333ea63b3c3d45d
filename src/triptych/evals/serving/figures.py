"""From samples to what people ask of a server: throughput, percentiles of waiting, goodput. Ratios of paired rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from triptych.evals.serving.loops import Sample
from triptych.evals.serving.workload import Ask

FAIR = 1.25
"""A request is served fairly if it takes at most so many times as long as on a share of the machine of its own."""

Key = tuple[int, int]


@dataclass(frozen=True)
class Round:
    """One server in one round. throughput: requests a second until the last one. p50, p95, p99: seconds of waiting.

    short_p99: the same of few-step requests. goodput: requests a second that were served fairly.
    """

    requests: int
    seconds: float
    throughput: float
    p50: float
    p95: float
    p99: float
    short: int
    short_p99: float
    goodput: float

    def as_json(self) -> dict[str, float | int]:
        return {name: round(value, 4) for name, value in vars(self).items()}


def round_of(samples: Sequence[Sample], alone: Mapping[Key, float], clients: int) -> Round:
    """alone: how long each request takes with the machine to itself; a fair share is `clients` times that."""
    seconds = max(sample.done for sample in samples)
    latencies = np.array([sample.latency for sample in samples])
    short = np.array([sample.latency for sample in samples if sample.ask.short])
    fair = [sample for sample in samples if sample.latency <= FAIR * clients * alone[key(sample.ask)]]
    p50, p95, p99 = (float(np.percentile(latencies, q)) for q in (50, 95, 99))
    return Round(
        requests=len(samples),
        seconds=seconds,
        throughput=len(samples) / seconds,
        p50=p50,
        p95=p95,
        p99=p99,
        short=len(short),
        short_p99=float(np.percentile(short, 99)) if len(short) else float("nan"),
        goodput=len(fair) / seconds,
    )


def key(ask: Ask) -> Key:
    return (ask.client, ask.number)


def service_times(samples: Sequence[Sample]) -> dict[Key, float]:
    """Of a server that serves one by one: the time between two ends is that of the later request alone."""
    ends = sorted(samples, key=lambda sample: sample.done)
    times: dict[Key, float] = {}
    before = 0.0
    for sample in ends:
        times[key(sample.ask)] = sample.done - max(before, sample.asked)
        before = sample.done
    return times


def changed(samples: Sequence[Sample], alone: Sequence[Sample]) -> int:
    """How many pictures are not those that their request makes alone."""
    expected = {key(sample.ask): sample.sha256 for sample in alone}
    return sum(sample.sha256 != expected[key(sample.ask)] for sample in samples)


@dataclass(frozen=True)
class Comparison:
    """One server over another: medians over rounds of the ratio within a round, which share the load of the machine."""

    throughput: float
    short_p99: float
    p50: float
    p99: float
    goodput: float

    def as_json(self) -> dict[str, Any]:
        return {name: round(value, 3) for name, value in vars(self).items()}


def compared(these: Sequence[Round], those: Sequence[Round]) -> Comparison:
    def ratio(name: str) -> float:
        pairs = [(getattr(one, name), getattr(other, name)) for one, other in zip(these, those, strict=True)]
        return median(ours / theirs if theirs else float("inf") for ours, theirs in pairs)

    return Comparison(*(ratio(name) for name in ("throughput", "short_p99", "p50", "p99", "goodput")))


def middle(rounds: Sequence[Round]) -> dict[str, float]:
    """The median of every figure over the rounds, for the reader's feeling."""
    return {name: round(median(getattr(one, name) for one in rounds), 4) for name in vars(rounds[0])}
