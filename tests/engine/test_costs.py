"""What is learned from measured forwards: how many pictures shall share one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.engine.costs import ENOUGH, LOOK_AGAIN, MEASURES, UNKNOWN_SECONDS, Costs


def learned(seconds: Callable[[int], float], widths: tuple[int, ...] = (1, 2, 4, 8, 16)) -> Costs:
    costs = Costs()
    for width in widths:
        for _ in range(ENOUGH):
            costs.note("kind", width, seconds(width))
    return costs


def test_every_width_is_tried_first_the_widest_before_the_others() -> None:
    costs = Costs()
    tried: list[int] = []
    while len(tried) < 5 * ENOUGH:
        width = costs.width("kind", 16)
        tried.append(width)
        costs.note("kind", width, 0.01 * width)
    assert tried == [width for width in (16, 8, 4, 2, 1) for _ in range(ENOUGH)]


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        (lambda width: 0.1 * width, 1),  # a CPU that one picture fills
        (lambda width: 0.1, 16),  # a GPU that is mostly idle
        (lambda width: 0.1 * max(width / 4, 1), 4),  # full at four
        (lambda width: 0.1 * width * (1 - 0.05 * (width > 1)), 1),  # five in a hundred are not worth the waiting
    ],
)
def test_as_few_share_a_forward_as_cost_each_no_more(seconds: Callable[[int], float], best: int) -> None:
    assert learned(seconds).width("kind", 16) == best


@given(count=st.integers(1, 64), most=st.integers(1, 64))
def test_a_width_is_never_beyond_what_is_there(count: int, most: int) -> None:
    costs = Costs()
    for _ in range(ENOUGH):
        costs.note("kind", count, 1.0)
    assert 1 <= costs.width("kind", most) <= most


def test_what_is_known_is_looked_at_again() -> None:
    costs = learned(lambda width: 0.1 * width)
    widths = [costs.width("kind", 16) for _ in range(LOOK_AGAIN)]
    assert widths.count(16) == 1
    assert set(widths) == {1, 16}


def test_one_slow_forward_changes_nothing_and_many_do() -> None:
    costs = learned(lambda width: 0.1 * width)
    before = costs.seconds("kind")
    costs.note("kind", 1, 50.0)
    assert costs.seconds("kind") == pytest.approx(before)
    for width in (1, 2, 4, 8, 16):
        for _ in range(MEASURES):
            costs.note("kind", width, 0.2 * width)
    assert costs.seconds("kind") == pytest.approx(0.2)


def test_an_unknown_kind_is_taken_to_cost_what_the_others_do() -> None:
    assert Costs().seconds("new") == UNKNOWN_SECONDS
    costs = learned(lambda width: 0.3 * width)
    assert costs.seconds("new") == pytest.approx(0.3)
    assert not costs.measured("new")
    assert costs.measured("kind")


def test_bytes_are_of_one_picture_more() -> None:
    costs = Costs()
    costs.note("kind", 4, 1.0, grown=4000)
    costs.note("kind", 1, 1.0, grown=900)
    assert costs.bytes_each("kind") == 1000
    assert costs.bytes_each("new") == 0
