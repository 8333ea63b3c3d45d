"""Live events: bounded for a slow reader, latest first of what is fleeting, and previews only where they are wanted."""

from __future__ import annotations

import threading

from triptych.workers.live import MOST_KEPT, Broker, Live


class Watched:
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.broker = Broker(lambda job, partials: self.told.append((job, partials)))


def step(index: int, number: int, job: str = "a") -> Live:
    return Live(job, "stepped", {"index": index, "step": number})


def test_a_listener_hears_its_own_job_in_order() -> None:
    broker = Watched().broker
    listener = broker.listen("a")
    broker.publish(Live("a", "started"))
    broker.publish(Live("b", "started"))
    broker.publish(Live("a", "planned"))
    assert [event.kind for event in listener.take()] == ["started", "planned"]
    assert listener.take() == []


def test_a_slow_listener_keeps_the_latest_step_of_each_picture() -> None:
    broker = Watched().broker
    listener = broker.listen("a", partials=0)
    for number in range(100):
        broker.publish(step(0, number))
        broker.publish(step(1, number))
        broker.publish(Live("a", "preview", {"index": 0}, bytes([number])))
    events = listener.take()
    assert [(event.kind, event.data.get("step")) for event in events] == [
        ("stepped", 99),
        ("stepped", 99),
        ("preview", None),
    ]
    assert events[-1].blob == bytes([99])


def test_what_is_kept_for_a_listener_is_bounded() -> None:
    broker = Watched().broker
    listener = broker.listen("a")
    for index in range(10 * MOST_KEPT):
        broker.publish(step(index, 1))
    assert len(listener.take()) == MOST_KEPT


def test_previews_are_asked_for_as_the_most_demanding_listener_wants() -> None:
    watched = Watched()
    first = watched.broker.listen("a")
    assert watched.told == []
    second = watched.broker.listen("a", partials=2)
    third = watched.broker.listen("a", partials=0)
    watched.broker.publish(Live("a", "preview", {"index": 0}, b"x"))
    assert [len(listener.take()) for listener in (first, second, third)] == [0, 1, 1]
    for listener in (second, third, first):
        listener.close()
    assert watched.told == [("a", 2), ("a", 0), ("a", -1)]
    assert watched.broker.wanted("a") == -1


def test_a_listener_waits_and_is_woken() -> None:
    broker = Watched().broker
    woken: list[int] = []
    listener = broker.listen("a", wake=lambda: woken.append(1))
    threading.Timer(0.05, lambda: broker.publish(Live("a", "planned"))).start()
    assert [event.kind for event in listener.take(10.0)] == ["planned"]
    assert woken == [1]
