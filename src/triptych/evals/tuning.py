"""Sampling tuned by measurement: what guidance, steps, sampler and schedule do to the share of right pictures.

One knob after the other (`sweeps`), each from the best setting so far, on prompts of the development split alone. A
point is one setting on all prompts, with its cost. The seeds, and so the plans and the noise, are those of the prompts:
points differ by their setting only. Knows no reader and no model: it is handed a painter and a judge.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.events import Pixels
from triptych.core.request import Request
from triptych.evals.rows import Prompt

Setting = Mapping[str, Any]
"""Fields of a request: {"guidance": 2.0, "steps": 20}."""

Paint = Callable[[Sequence[Request]], Sequence[Pixels]]
Judge = Callable[[Sequence[Prompt], Sequence[Pixels]], Sequence[bool]]

RESAMPLES = 2000


@dataclass(frozen=True)
class Sweep:
    """One knob, or a few that belong together, and the settings to try on top of the best so far."""

    name: str
    settings: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Point:
    """score: share of right pictures, low and high its 95 % interval. forwards: network evaluations a picture, guidance
    counted. seconds: wall clock a picture, in company.
    """

    sweep: str
    setting: dict[str, Any]
    score: float
    low: float
    high: float
    forwards: float
    seconds: float
    prompts: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def sweeps(takes: Capabilities) -> list[Sweep]:
    """What is tried for a model, in order; what a later sweep leaves out is the model's own default."""
    guidance = Sweep("guidance", _each("guidance", (2.0, 1.0, 1.5, 3.0, 4.0)))
    if takes.token_sampling:
        return [
            guidance,
            Sweep("temperature", _each("temperature", (0.85, 0.7, 0.5, 0.0))),
            Sweep("top-p", _each("top_p", (0.95, 0.9, 0.8))),
        ]
    # Steps come first: what follows is tried at the fewest that suffice, where settings show and cost little.
    return [
        Sweep("steps", _each("steps", (20, 4, 6, 8, 12, 32))),
        guidance,
        Sweep("sampler", _each("sampler", takes.samplers)),
        Sweep("schedule", _each("schedule", takes.schedules[1:])),
        Sweep("interval", _each("guidance_interval", ((0.0, 0.75), (0.0, 0.5), (0.25, 1.0)))),
        Sweep("rescale", _each("guidance_rescale", (0.5, 0.9))),
        Sweep("steps again", _each("steps", (2, 4, 8, 16, 32))),
    ]


def tune(
    model: str,
    takes: Capabilities,
    prompts: Sequence[Prompt],
    paint: Paint,
    judge: Judge,
    log: Path,
    report: Callable[[str], None] = lambda line: None,
) -> list[Point]:
    """Walk through the sweeps; return all points. `log` is a file of lines that a killed walk goes on from."""
    if any(prompt.split != "development" for prompt in prompts):
        raise ValueError("settings are chosen on development prompts only")
    done = {_key(point.setting): point for point in _read(log, len(prompts))}
    points: list[Point] = []
    best: list[Point] = []
    for sweep in sweeps(takes):
        here = list(best)
        for setting in sweep.settings:
            tried = dict(best[0].setting if best else {}) | setting
            point = done.get(_key(tried)) or _measure(model, takes, sweep.name, tried, prompts, paint, judge)
            if _key(tried) not in done:
                done[_key(tried)] = point
                with log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(point.as_json()) + "\n")
            here.append(point)
            points.append(point)
            report(f"{model}  {sweep.name:<12}{point.score:.3f}  {point.forwards:5.0f} forwards  {tried}")
        best = [chosen(here)] if here else best
    return points


def chosen(points: Iterable[Point], within: float = 0.01) -> Point:
    """The cheapest of the points whose score is within a hundredth of the best one's; of equals the first."""
    all_ = list(points)
    top = max(point.score for point in all_)
    return min((point for point in all_ if point.score >= top - within), key=lambda point: point.forwards)


def front(points: Iterable[Point]) -> list[Point]:
    """The points that no other one beats at their cost or less, from cheap to dear: quality against time."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.forwards, -point.score)):
        if not kept or point.score > kept[-1].score:
            kept.append(point)
    return kept


def forwards(request: Request, takes: Capabilities, tokens: int = 0) -> float:
    """Network evaluations that a resolved request takes a picture; a guided step is two, and Heun asks twice a step."""
    guided = request.guidance not in (None, 1.0)
    if takes.token_sampling:
        return tokens * (2 if guided else 1)
    steps = request.steps or 0
    evaluations = 2 * steps - 1 if request.sampler == "heun" else steps
    start, end = request.guidance_interval or (0.0, 1.0)
    share = (end - start) if guided else 0.0
    return evaluations * (1 + share)


def _measure(
    model: str,
    takes: Capabilities,
    sweep: str,
    setting: Setting,
    prompts: Sequence[Prompt],
    paint: Paint,
    judge: Judge,
) -> Point:
    requests = [Request(prompt=prompt.text, model=model, seed=prompt.seed(0), **setting) for prompt in prompts]
    started = time.perf_counter()
    pictures = paint(requests)
    seconds = (time.perf_counter() - started) / len(prompts)
    right = np.array(judge(prompts, pictures), dtype=float)
    low, high = interval(right)
    resolved, _ = resolve(requests[0], takes, name=model)
    side = takes.native_size[0] // 8
    cost = forwards(resolved, takes, tokens=side * side)
    return Point(sweep, dict(setting), float(right.mean()), low, high, cost, seconds, len(prompts))


def interval(right: np.ndarray) -> tuple[float, float]:
    """95 % interval of a mean by the bootstrap over prompts (Efron 1979), with a fixed seed."""
    random = np.random.default_rng(0)
    means = right[random.integers(0, len(right), (RESAMPLES, len(right)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _each(name: str, values: Iterable[Any]) -> tuple[dict[str, Any], ...]:
    return tuple({name: value} for value in values)


def _key(setting: Setting) -> str:
    return json.dumps(dict(setting), sort_keys=True)


def _read(log: Path, prompts: int) -> list[Point]:
    """What an earlier walk measured on as many prompts; its last line may be half written."""
    points: list[Point] = []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        try:
            point = Point(**json.loads(line))
        except ValueError:
            continue
        if point.prompts == prompts:
            points.append(point)
    return points
