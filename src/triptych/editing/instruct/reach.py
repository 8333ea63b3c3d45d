"""Which pixels an edit may change: those of the things that it changes, before and after, with the shadows they cast.

A thing's shadow reaches beyond its box, the way the light throws it (`scenes.render.FALL`); where the light is not
known, every way counts. The box of a kept thing stays out, but for what of
it a changed thing's own box covers. Everything is in fractions
of the picture until the mask itself; knows no network.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from triptych.core.plan import Box, Plan, PlanObject
from triptych.editing.distance import Bits
from triptych.editing.instruct.apply import Applied
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.render import FALL

PAD = 0.02
"""Share of the picture by which boxes are grown: what is painted is a little off its box, and so is what was read."""
BLUR = 0.07
"""Shadows are soft: so much of the thing's longer side beyond the shadow itself."""


def changed_mask(
    source: Plan, applied: Applied, size: tuple[int, int], *, pad: float = PAD, light_known: bool = True
) -> Bits:
    """The pixels (H, W) that may differ between pictures of the two plans. size: (width, height).

    light_known: whether a plan without a light means light from nowhere in particular, or that nobody knows. All of
    them where background or light change.
    """
    width, height = size
    if applied.everywhere:
        return np.ones((height, width), np.bool_)
    mask = np.zeros((height, width), np.bool_)
    for plan, things in ((source, applied.before), (applied.plan, applied.after)):
        for thing in things:
            for box in extent(thing, plan, light_known=light_known):
                _fill(mask, grown(box, pad), True)
    for thing in kept(source, applied):
        _fill(mask, thing.box, False)
    for thing in (*applied.before, *applied.after):
        _fill(mask, thing.box, True)
    return mask


def kept(source: Plan, applied: Applied) -> list[PlanObject]:
    """The things that are the same before and after."""
    return [thing for thing in source.objects if thing in applied.plan.objects and thing not in applied.before]


def extent(thing: PlanObject, plan: Plan, *, light_known: bool = True) -> list[Box]:
    """The thing's own box, and those that its shadow may lie in."""
    x0, y0, x1, y1 = thing.box
    place = BACKGROUNDS.get(plan.background)
    boxes = [thing.box]
    if place is not None and y1 <= place.horizon:
        return boxes  # in the sky, where there is no ground to fall on
    height, soft = y1 - y0, BLUR * max(x1 - x0, y1 - y0)
    known = plan.light in FALL and (plan.light is not None or light_known)
    falls = [FALL[plan.light]] if known else list(FALL.values())
    for lean, tall in falls:
        across, up = lean * height, tall * height
        boxes.append((
            x0 + min(across, 0) - soft, y1 - max(up, 0.02) - soft, x1 + max(across, 0) + soft, y1 - min(up, 0) + soft,
        ))  # fmt: skip
    return boxes


def grown(box: Box, pad: float) -> Box:
    return box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad


def _fill(mask: Bits, box: Box, value: bool) -> None:
    """Set the pixels that a box touches, cut at the borders; to clear, only those that it covers whole."""
    height, width = mask.shape
    out, into = (np.floor, np.ceil) if value else (np.ceil, np.floor)
    x0, y0 = max(int(out(box[0] * width)), 0), max(int(out(box[1] * height)), 0)
    x1, y1 = min(int(into(box[2] * width)), width), min(int(into(box[3] * height)), height)
    if x0 < x1 and y0 < y1:
        mask[y0:y1, x0:x1] = value


def union_of(boxes: Sequence[Box], size: tuple[int, int]) -> Bits:
    """True in any of the boxes. size: (width, height)."""
    mask = np.zeros((size[1], size[0]), np.bool_)
    for box in boxes:
        _fill(mask, box, True)
    return mask
