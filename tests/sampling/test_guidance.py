from __future__ import annotations

import pytest
import torch

from triptych.sampling import noise
from triptych.sampling.guidance import active, combine

COND, UNCOND = noise.normal(0, 0, 0, (4, 8, 8)), noise.normal(0, 0, 1, (4, 8, 8))


def test_scales() -> None:
    assert combine(COND, UNCOND, 1.0) is COND
    assert torch.equal(combine(COND, UNCOND, 0.0), UNCOND)
    torch.testing.assert_close(combine(COND, UNCOND, 5.0), UNCOND + 5 * (COND - UNCOND))


def test_rescale_moves_the_deviation_back() -> None:
    """Lin et al. 2023, eq. 15-16."""
    guided = combine(COND, UNCOND, 7.5)
    full = combine(COND, UNCOND, 7.5, rescale=1.0)
    torch.testing.assert_close(full.std(), COND.std())
    part = combine(COND, UNCOND, 7.5, rescale=0.7)
    torch.testing.assert_close(part, 0.7 * full + 0.3 * guided)


def test_rescale_of_a_constant_is_no_division_by_zero() -> None:
    flat = torch.zeros(3, 4, 4)
    assert torch.equal(combine(flat, flat, 3.0, rescale=1.0), flat)


def test_logits_and_thread_count() -> None:
    cond, uncond = noise.normal(0, 0, 0, (100_000,)), noise.normal(0, 0, 1, (100_000,))
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            results.append(combine(cond, uncond, 3.0, rescale=0.5))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


@pytest.mark.parametrize(
    ("interval", "steps"),
    [
        (None, range(10)),
        ((0.0, 1.0), range(10)),
        ((0.0, 0.0), []),
        ((0.0, 0.5), range(5)),
        ((0.5, 1.0), range(5, 10)),
        ((0.3, 0.7), range(3, 7)),
        ((0.25, 0.3), []),
    ],
)
def test_interval(interval: tuple[float, float] | None, steps: range | list[int]) -> None:
    assert [step for step in range(10) if active(step, 10, interval)] == list(steps)
