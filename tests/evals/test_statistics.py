"""Bootstrap and diversity against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.evals.statistics import attribute_entropy, estimate, mean, share_interval, vendi


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    """100 prompts, half of them right: 1.96 sqrt(0.25 / 100) = 0.098 either way."""
    values = np.repeat([0.0, 1.0], 50)[:, None]
    interval = estimate(values).interval()
    assert interval.value == 0.5
    assert interval.low == pytest.approx(0.5 - 0.098, abs=0.011)
    assert interval.high == pytest.approx(0.5 + 0.098, abs=0.011)


def test_the_variance_of_the_replicates_is_that_of_a_resampled_mean() -> None:
    values = np.random.default_rng(5).normal(size=(40, 1))
    assert estimate(values, resamples=20_000).replicates.var() == pytest.approx(values.var() / 40, rel=0.05)


def test_pictures_of_one_prompt_are_one_observation() -> None:
    """Four equal pictures of each of 25 prompts tell no more than one: the interval is that of 25, not of 100."""
    prompts = np.array([0.0, 1.0] * 12 + [1.0])
    pictures = np.repeat(prompts[:, None], 4, axis=1)
    clustered = estimate(pictures.mean(axis=1, keepdims=True)).replicates.std()
    assert clustered == pytest.approx(prompts.std() / 5, rel=0.05)
    assert clustered > 1.8 * estimate(pictures.reshape(-1, 1)).replicates.std()


def test_a_paired_difference_is_narrower_than_an_unpaired_one() -> None:
    random = np.random.default_rng(1)
    hard = random.random((100, 1))
    better = estimate(hard + 0.05 + 0.01 * random.random((100, 1)))
    worse = estimate(hard)
    difference = better.minus(worse).interval()
    assert difference.excludes_zero
    assert difference.high - difference.low < 0.01
    unpaired = better.minus(estimate(hard, seed=1)).interval()
    assert unpaired.high - unpaired.low > 0.1
    assert not worse.minus(worse).interval().excludes_zero


def test_a_statistic_of_several_means_is_resampled_as_a_whole() -> None:
    values = np.array([[1.0, 2.0]] * 10)
    ratio = estimate(values, lambda means: means[..., 0] / means[..., 1])
    assert ratio.value == 0.5
    assert np.allclose(ratio.replicates, 0.5)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = np.random.default_rng(0).random((30, 1))
    assert estimate(values).interval() == estimate(values).interval()
    assert estimate(values).interval() != estimate(values, seed=1).interval()


def test_an_overall_score_is_the_mean_of_its_parts() -> None:
    parts = [estimate(np.full((5, 1), value)) for value in (0.2, 0.6)]
    assert mean(parts).value == pytest.approx(0.4)
    assert np.allclose(mean(parts).replicates, 0.4)


def test_where_all_prompts_agree_the_interval_is_the_exact_one() -> None:
    """All of 100 right: 0.025^(1/100) = 0.9638 is the least share that is not refuted at 2.5 %."""
    right, wrong, mixed = (estimate(np.full((100, 1), value)) for value in (1.0, 0.0, 0.5))
    assert share_interval(right, 100).low == pytest.approx(0.9638, abs=1e-4)
    assert share_interval(right, 100).high == 1
    assert share_interval(wrong, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert share_interval(mixed, 100) == mixed.interval()
    assert share_interval(right, 4).low < 0.4


def test_no_prompts_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one prompt"):
        estimate(np.zeros((0, 1)))


@pytest.mark.parametrize("n", [2, 5, 9])
def test_the_vendi_score_counts_what_is_different(n: int) -> None:
    assert vendi(np.eye(n)) == pytest.approx(n)
    assert vendi(np.ones((n, 3))) == pytest.approx(1)
    assert vendi(np.repeat(np.eye(n), 4, axis=0)) == pytest.approx(n)


def test_the_vendi_score_of_two_directions() -> None:
    """Two rows with cosine c: eigenvalues (1 + c) / 2 and (1 - c) / 2."""
    angle = 0.7
    p = (1 + np.cos(angle)) / 2
    expected = np.exp(-p * np.log(p) - (1 - p) * np.log(1 - p))
    assert vendi(np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])) == pytest.approx(expected)


def test_entropy_of_an_attribute() -> None:
    assert attribute_entropy(["a"] * 9, 4) == 0
    assert attribute_entropy(["a", "b", "c", "d"], 4) == pytest.approx(1)
    assert attribute_entropy(["a", "b"], 4) == pytest.approx(0.5)
    assert attribute_entropy([], 4) == 0
