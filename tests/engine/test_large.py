"""Large pictures and regions in the engine: the same pixels in any company and with one thread or two, step by step."""

from __future__ import annotations

import pytest
import torch

from triptych.core.events import Finished, Stepped
from triptych.core.inputs import Region
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library

REGIONS = (
    Region(prompt="a red circle", box=(0.0, 0.0, 0.5, 1.0)),
    Region(prompt="a star at night", box=(0.5, 0.0, 1.0, 1.0)),
)


def requests_for(model: str) -> list[Request]:
    wide = Request(prompt="two stars", model=model, seed=2, width=128, height=64, regions=REGIONS)
    native = Request(prompt="a circle", model=model, seed=1)
    if model == "tokens":
        return [native, native.model_copy(update={"width": 96, "height": 64}), wide]
    large = Request(prompt="a heart", model=model, seed=3, width=128, height=160, sampler="dpmpp_2m")
    return [each.model_copy(update={"steps": 3}) for each in (native, large, wide)]


def hashes(library: Library, requests: list[Request]) -> list[str]:
    return [pixels_sha256(pictures[0].pixels) for pictures in Engine(library).generate_many(requests)]


@pytest.mark.parametrize("model", ["flow", "diffusion", "tokens"])
def test_same_pixels_alone_and_in_company(tiny_library: Library, model: str) -> None:
    requests = requests_for(model)
    alone = [hashes(tiny_library, [request])[0] for request in requests]
    assert len(set(alone)) == len(alone)
    assert hashes(tiny_library, requests[::-1]) == alone[::-1]


@pytest.mark.parametrize("model", ["flow", "diffusion", "tokens"])
@pytest.mark.usefixtures("threads")
def test_same_pixels_with_one_and_two_threads(tiny_library: Library, model: str) -> None:
    requests = requests_for(model)[1:]
    torch.set_num_threads(1)
    one = hashes(tiny_library, requests)
    torch.set_num_threads(2)
    assert hashes(tiny_library, requests) == one


def test_the_steps_of_all_walks_count_on(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.submit(requests_for("flow")[1].model_copy(update={"steps": 12}), previews=True)
    events = list(engine.run())
    steps = [event for event in events if isinstance(event, Stepped)]
    assert [step.step for step in steps] == list(range(1, steps[0].total + 1))
    assert steps[0].total == 14
    sizes = [step.preview.shape[:2] for step in steps if step.preview is not None]
    assert sizes[0] < sizes[-1]
    assert sum(isinstance(event, Finished) for event in events) == 1
