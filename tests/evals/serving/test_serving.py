"""The bench of serving: what it asks, how it takes the times, and what it makes of them."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
import torch

from triptych.core.contract import resolve
from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.evals.serving import figures
from triptych.evals.serving.figures import Round
from triptych.evals.serving.loops import OneByOne, Sample, Together, closed, opened
from triptych.evals.serving.workload import SAMPLERS, STEPS, Ask, workload
from triptych.families.diffusion.unet import UNetConfig
from triptych.families.flow.mmdit import picture_ids, text_ids
from triptych.library import Library

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the peer's own


def asks(library: Library, clients: int, each: int, seed: int = 0) -> list[list[Ask]]:
    takes = {name: library.registry.capabilities(name) for name in ("flow", "diffusion")}
    return workload(takes, clients, each, ["a star", "two hearts"], seed=seed, planned=False)


def test_sizes_are_the_model_s_own_and_others(tiny_library: Library) -> None:
    takes = tiny_library.registry.capabilities("diffusion").model_copy(update={"native_size": (128, 128)})
    found = workload({"diffusion": takes}, 16, 4, ["a star"], seed=0, planned=False)
    sizes = {(one.request.width, one.request.height) for client in found for one in client}
    assert sizes == {(128, 128), (128, 96), (64, 64)}


def ask(client: int, number: int = 0, steps: int = 8) -> Ask:
    return Ask(client, number, Request(prompt=f"{client}", steps=steps))


def test_a_workload_is_a_function_of_its_seed_and_mixes_everything(tiny_library: Library) -> None:
    found = asks(tiny_library, 32, 4)
    assert found == asks(tiny_library, 32, 4)
    assert found != asks(tiny_library, 32, 4, seed=1)
    requests = [one.request for client in found for one in client]
    assert {request.steps for request in requests} == set(STEPS)
    assert {request.sampler for request in requests} == {name for names in SAMPLERS.values() for name in names}
    assert len({(request.model, request.width, request.height) for request in requests}) == 2  # 64 px is the least
    assert len({request.seed for request in requests}) == len(requests)
    assert any(one.short for client in found for one in client)
    for request in requests:
        resolve(request, tiny_library.registry.capabilities(request.model), name=request.model)


def test_together_and_one_by_one_make_the_same_pictures(tiny_library: Library) -> None:
    given = [
        [Ask(one.client, one.number, one.request.model_copy(update={"steps": 3})) for one in client]
        for client in asks(tiny_library, 4, 2)
    ]

    def alone(request: Request) -> str:
        return pixels_sha256(Engine(tiny_library).generate_many([request])[0][0].pixels)

    first = closed(OneByOne(alone), given)
    second = closed(Together(Engine(tiny_library)), given)
    third = opened(Together(Engine(tiny_library)), [one for client in given for one in client], [0.0] * 8)
    assert len(first) == len(second) == len(third) == 8
    assert figures.changed(second, first) == figures.changed(third, first) == 0
    broken = [
        Sample(one.ask, one.asked, one.done, "other" if place == 3 else one.sha256) for place, one in enumerate(second)
    ]
    assert figures.changed(broken, first) == 1


class Slow:
    """Serves one by one, `seconds` each, and remembers how many waited at most."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.most = seconds, 0
        self._waiting: deque[int] = deque()

    def submit(self, number: int, request: Request) -> None:
        self._waiting.append(number)
        self.most = max(self.most, len(self._waiting))

    def work(self) -> Iterable[tuple[int, str]]:
        if self._waiting:
            time.sleep(self.seconds)
            yield self._waiting.popleft(), ""


def test_in_a_closed_loop_each_client_waits_for_its_answer() -> None:
    server = Slow(0.001)
    samples = closed(server, [[ask(client, number) for number in range(5)] for client in range(3)])
    assert len(samples) == 15
    assert server.most == 3
    for client in range(3):
        own = [sample for sample in samples if sample.ask.client == client]
        assert all(later.asked >= earlier.done for earlier, later in pairwise(own))


def test_in_an_open_loop_waiting_counts_from_when_a_request_was_due() -> None:
    samples = opened(Slow(0.02), [ask(0, number) for number in range(5)], [0.0] * 5)
    latencies = [sample.latency for sample in samples]
    assert latencies == sorted(latencies)
    assert latencies[-1] >= 5 * 0.02
    idle = opened(Slow(0.001), [ask(0, number) for number in range(3)], [0.0, 0.05, 0.1])
    assert max(sample.latency for sample in idle) < 0.05


def sample(client: int, asked: float, done: float, steps: int = 8, number: int = 0) -> Sample:
    return Sample(ask(client, number, steps), asked, done, "")


def test_figures_of_a_round() -> None:
    samples = [sample(0, 0.0, 1.0, steps=4), sample(1, 0.0, 4.0), sample(2, 1.0, 10.0)]
    alone = {(0, 0): 0.5, (1, 0): 3.0, (2, 0): 3.0}
    found = figures.round_of(samples, alone, clients=2)
    assert found.throughput == pytest.approx(0.3)
    assert found.p50 == 4.0
    assert (found.short, found.short_p99) == (1, 1.0)
    assert found.goodput == pytest.approx(0.2)  # the third took 9 s; 7.5 would have been fair
    assert math.isnan(figures.round_of(samples[1:], alone, clients=2).short_p99)


def test_service_times_leave_out_idle_time() -> None:
    samples = [sample(0, 0.0, 2.0), sample(1, 0.0, 3.0), sample(2, 5.0, 6.0)]
    assert figures.service_times(samples) == {(0, 0): 2.0, (1, 0): 1.0, (2, 0): 1.0}


def test_ratios_are_within_rounds() -> None:
    def made(throughput: float, short: float) -> Round:
        return Round(1, 1.0, throughput, 1.0, 1.0, 1.0, 1, short, throughput)

    ours = [made(2.0, 1.0), made(20.0, 3.0), made(4.0, 1.0)]
    theirs = [made(1.0, 4.0), made(10.0, 6.0), made(4.0, 5.0)]
    assert figures.compared(ours, theirs).throughput == 2.0
    assert figures.compared(ours, theirs).short_p99 == 0.25


@pytest.fixture(scope="module")
def peer(tiny_library: Library) -> Any:
    pytest.importorskip("diffusers")
    from triptych.evals.serving.peer import Peer

    return Peer(tiny_library.family)


@torch.inference_mode()
def test_the_peer_has_the_same_networks(tiny_library: Library, peer: Any) -> None:
    from triptych.evals.serving import peer as module

    for name in ("flow", "diffusion"):
        family: Any = tiny_library.family(name)
        x = torch.randn(1, family.autoencoder.config.latent_channels, 8, 8, generator=torch.Generator().manual_seed(1))
        text = family.text.states("a star")[None]
        t = torch.tensor(500.0)
        theirs = module._predicted(peer.network(name), x, t, text)
        if name == "flow":
            tokens = family.network(
                module.to_tokens(x, 2), text, t[None] / 1000, picture_ids(4, 4), text_ids(text.shape[1])
            )
            ours = module.to_latents(tokens, 4, 4, 2)
        else:
            ours = family.network(x, t[None], text)
        assert (ours - theirs).abs().max() < 1e-4
        assert ours.std() > 1e-3


def test_unet_options_and_back(tiny_library: Library, peer: Any) -> None:
    family: Any = tiny_library.family("diffusion")
    assert UNetConfig.from_diffusers(peer.network("diffusion").config) == family.network.config


@pytest.mark.parametrize(("model", "sampler"), [(name, one) for name, those in SAMPLERS.items() for one in those])
def test_the_peer_paints_with_every_sampler_of_the_workload(
    tiny_library: Library, peer: Any, model: str, sampler: str
) -> None:
    request = Request(prompt="a star", model=model, seed=1, steps=4, sampler=sampler, use_plan=False)
    resolved = resolve(request, tiny_library.registry.capabilities(model), name=model)[0]
    first = peer.paint(resolved)
    assert first == peer.paint(resolved)
    assert first != peer.paint(resolved.model_copy(update={"seed": 2}))
