"""Prompts of parts of a picture, as a family hears them: who has how much to say in which cell.

The things of all regions are in the one plan of the picture (planning/regions.py), which every voice is read with. A
region's voice has its own words, and its own background where its words name one. Knows no network.

(h, w): cells of a latent or of a grid of tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.core.inputs import Region
from triptych.core.plan import Plan
from triptych.families.reading import Reading
from triptych.scenes.places import place_named


def readings_of(
    regions: Sequence[Region],
    plan: Plan | None,
    whole: Reading,
    position: Callable[[Plan | None], Tensor],
    words: Callable[[str], Reading],
) -> list[Reading]:
    """The reading of each region. whole: that of the request's own prompt; position, words: read a plan, a prompt."""
    found: list[Reading] = []
    for region in regions:
        place = place_named(region.prompt)
        own = whole.position
        if plan is not None and place is not None and place != plan.background:
            own = position(plan.model_copy(update={"background": place}))
        found.append(replace(words(region.prompt), position=own))
    return found


def shares_of(regions: Sequence[Region], size: tuple[int, int]) -> list[Tensor]:
    """How much the whole and each region count, (h, w) each, in the order whole, first region, ...

    A region counts as far as it covers a cell, times its weight; where regions overlap they share, and the prompt of
    the whole has what they leave of 1.
    """
    own = [region.weight * covered(region, size) for region in regions]
    left = (1 - torch.stack(own).sum(dim=0)).clamp_min(0) if own else torch.ones(size)
    return [left, *own]


def covered(region: Region, size: tuple[int, int]) -> Tensor:
    """The share of each cell that lies in the region, (h, w) in [0, 1]."""
    h, w = size
    if region.mask is not None:
        mask = region.mask
        grey = mask.pixels if mask.channels == 1 else mask.rgb.max(axis=2)
        shrunk = Image.fromarray(np.ascontiguousarray(grey)).resize((w, h), Image.Resampling.BOX)
        return torch.from_numpy(np.asarray(shrunk).astype(np.float32) / 255)
    x0, y0, x1, y1 = region.box or (0.0, 0.0, 1.0, 1.0)
    return _along(y0, y1, h)[:, None] * _along(x0, x1, w)[None, :]


def _along(low: float, high: float, cells: int) -> Tensor:
    """How much of each of so many cells lies between two fractions."""
    edges = torch.arange(cells + 1) / cells
    return ((edges[1:].clamp_max(high) - edges[:-1].clamp_min(low)) * cells).clamp(0, 1)
