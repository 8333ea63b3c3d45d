from __future__ import annotations

import numpy as np
import pytest

from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request


@pytest.fixture
def pixels() -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (48, 32, 3), dtype=np.uint8)


@pytest.fixture
def recipe(pixels: Pixels) -> Recipe:
    plan = Plan.parse(
        {"background": "snow", "objects": [{"noun": "fox", "colour": "red", "box": [0.1, 1 / 3, 0.7, 0.9]}]}
    )
    request = Request.make(
        prompt='a "red" fox, <é> 🦊\nin the snow & ice',
        negative="blurry, dark",
        seed=2**62 + 1,
        width=32,
        height=48,
        steps=16,
        sampler="euler",
        schedule="flow",
        guidance=4.0,
        plan=plan,
    )
    return Recipe(
        model="flow",
        family="flow",
        weights_sha256="ab" * 32,
        request=request,
        pixels_sha256=pixels_sha256(pixels),
    )
