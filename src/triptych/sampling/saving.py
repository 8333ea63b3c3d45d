"""A sampler's state as plain values and tensors, and back, bit for bit: what outlives a process.

The schedule is kept with it, so that a state goes on along the very levels that it began with.
"""

from __future__ import annotations

from triptych.core.state import Saved
from triptych.sampling.sampler import SamplerState
from triptych.sampling.schedules import Path, Schedule

_COUNTS = ("i", "seed", "index", "stage")
_PATHS: dict[str, Path] = {"vp": "vp", "flow": "flow"}


def save(state: SamplerState, step: int) -> Saved:
    """step: of the picture, which may be on a further walk."""
    facts: dict[str, int | str] = {name: getattr(state, name) for name in _COUNTS}
    levels = state.schedule
    tensors = {"x": state.x, "alphas": levels.alphas, "sigmas": levels.sigmas, "times": levels.times}
    tensors |= {f"history.{number}": tensor for number, tensor in enumerate(state.history)}
    return Saved(step, {**facts, "path": levels.path}, tensors)


def load(saved: Saved) -> SamplerState:
    """The state again. Raises `ValueError` where something is missing or does not fit together."""
    facts, tensors = saved.facts, saved.tensors
    try:
        schedule = Schedule(tensors["alphas"], tensors["sigmas"], tensors["times"], _PATHS[str(facts["path"])])
        i, seed, index, stage = (int(facts[name]) for name in _COUNTS)
        x = tensors["x"]
    except KeyError as error:
        raise ValueError(f"the saved state has no {error}") from None
    count = sum(name.startswith("history.") for name in tensors)
    history = tuple(tensors[f"history.{number}"] for number in range(count))
    if not 0 <= i < schedule.steps or any(past.shape != x.shape for past in history):
        raise ValueError("the saved state does not fit its own schedule")
    return SamplerState(x, schedule, i, seed, index, stage, history)
