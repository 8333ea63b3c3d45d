"""The engine: same pixels in any company, cancelling, failures that take nobody with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from triptych.core.errors import Cancelled, DeadlineMissed, InvalidRequest, NotANumber
from triptych.core.events import Failed, Finished, Planned, Started, Stepped
from triptych.core.plan import Plan, PlanObject
from triptych.core.recipe import pixels_sha256
from triptych.core.request import Request
from triptych.core.state import Saved
from triptych.engine import Engine
from triptych.library import Library

PLAN = Plan(
    background="meadow",
    objects=(
        PlanObject(noun="circle", colour="red", box=(0.1, 0.2, 0.5, 0.6)),
        PlanObject(noun="star", box=(0.5, 0.5, 0.9, 0.9)),
    ),
)
LATENT = [
    Request(prompt="a red circle", seed=1, steps=4),
    Request(prompt="two blue stars on a meadow", seed=2, steps=7, sampler="heun", guidance=5.0),
    Request(prompt="a heart", seed=3, steps=3, sampler="dpmpp_2m", guidance=1.0),
    Request(prompt="", seed=4, steps=5, sampler="euler_ancestral", use_plan=False),
    Request(prompt="a square", negative="red", seed=5, steps=6, sampler="unipc", guidance_rescale=0.7),
    Request(prompt="a moon at night", seed=6, steps=4, guidance=3.0, guidance_interval=(0.25, 0.75)),
    Request(prompt="a circle and a star", seed=7, steps=4, plan=PLAN),
    Request(prompt="a very long prompt " * 20, seed=8, steps=2, sampler="ddim"),
]
TOKENS = [
    Request(prompt="a red circle", seed=1),
    Request(prompt="two stars", seed=2, guidance=3.0, temperature=0.7),
    Request(prompt="", seed=3, use_plan=False, top_k=5),
    Request(prompt="a circle and a star", seed=4, plan=PLAN, guidance=1.0),
]


def requests_for(model: str) -> list[Request]:
    return [request.model_copy(update={"model": model}) for request in (TOKENS if model == "tokens" else LATENT)]


def hashes(library: Library, requests: list[Request]) -> list[str]:
    return [pixels_sha256(pictures[0].pixels) for pictures in Engine(library).generate_many(requests)]


@pytest.mark.parametrize("model", ["flow", "diffusion", "tokens"])
def test_same_pixels_alone_and_in_mixed_company(tiny_library: Library, model: str) -> None:
    requests = requests_for(model)
    alone = [hashes(tiny_library, [request])[0] for request in requests]
    assert len(set(alone)) == len(alone)
    assert hashes(tiny_library, requests) == alone
    assert hashes(tiny_library, requests[::-1]) == alone[::-1]


def test_all_families_side_by_side(tiny_library: Library) -> None:
    requests = [request for model in ("flow", "diffusion", "tokens") for request in requests_for(model)[:2]]
    alone = [hashes(tiny_library, [request])[0] for request in requests]
    assert hashes(tiny_library, requests) == alone


@pytest.mark.parametrize("model", ["flow", "diffusion", "tokens"])
@pytest.mark.usefixtures("threads")
def test_same_pixels_with_one_and_two_threads(tiny_library: Library, model: str) -> None:
    requests = requests_for(model)[:3]
    torch.set_num_threads(1)
    one = hashes(tiny_library, requests)
    torch.set_num_threads(2)
    assert hashes(tiny_library, requests) == one


def test_pictures_of_a_request_differ_and_can_be_painted_one_by_one(tiny_library: Library) -> None:
    request = Request(prompt="a star", seed=3, steps=3, n=3)
    together = Engine(tiny_library).generate_many([request])[0]
    assert [picture.index for picture in together] == [0, 1, 2]
    assert len({pixels_sha256(picture.pixels) for picture in together}) == 3
    engine = Engine(tiny_library)
    engine.submit(request, only=[2])
    (alone,) = [event for event in engine.run() if isinstance(event, Finished)]
    assert np.array_equal(alone.pixels, together[2].pixels)


def test_events_come_in_order(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.submit(Request(prompt="a star", seed=1, steps=3), previews=True)
    events = list(engine.run())
    assert [type(event) for event in events] == [Started, Planned, Stepped, Stepped, Stepped, Finished]
    steps = [event for event in events if isinstance(event, Stepped)]
    assert [step.step for step in steps] == [1, 2, 3]
    assert steps[0].preview is not None
    assert steps[0].preview.shape == (8, 8, 3)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert {"plan", "encode", "denoise", "decode"} <= set(finished.seconds)


def test_heun_counts_whole_steps(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.submit(Request(prompt="a star", seed=1, steps=3, sampler="heun"))
    assert [event.step for event in engine.run() if isinstance(event, Stepped)] == [1, 2, 3]


def test_a_request_joins_a_running_engine(tiny_library: Library) -> None:
    first = Request(prompt="a star", seed=1, steps=6)
    late = Request(prompt="a heart", seed=2, steps=3)
    alone = hashes(tiny_library, [late])[0]
    engine = Engine(tiny_library)
    engine.submit(first)
    joined: int | None = None
    found: dict[int, str] = {}
    for event in engine.run():
        if isinstance(event, Stepped) and joined is None and event.step == 2:
            joined = engine.submit(late)
        if isinstance(event, Finished):
            found[event.request_id] = pixels_sha256(event.pixels)
    assert joined is not None
    assert found[joined] == alone


def test_cancel_stops_one_and_leaves_the_other(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    stopped = engine.submit(Request(prompt="a star", seed=1, steps=50, n=2))
    kept = engine.submit(Request(prompt="a heart", seed=2, steps=4))
    ended: dict[tuple[int, int], Any] = {}
    steps = 0
    for event in engine.run():
        if isinstance(event, Stepped) and event.request_id == stopped:
            steps += 1
            if steps == 2:
                engine.cancel(stopped)
        if isinstance(event, Finished | Failed):
            ended[event.request_id, event.index] = event
    assert isinstance(ended[stopped, 0].error, Cancelled)
    assert isinstance(ended[stopped, 1].error, Cancelled)
    assert isinstance(ended[kept, 0], Finished)
    assert not engine.busy


def test_cancel_before_the_first_tick(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.cancel(engine.submit(Request(prompt="a star", seed=1, steps=2, n=3)))
    failed = [event for event in engine.run() if isinstance(event, Failed)]
    assert [event.index for event in failed] == [0, 1, 2]
    assert not engine.busy


def test_token_slots_come_back(tiny_library: Library) -> None:
    family: Any = tiny_library.family("tokens")
    free = family.cache.free
    engine = Engine(tiny_library)
    stopped = engine.submit(Request(prompt="a star", model="tokens", seed=1))
    for event in engine.run():
        if isinstance(event, Stepped) and event.step == 3:
            engine.cancel(stopped)
    assert family.cache.free == free


def test_more_pictures_than_places_all_come(tiny_library: Library) -> None:
    engine = Engine(tiny_library, largest_batch=3, most_active=4)
    pictures = engine.generate_many([Request(prompt="a star", seed=1, steps=2, n=10)])[0]
    assert [picture.index for picture in pictures] == list(range(10))


def test_a_broken_picture_takes_nobody_with_it(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    family: Any = tiny_library.family("flow")
    bad = Request(prompt="a heart", seed=9, steps=3)
    good = Request(prompt="a star", seed=1, steps=3)
    alone = hashes(tiny_library, [good])[0]
    begin = family.begin

    def poisoned(request: Request, condition: Any, index: int) -> Any:
        state = begin(request, condition, index)
        if request.seed != bad.seed:
            return state
        return replace(state, sampler=replace(state.sampler, x=state.sampler.x * float("nan")))

    monkeypatch.setattr(family, "begin", poisoned)
    engine = Engine(tiny_library)
    ids = [engine.submit(bad), engine.submit(good)]
    ended = {event.request_id: event for event in engine.run() if isinstance(event, Finished | Failed)}
    broken, fine = ended[ids[0]], ended[ids[1]]
    assert isinstance(broken, Failed)
    assert "not-a-number" in str(broken.error)
    assert isinstance(fine, Finished)
    assert pixels_sha256(fine.pixels) == alone


def test_a_refused_request_leaves_no_trace(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    with pytest.raises(InvalidRequest, match="sampler"):
        engine.submit(Request(prompt="a star", sampler="eulr"))
    assert not engine.busy
    assert list(engine.run()) == []


def test_a_missing_seed_is_chosen_and_told(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.submit(Request(prompt="a star", steps=1))
    started = next(event for event in engine.run() if isinstance(event, Started))
    assert started.request.seed is not None
    assert 0 <= started.request.seed < 2**32


@pytest.mark.parametrize("fields", [{}, {"sampler": "heun"}, {"sampler": "unipc"}, {"sampler": "euler_ancestral"}])
@pytest.mark.parametrize("model", ["flow", "diffusion"])
def test_a_saved_picture_goes_on_with_the_same_pixels(
    tiny_library: Library, model: str, fields: dict[str, Any]
) -> None:
    request = Request(prompt="a star", model=model, seed=5, steps=6, **fields)
    engine = Engine(tiny_library)
    number = engine.submit(request)
    kept: dict[int, list[Saved]] = {}
    for event in engine.run():
        for _, index, saved in engine.save():
            kept.setdefault(index, []).append(saved)
        if isinstance(event, Finished):
            whole = pixels_sha256(event.pixels)
    assert number == 1
    assert len(kept[0]) > 3
    for saved in (kept[0][0], kept[0][-1]):
        again = Engine(tiny_library)
        again.submit(request, saved={0: saved})
        events = list(again.run())
        steps = [event.step for event in events if isinstance(event, Stepped)]
        assert steps == list(range(saved.step + 1, 7))
        assert pixels_sha256(next(event.pixels for event in events if isinstance(event, Finished))) == whole


def test_a_saved_state_of_another_picture_begins_anew(tiny_library: Library) -> None:
    request = Request(prompt="a star", seed=5, steps=4)
    engine = Engine(tiny_library)
    engine.submit(request)
    saved = next(saved for _ in engine.run() for _, _, saved in engine.save())
    other = request.model_copy(update={"seed": 6})
    again = Engine(tiny_library)
    again.submit(other, saved={0: saved})
    (finished,) = [event for event in again.run() if isinstance(event, Finished)]
    assert pixels_sha256(finished.pixels) == hashes(tiny_library, [other])[0]
    assert "begins anew" in finished.notes[-1].text


def test_a_deadline_is_missed_and_told(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    late = engine.submit(Request(prompt="a star", seed=1, steps=50, n=2), timeout=0.0)
    fine = engine.submit(Request(prompt="a star", seed=2, steps=3), timeout=1000.0)
    ended = [event for event in engine.run() if isinstance(event, Finished | Failed)]
    failed = [event for event in ended if event.request_id == late]
    assert [event.index for event in failed] == [0, 1]
    assert all(isinstance(event, Failed) and isinstance(event.error, DeadlineMissed) for event in failed)
    assert [type(event) for event in ended if event.request_id == fine] == [Finished]


def test_what_must_come_too_late_is_not_begun(tiny_library: Library) -> None:
    engine = Engine(tiny_library)
    engine.generate_many([Request(prompt="a star", seed=1, steps=8)])  # measures what a step takes
    late = engine.submit(Request(prompt="a star", seed=1, steps=200), timeout=0.05)
    events = list(engine.run())
    assert not [event for event in events if isinstance(event, Stepped)]
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.request_id == late
    assert "only" in str(failed.error)


def test_not_a_number_is_found_on_the_way(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    family: Any = tiny_library.family("flow")
    forward = family.forward
    monkeypatch.setattr(family, "forward", lambda states: [one * float("nan") for one in forward(states)])
    engine = Engine(tiny_library)
    engine.submit(Request(prompt="a star", seed=1, steps=100))
    events = list(engine.run())
    assert not [event for event in events if isinstance(event, Stepped)]
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert isinstance(failed.error, NotANumber)
