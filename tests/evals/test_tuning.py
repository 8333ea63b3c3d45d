"""The walk through the knobs finds the setting that is best by construction, at the right cost, and can be resumed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.request import Request
from triptych.evals.rows import Prompt, prompts
from triptych.evals.tuning import Point, chosen, forwards, front, interval, tune
from triptych.scenes import LEVELS

LATENT = Capabilities(
    family="flow",
    native_size=(64, 64),
    samplers=("euler", "dpmpp_2m", "heun"),
    schedules=("linear", "shifted"),
    steps_range=(1, 200),
)
ASKED = prompts("single", LEVELS["shapes"], "development")[:8]


class Painter:
    """Paints what was asked of it into a pixel: the judge sees the setting, nothing else."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def __call__(self, requests: Sequence[Request]) -> list[np.ndarray]:
        self.requests += requests
        good = [request.guidance == 3.0 and request.schedule == "shifted" for request in requests]
        enough = [(request.steps or 20) >= 8 for request in requests]
        return [np.full((1, 1, 3), 100 * a + 50 * b, dtype=np.uint8) for a, b in zip(good, enough, strict=True)]


def _half_right(asked: Sequence[Prompt], pictures: Sequence[np.ndarray]) -> list[bool]:
    """Right guidance or steps earn every second prompt, both together all."""
    return [picture[0, 0, 0] >= (150 if place % 2 else 50) for place, picture in enumerate(pictures)]


def test_the_walk_ends_at_the_cheapest_of_the_best(tmp_path: Path) -> None:
    painter = Painter()
    points = tune("flow", LATENT, ASKED, painter, _half_right, tmp_path / "log.jsonl")
    best = chosen(points)
    assert best.score == 0.5  # guidance and schedule help together only, and one knob is turned at a time
    painter.requests.clear()

    def knows(asked: Sequence[Prompt], pictures: Sequence[np.ndarray]) -> list[bool]:
        """Eight steps are enough for every second prompt; the others want guidance 3 as well."""
        return [
            (request.steps or 20) >= 8 and (place % 2 == 0 or request.guidance == 3.0)
            for place, request in enumerate(painter.requests[-len(asked) :])
        ]

    points = tune("flow", LATENT, ASKED, painter, knows, tmp_path / "other.jsonl")
    best = chosen(points)
    assert best.score == 1.0
    assert best.setting["guidance"] == 3.0
    # eight steps, with guidance in half of them or in three quarters: the cheapest of what scores 1
    assert (best.setting["steps"], best.forwards) == (8, 12.0)


def test_a_walk_that_was_killed_paints_nothing_twice(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    first = tune("flow", LATENT, ASKED, Painter(), _half_right, log)
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:5]) + "\n" + lines[5][:20])
    painter = Painter()
    again = tune("flow", LATENT, ASKED, painter, _half_right, log)
    assert len(painter.requests) == (len(lines) - 5) * len(ASKED)
    assert [(point.setting, point.score) for point in again] == [(point.setting, point.score) for point in first]


def test_reported_prompts_are_refused(tmp_path: Path) -> None:
    reported = prompts("single", LEVELS["shapes"], "report")[:2]
    with pytest.raises(ValueError, match="development"):
        tune("flow", LATENT, reported, Painter(), _half_right, tmp_path / "log.jsonl")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"steps": 20, "guidance": 2.0}, 40),
        ({"steps": 20, "guidance": 1.0}, 20),
        ({"steps": 20, "guidance": 2.0, "guidance_interval": (0.0, 0.5)}, 30),
        ({"steps": 10, "guidance": 1.0, "sampler": "heun"}, 19),
    ],
)
def test_what_a_setting_costs(fields: dict[str, Any], expected: float) -> None:
    resolved, _ = resolve(Request(prompt="a fox", **fields), LATENT, name="flow")
    assert forwards(resolved, LATENT) == expected


def test_tokens_cost_one_forward_each() -> None:
    takes = Capabilities(family="autoregressive", native_size=(64, 64), token_sampling=True)
    resolved, _ = resolve(Request(prompt="a fox", guidance=2.0), takes, name="tokens")
    assert forwards(resolved, takes, tokens=64) == 128


def test_the_front_keeps_what_nothing_cheaper_reaches() -> None:
    def point(cost: float, score: float) -> Point:
        return Point("steps", {"steps": cost}, score, 0, 1, cost, 0.1, 8)

    kept = front([point(40, 0.8), point(8, 0.5), point(20, 0.9), point(20, 0.7), point(8, 0.4)])
    assert [(each.forwards, each.score) for each in kept] == [(8, 0.5), (20, 0.9)]


def test_the_interval_holds_the_mean_and_narrows_with_more_prompts() -> None:
    few, many = np.array([1, 0, 1, 1.0]), np.array([1, 0, 1, 1.0] * 50)
    low, high = interval(many)
    assert low < 0.75 < high
    assert high - low < (interval(few)[1] - interval(few)[0]) / 3
