"""Samplers by name, for the command line, recipes and capability contracts."""

from __future__ import annotations

from triptych.core.errors import one_of
from triptych.sampling.ancestral import Ddim, EulerAncestral
from triptych.sampling.dpmpp import DpmSolverPlusPlus2M
from triptych.sampling.euler import Euler
from triptych.sampling.heun import Heun
from triptych.sampling.sampler import Sampler
from triptych.sampling.unipc import UniPC

SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler for sampler in (Euler(), EulerAncestral(), Heun(), DpmSolverPlusPlus2M(), Ddim(), UniPC())
}


def get_sampler(name: str) -> Sampler:
    """The sampler of that name; raises InvalidRequest that names the close ones."""
    return SAMPLERS[one_of("sampler", name, SAMPLERS)]
