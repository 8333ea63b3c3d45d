"""A public checkpoint paints here what it paints in diffusers: same noise, same words, whole pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from triptych.evals.parity.checkpoints import CHECKPOINTS
from triptych.evals.parity.compare import DIFFUSION, FLOW, TOLERANCE, Pair

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # the reference's own

pair_of = cache(Pair)


@pytest.mark.parametrize("guidance", [1.0, 6.0], ids=["without guidance", "with guidance"])
@pytest.mark.parametrize(
    ("name", "sampler"),
    [(name, sampler) for name in CHECKPOINTS for sampler in (FLOW if name.startswith("flux") else DIFFUSION)],
)
def test_whole_pictures_are_diffusers(
    checkpoint: Callable[[str], Path], name: str, sampler: str, guidance: float
) -> None:
    found = pair_of(checkpoint(name)).compare(sampler, guidance)
    assert found.spread > 0.05, "the comparison means nothing on a grey picture"
    assert found.difference <= TOLERANCE
