"""Classifier-free guidance: pure functions on the predictions of one picture, tensors of any one shape."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def combine(cond: Tensor, uncond: Tensor, scale: float, rescale: float = 0.0) -> Tensor:
    """uncond + scale (cond - uncond) (Ho & Salimans 2022, in the convention where scale 1 is no guidance).

    Works alike on predictions of any parameterization and on token logits; `uncond` may come from a negative
    prompt. rescale: Lin et al. 2023, section 3.4: the share of the way back to the standard deviation of
    `cond`, against the burnt look of strong guidance. The deviation is taken over the whole tensor: pass one
    picture, not a batch.
    """
    if scale == 1:
        return cond
    guided = uncond + scale * (cond - uncond)
    if rescale == 0:
        return guided
    spread = _std(guided)
    if spread == 0:
        return guided
    return guided * (rescale * (_std(cond) / spread) + 1 - rescale)


def _std(x: Tensor) -> float:
    """In numpy, on one thread: torch splits a long sum among its threads, and their number rounds it."""
    return float(np.std(x.detach().cpu().double().numpy()))


def active(step: int, total: int, interval: tuple[float, float] | None) -> bool:
    """Whether guidance acts at `step` of `total` (from 0): start <= step / total < end.

    interval: fractions of the steps (Kynkaanniemi et al. 2024), None is everywhere. (0, 0.5) is the first half,
    (0.5, 1) the other.
    """
    if interval is None:
        return True
    start, end = interval
    # Rounded, because 0.7 * 10 is a little more than 7.
    return round(start * total, 9) <= step < round(end * total, 9)
