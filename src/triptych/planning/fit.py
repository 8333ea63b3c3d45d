"""A plan on another canvas than it was written for: things keep their shape, and what hangs together stays together.

The plan writer thinks of a picture of the model's own shape. Its boxes are fractions, so on a wide picture they would
become wide things. Here they keep their proportions: places are stretched with the canvas, things are not. Boxes that
overlap are moved as one, since a thing in front of another has to stay there. Knows no picture or model.
"""

from __future__ import annotations

from collections.abc import Sequence

from triptych.core.plan import Box, Plan, PlanObject


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


def into_box(plan: Plan, box: Box, shape: float = 1.0) -> tuple[PlanObject, ...]:
    """The plan's things as they stand when its whole picture is laid into a box of a larger one.

    shape: how many times as wide as high the box is, on the canvas. The things keep their proportions.
    """
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    return tuple(
        item.model_copy(
            update={
                "box": (
                    x0 + item.box[0] * width,
                    y0 + item.box[1] * height,
                    x0 + item.box[2] * width,
                    y0 + item.box[3] * height,
                )
            }
        )
        for item in to_shape(plan, shape).objects
    )


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
