"""Control maps of the built-in world: from a scene, from a plan, or from what the readers found in a picture.

Here scenes meet `control`, which knows none. A scene's maps are exact; a plan's are those of its drawings in its boxes,
which a painter may have followed or not; so are those of what the readers found.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from triptych.control import Thing, canny, depth, pose, segmentation
from triptych.control.things import ByteImage, Colour, legend
from triptych.core.errors import one_of
from triptych.core.plan import Box, Plan, PlanObject
from triptych.evals.reading import Reading
from triptych.scenes import Scene, Sprites, render
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.graph import SceneObject
from triptych.scenes.nouns import MADE_NOUNS, NOUNS, SMALL_NOUNS
from triptych.scenes.silhouettes import landmarks, silhouette

KINDS = ("edges", "depth", "pose", "segmentation")
_MADE = tuple(noun.name for noun in MADE_NOUNS)
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
        return edges(canny(render(scene, size, sprites)))
    return drawn(kind, things_of_scene(scene, size, sprites), size, scene.background)


def things_of_scene(scene: Scene, size: tuple[int, int], sprites: Sprites | None = None) -> list[Thing]:
    """The scene's things with their exact silhouettes, from back to front."""
    return [_thing(each, size, sprites) for each in scene.objects]


def of_plan(kind: str, plan: Plan, size: tuple[int, int], sprites: Sprites | None = None) -> ByteImage:
    """The map of what a plan asks for. Edges need pixels: `InvalidRequest`, as for an unknown kind."""
    one_of("kind", kind, KINDS[1:])
    return drawn(kind, things_of_plan(plan, size, sprites), size, plan.background)


def things_of_plan(plan: Plan, size: tuple[int, int], sprites: Sprites | None = None) -> list[Thing]:
    """The plan's things with the silhouettes of their drawings; what a plan does not say enough to draw is a box."""
    objects = [SceneObject(0, each.noun, each.colour, each.box, text=each.text or None) for each in plan.objects]
    return [
        _thing(each, size, sprites)
        if each.noun in NOUNS and (each.noun not in _MADE or each.text)
        else _block(each.noun, each.box, size)
        for each in objects
    ]


def plan_of_reading(reading: Reading) -> Plan:
    """What the readers found as a plan, with whatever stands lower in front; its maps are those of the picture."""
    found = sorted((thing for thing in reading.things if thing.score >= SURE), key=lambda thing: thing.box[3])
    objects = tuple(
        PlanObject.model_construct(noun=thing.noun, colour=None, box=thing.box, text=thing.text) for thing in found
    )
    return Plan.model_construct(background=reading.background or "", light=None, objects=objects)


def edges(found: npt.NDArray[np.bool_]) -> ByteImage:
    """Edges (H, W) as a map: white on black, (H, W, 3)."""
    return np.repeat((found * np.uint8(255))[..., None], 3, axis=-1)


def drawn(kind: str, things: Sequence[Thing], size: tuple[int, int], background: str) -> ByteImage:
    """The map of things that stand on a background, from back to front."""
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
