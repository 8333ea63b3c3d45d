"""A plan on another canvas than it was written for: things keep their shape, and what hangs together stays together.

The plan writer thinks of a picture of the model's own shape. Its boxes are fractions, so on a wide picture they would
become wide things. Here they keep their proportions: places are stretched with the canvas, things are not. Boxes that
overlap are moved as one, since a thing in front of another has to stay there. Knows no picture or model.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.plan import Box, Plan, PlanObject

ROOM = 0.04
"""Free share of a box on each side of the things that are put into it."""


def to_shape(plan: Plan, aspect: float) -> Plan:
    """The plan on a canvas that is `aspect` times as wide as it is high, where 1 is the shape it was written for."""
    if aspect == 1:
        return plan
    across, down = (1 / aspect, 1.0) if aspect > 1 else (1.0, aspect)
    boxes = [item.box for item in plan.objects]
    groups = together(boxes)
    objects: list[PlanObject] = []
    for item, group in zip(plan.objects, groups, strict=True):
        x, y = _centre([boxes[k] for k in group])
        x0, y0, x1, y1 = item.box
        box = (x + (x0 - x) * across, y + (y0 - y) * down, x + (x1 - x) * across, y + (y1 - y) * down)
        objects.append(item.model_copy(update={"box": box}))
    return plan.model_copy(update={"objects": tuple(objects)})


def into_box(things: Sequence[PlanObject], box: Box, unit: tuple[float, float]) -> list[PlanObject]:
    """Things of a picture of its own, moved together into a box of a larger one.

    unit: width and height of their own picture, in the fractions in which the box is given. They keep their size
    where they fit, and shrink together where they do not; they lie as far along the box as they did in their picture.
    """
    if not things:
        return []
    low = [min(item.box[k] for item in things) for k in (0, 1)]
    high = [max(item.box[k + 2] for item in things) for k in (0, 1)]
    sides = [box[k + 2] - box[k] for k in (0, 1)]
    scale = min(1.0, *(sides[k] * (1 - 2 * ROOM) / ((high[k] - low[k]) * unit[k]) for k in (0, 1)))
    start: list[float] = []
    for k in (0, 1):
        spare = 1 - (high[k] - low[k])
        along = min(max(low[k] / spare, 0.0), 1.0) if spare > 0 else 0.5
        length = (high[k] - low[k]) * unit[k] * scale
        start.append(box[k] + sides[k] * ROOM + along * (sides[k] * (1 - 2 * ROOM) - length))
    moved: list[PlanObject] = []
    for item in things:
        x0, y0, x1, y1 = (start[k % 2] + (item.box[k] - low[k % 2]) * unit[k % 2] * scale for k in range(4))
        moved.append(item.model_copy(update={"box": (x0, y0, x1, y1)}))
    return moved


def together(boxes: Sequence[Box]) -> list[list[int]]:
    """For each box the numbers of all that hang together with it by overlaps, itself among them."""
    groups = [{number} for number in range(len(boxes))]
    for i, first in enumerate(boxes):
        for j, second in enumerate(boxes[:i]):
            if all(max(first[k], second[k]) < min(first[k + 2], second[k + 2]) for k in (0, 1)):
                merged = groups[i] | groups[j]
                for number in merged:
                    groups[number] = merged
    return [sorted(group) for group in groups]


def _centre(boxes: Sequence[Box]) -> tuple[float, float]:
    """The middle of the box around all of them."""
    return (
        (min(box[0] for box in boxes) + max(box[2] for box in boxes)) / 2,
        (min(box[1] for box in boxes) + max(box[3] for box in boxes)) / 2,
    )
