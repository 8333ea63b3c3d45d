"""Uncertainty and diversity, on arrays alone: bootstrap over prompts, Vendi score, attribute entropy.

The pictures of one prompt are not independent, so what is resampled is the prompt, with all of its pictures. Models
that painted the same prompts are resampled alike, which makes their difference a paired one. It knows no row or model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Combine = Callable[[Floats], Floats]
"""Means of the columns, (..., D), to the statistic, (...)."""

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic with its 95 % interval: the 2.5 % and 97.5 % points of its bootstrap replicates (Efron 1979)."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Estimate:
    """A statistic, and what it would have been for other draws of prompts: (RESAMPLES,)."""

    value: float
    replicates: Floats

    def interval(self) -> Interval:
        tail = (1 - LEVEL) / 2
        low, high = np.quantile(self.replicates, (tail, 1 - tail))
        return Interval(self.value, float(low), float(high))

    def minus(self, other: Estimate) -> Estimate:
        """The difference; paired where both were made with the same seed and number of prompts."""
        return Estimate(self.value - other.value, self.replicates - other.replicates)


def share_interval(estimate: Estimate, prompts: int) -> Interval:
    """The interval of a share. Where all prompts agree, resampling shows no spread and would claim certainty; then the
    exact bound of Clopper & Pearson (1934) stands in: with none of n right the share may be up to 1 - 0.025^(1/n).
    """
    interval = estimate.interval()
    bound = ((1 - LEVEL) / 2) ** (1 / prompts)
    if interval.low == interval.high == 1:
        return Interval(1.0, bound, 1.0)
    if interval.low == interval.high == 0:
        return Interval(0.0, 0.0, 1 - bound)
    return interval


def first(means: Floats) -> Floats:
    """The statistic that is a mean itself."""
    return means[..., 0]


def estimate(values: Floats, combine: Combine = first, *, seed: int = 0, resamples: int = RESAMPLES) -> Estimate:
    """A statistic of column means over prompts, and its bootstrap replicates.

    values: (P, D), one row per prompt, already averaged over the prompt's pictures. Raises ValueError for no prompts.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or not len(values):
        raise ValueError(f"values of shape {values.shape}; (prompts, columns) with at least one prompt is needed")
    count = len(values)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    return Estimate(float(combine(values.mean(axis=0))), combine(drawn @ values / count))


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The unweighted mean of statistics of different prompts, as in GenEval's overall score."""
    return Estimate(
        float(np.mean([each.value for each in estimates])),
        np.mean([each.replicates for each in estimates], axis=0),
    )


def vendi(features: Floats) -> float:
    """The Vendi score (Friedman & Dieng 2023, eq. 2) of rows (n, d) with the cosine kernel.

    1 if all rows are alike, n if all are orthogonal.
    """
    features = np.asarray(features, dtype=np.float64)
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    # K / n and its d x d counterpart have the same eigenvalues but for zeros; the smaller one is solved.
    n, d = unit.shape
    spectrum = np.linalg.eigvalsh((unit @ unit.T if n <= d else unit.T @ unit) / n)
    spectrum = spectrum[spectrum > 1e-12]
    return float(np.exp(-(spectrum * np.log(spectrum)).sum()))


def attribute_entropy(values: Sequence[str], options: int) -> float:
    """H(p) / log K of a named attribute with K options: 0 if always the same, 1 if all are equally frequent."""
    if options < 2 or not values:
        return 0.0
    _, counts = np.unique(np.array(values), return_counts=True)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum() / np.log(options)) + 0.0
