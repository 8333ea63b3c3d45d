"""A reader without faults: what it says follows from the scene alone, visible parts and shadows included."""

from __future__ import annotations

import dataclasses

from triptych.evals.judge.verdict import area, overlap
from triptych.evals.reading import Reading, true_reading
from triptych.scenes import Scene
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.render import FALL


def oracle(scene: Scene) -> Reading:
    """`true_reading` with the visible share of each box and the shadow of what reaches the ground."""
    reading = true_reading(scene)
    things = []
    for i, thing in enumerate(reading.things):
        box = scene.objects[i].box
        hidden = sum(overlap(box, other.box) for other in scene.objects[i + 1 :])
        shadow = FALL[scene.light] if box[3] > BACKGROUNDS[scene.background].horizon else None
        things.append(dataclasses.replace(thing, visible=max(1 - hidden / area(box), 0.0), shadow=shadow))
    return dataclasses.replace(reading, things=tuple(things))
