"""Drawing one token from logits. Pure: chance comes in as a number between 0 and 1 (`noise.uniform`)."""

from __future__ import annotations

import torch
from torch import Tensor


def draw(logits: Tensor, temperature: float, top_k: int, top_p: float, u: float) -> int:
    """The token that `u` points at in the cumulative distribution, tokens sorted from likely to unlikely.

    logits: (V,), -inf forbids a token. temperature: 0 is the most likely token (the first of equals). top_k:
    keep the k most likely, 0 is all. top_p: keep the fewest whose probability reaches p (Holtzman et al.
    2020), 1 is all; it counts what top_k left. u: 0 <= u < 1. Computed in float64. Raises ValueError where
    there is nothing to draw from.
    """
    if not 0 <= u < 1:
        raise ValueError(f"u is {u}; at least 0 and less than 1 is needed")
    if temperature == 0:
        _check(logits.max().item())
        return int(logits.argmax())
    values, tokens = logits.double().sort(descending=True, stable=True)
    _check(values[0].item())
    if 0 < top_k < len(values):
        values, tokens = values[:top_k], tokens[:top_k]
    # The maximum is taken off first: a small temperature must not overflow.
    cumulative = ((values - values[0]) / temperature).exp().cumsum(0)
    # The first place that reaches the share is the last one kept; for top_p 1 only probability 0 falls off.
    last = int(torch.searchsorted(cumulative, top_p * cumulative[-1]))
    place = int(torch.searchsorted(cumulative, u * cumulative[last], right=True))
    return int(tokens[min(place, last)])


def _check(largest: float) -> None:
    if not -float("inf") < largest < float("inf"):
        raise ValueError(f"the largest logit is {largest}; a finite one is needed")


def entropy(logits: Tensor) -> Tensor:
    """Entropy of softmax(logits) in nats, 0 to log V: (..., V) to (...) float32. How undecided a model is."""
    log_p = logits.float().log_softmax(-1)
    # A forbidden token has p = 0 and log p = -inf; its share is 0, not NaN.
    return -(log_p.exp() * log_p.clamp(min=torch.finfo(log_p.dtype).min)).sum(-1)
