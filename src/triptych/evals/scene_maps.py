"""Control maps of the built-in world: from a scene, from a plan, or from what the readers found in a picture.

Here scenes meet `control`, which knows none. A scene's maps are exact; a plan's are those of its drawings in its boxes,
which a painter may have followed or not; a reading's have boxes instead of silhouettes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from triptych.control import Thing, canny, depth, pose, segmentation
from triptych.control.things import ByteImage, Colour, legend
from triptych.core.errors import one_of
from triptych.core.plan import Box, Plan
from triptych.evals.reading import Reading
from triptych.scenes import Scene, Sprites, render
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.graph import SceneObject
from triptych.scenes.nouns import NOUNS, SMALL_NOUNS
from triptych.scenes.silhouettes import landmarks, silhouette

KINDS = ("edges", "depth", "pose", "segmentation")
SURE = 0.3
"""Score from which on the readers' detections count."""


@cache
def world_legend() -> dict[str, Colour]:
    """Noun -> colour, over the whole world. The small world's nouns come first and so differ most."""
    rest = [noun for noun in NOUNS if noun not in SMALL_NOUNS]
    return legend([*SMALL_NOUNS, *rest])


def of_scene(kind: str, scene: Scene, size: tuple[int, int], sprites: Sprites | None = None) -> ByteImage:
    """The exact map (H, W, 3) of a scene's render at (width, height). `InvalidRequest` for an unknown kind."""
    if one_of("kind", kind, KINDS) == "edges":
        return edges(render(scene, size, sprites))
    things = [_thing(each, size, sprites) for each in scene.objects]
    return _drawn(kind, things, size, scene.background)


def of_plan(kind: str, plan: Plan, size: tuple[int, int], sprites: Sprites | None = None) -> ByteImage:
    """The map of what a plan asks for. Edges need pixels: `InvalidRequest`, as for an unknown kind."""
    one_of("kind", kind, KINDS[1:])
    objects = [SceneObject(0, each.noun, each.colour, each.box, text=each.text or None) for each in plan.objects]
    known = [each for each in objects if each.noun in NOUNS and (each.noun != "sign" or each.text)]
    things = [
        _block(each.noun, each.box, size) if each.noun == "face" else _thing(each, size, sprites) for each in known
    ]
    return _drawn(kind, things, size, plan.background)


def of_reading(kind: str, reading: Reading, size: tuple[int, int]) -> ByteImage:
    """The map of what readers found; of silhouettes they know nothing, so things are their boxes, by their feet."""
    one_of("kind", kind, KINDS[1:])
    found = [thing for thing in reading.things if thing.score >= SURE]
    found.sort(key=lambda thing: thing.box[3])
    things = [_block(thing.noun, thing.box, size) for thing in found]
    return _drawn(kind, things, size, reading.background or "")


def edges(pixels: ByteImage) -> ByteImage:
    """White on black, (H, W, 3)."""
    return np.repeat((canny(pixels) * np.uint8(255))[..., None], 3, axis=-1)


def _drawn(kind: str, things: Sequence[Thing], size: tuple[int, int], background: str) -> ByteImage:
    if kind == "segmentation":
        return segmentation(things, size, world_legend())
    if kind == "pose":
        return pose(things, size)
    horizon = BACKGROUNDS[background].horizon if background in BACKGROUNDS else 1.0
    return depth(things, size, horizon)


def _thing(each: SceneObject, size: tuple[int, int], sprites: Sprites | None) -> Thing:
    points: dict[str, tuple[float, float]] = {}
    if each.face is not None:
        x0, y0, x1, y1 = each.box
        points = {name: (x0 + x * (x1 - x0), y0 + y * (y1 - y0)) for name, (x, y) in landmarks(each.face).items()}
    return Thing(each.noun, silhouette(each, size, sprites), each.box, points)


def _block(noun: str, box: Box, size: tuple[int, int]) -> Thing:
    width, height = size
    mask = np.zeros((height, width), bool)
    x0, y0, x1, y1 = box
    left, top, right, foot = round(x0 * width), round(y0 * height), round(x1 * width), round(y1 * height)
    mask[max(top, 0) : max(foot, 0), max(left, 0) : max(right, 0)] = True
    return Thing(noun, mask, box)
