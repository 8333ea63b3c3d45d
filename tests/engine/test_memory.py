"""Memory: what states hold, what a forward grows by, and who may begin."""

from __future__ import annotations

import os
from dataclasses import replace

import torch

from triptych.core.events import Failed, Finished, Started
from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.engine.memory import Budget, Peak, available_bytes, held_bytes
from triptych.library import Library
from triptych.sampling import schedules
from triptych.sampling.sampler import SamplerState


def test_tensors_of_a_state_are_counted_once() -> None:
    x = torch.zeros(4, 8, 8)
    schedule = replace(schedules.flow(4))
    state = SamplerState(x, schedule, 0, 1, 0, history=(x, x[:2], torch.zeros(16)))
    assert held_bytes(state) == x.nbytes + 16 * 4 + schedule.alphas.nbytes + schedule.sigmas.nbytes


def test_the_peak_of_a_block_is_seen() -> None:
    with Peak() as peak:
        torch.ones(64 * 2**20 // 4).sum()
    assert peak.grown is not None
    assert 50 * 2**20 < peak.grown < 200 * 2**20


def test_what_is_available_is_less_than_all_there_is() -> None:
    free = available_bytes()
    assert free is not None
    assert 0 < free < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_one_alone_is_always_tried() -> None:
    assert Budget(1).admits("kind", 100, 0, 0)
    assert Budget(None).admits("kind", 100, 10**12, 10**12)


def test_who_fits_is_admitted() -> None:
    budget = Budget(1000)
    budget.note("small", 64, 300)
    assert budget.admits("small", 64, 300, 400)
    assert not budget.admits("small", 64, 300, 500)
    assert not budget.admits("large", 128, 300, 0)  # never seen: twice as much per pixel is expected
    budget.note("large", 128, 400)
    assert budget.admits("large", 128, 300, 0)


def test_a_forward_is_as_wide_as_memory_allows() -> None:
    assert Budget(1000).widest(200, 300.0) == 2
    assert Budget(1000).widest(2000, 300.0) == 1
    assert Budget(1000).widest(200, 0.0) is None
    assert Budget(None).widest(200, 300.0) is None


def test_little_memory_makes_pictures_wait_and_changes_none(tiny_library: Library) -> None:
    requests = [Request(prompt="a star", seed=seed, steps=3) for seed in range(5)]
    free = Engine(tiny_library).generate_many(requests)
    tight = Engine(tiny_library, memory=1)
    most = 0
    for request in requests:
        tight.submit(request)
    found: dict[int, str] = {}
    for event in tight.run():
        most = max(most, tight.active)
        if isinstance(event, Finished):
            found[event.request_id] = pixels_sha256(event.pixels)
    assert most == 1
    assert list(found.values()) == [pixels_sha256(pictures[0].pixels) for pictures in free]


def test_pictures_beyond_the_token_cache_wait_for_a_slot(tiny_library: Library) -> None:
    engine = Engine(tiny_library, most_active=1000)
    request = Request(prompt="a star", model="tokens", seed=1, n=40)
    engine.submit(request)
    events = list(engine.run())
    assert not [event for event in events if isinstance(event, Failed)]
    assert len([event for event in events if isinstance(event, Finished)]) == 40
    assert isinstance(events[0], Started)
