"""Exact maps of things whose silhouettes are known: segmentation, depth and pose, each (H, W, 3) uint8.

A picture book has no bodies and no metres, so depth and pose are what its world has of them: the order in which things
were laid over each other with where they stand on the ground; and of each thing its foot, top and sides, of a face its
features. Knows no scene, no picture and no file.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from triptych.core.plan import Box

ByteImage = npt.NDArray[np.uint8]
Point = tuple[float, float]
Colour = tuple[int, int, int]

SKELETON: dict[str, Colour] = {
    "foot": (255, 0, 0),
    "top": (0, 255, 0),
    "left": (0, 85, 255),
    "right": (255, 170, 0),
}  # fmt: skip
"""A thing's points with the colour of the line from each to the middle, as OpenPose colours limbs (Cao et al. 2017)."""
FACE_LINES: dict[str, tuple[tuple[str, ...], Colour]] = {
    "head": ((*(f"head{i}" for i in range(12)), "head0"), (255, 255, 255)),
    "eyes": (("left eye", "nose", "right eye"), (255, 0, 170)),
    "mouth": (("mouth left", "mouth", "mouth right"), (0, 255, 255)),
}
NEAREST, FURTHEST, STEP = 0.98, 0.30, 0.06
"""Brightness of things that stand at the lower edge and at the top; by how much one outshines what it covers."""
GROUND = 0.25
"""How much darker the ground is than what stands on it."""


@dataclass(frozen=True)
class Thing:
    """One thing. mask: (H, W) bool, its silhouette, including what nearer things hide. box: fractions of the picture.

    points: of a face, the features named in `FACE_LINES`, in fractions of the picture.
    """

    noun: str
    mask: npt.NDArray[np.bool_]
    box: Box
    points: Mapping[str, Point] = field(default_factory=dict[str, Point])


@functools.cache
def palette(count: int) -> tuple[Colour, ...]:
    """`count` bright colours, each as far from those before it as 6 x 6 x 6 levels allow."""
    levels = np.array([0, 51, 102, 153, 204, 255])
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3).astype(float)
    grid = grid[grid.max(axis=1) >= 153]
    away = np.linalg.norm(grid, axis=1)  # black is the background
    chosen: list[Colour] = []
    for _ in range(min(count, len(grid))):
        best = int(away.argmax())
        r, g, b = (int(value) for value in grid[best])
        chosen.append((r, g, b))
        away = np.minimum(away, np.linalg.norm(grid - grid[best], axis=1))
    return tuple(chosen)


def legend(nouns: Sequence[str]) -> dict[str, Colour]:
    """Noun -> its colour in a segmentation; the background is black. The same list gives the same colours."""
    return dict(zip(nouns, palette(len(nouns)), strict=True))


def owners(things: Sequence[Thing], size: tuple[int, int]) -> npt.NDArray[np.intp]:
    """(H, W): the number of the thing that is seen at each pixel, 0 = none, k = the k-th from the back."""
    canvas = np.zeros((size[1], size[0]), np.intp)
    for number, thing in enumerate(things, start=1):
        canvas[thing.mask] = number
    return canvas


def segmentation(things: Sequence[Thing], size: tuple[int, int], colours: Mapping[str, Colour]) -> ByteImage:
    """Each pixel in the colour of the noun that is seen there. size: (width, height); things: from back to front."""
    table = np.array([(0, 0, 0), *(colours.get(thing.noun, (0, 0, 0)) for thing in things)], np.uint8)
    return table[owners(things, size)]


def nearest_nouns(pixels: ByteImage, colours: Mapping[str, Colour]) -> npt.NDArray[np.intp]:
    """The inverse of `segmentation`: (H, W) numbers in the legend's order from 1 on, 0 = background."""
    table = np.array([(0, 0, 0), *colours.values()], np.int32)
    seen, back = np.unique(pixels[..., :3].reshape(-1, 3), axis=0, return_inverse=True)
    away = ((seen[:, None, :].astype(np.int32) - table) ** 2).sum(-1)
    return away.argmin(1)[back].reshape(pixels.shape[:2])


def nearness(things: Sequence[Thing]) -> list[float]:
    """Of each thing, from back to front, how near it is in 0..1: by its foot, and nearer than all that it covers."""
    near: list[float] = []
    for i, thing in enumerate(things):
        foot = min(max(thing.box[3], 0.0), 1.0)
        own = FURTHEST + (NEAREST - FURTHEST) * foot
        covered = [near[j] + STEP for j in range(i) if bool((thing.mask & things[j].mask).any())]
        near.append(min(max([own, *covered]), 1.0))
    return near


def depth(things: Sequence[Thing], size: tuple[int, int], horizon: float) -> ByteImage:
    """Nearer is brighter: things flat as they are drawn, the ground rising from the horizon on, the sky black.

    horizon: where the ground begins, as a fraction from the top.
    """
    width, height = size
    y = (np.arange(height) + 0.5) / height
    ground = np.where(y > horizon, FURTHEST + (NEAREST - FURTHEST) * y - GROUND, 0.0)
    rows = np.repeat(ground[:, None], width, axis=1)
    table = np.array([0.0, *nearness(things)])
    owner = owners(things, size)
    grey = np.where(owner > 0, table[owner], rows)
    return np.repeat((grey * 255).round().astype(np.uint8)[..., None], 3, axis=-1)


def keypoints(thing: Thing) -> dict[str, Point]:
    """Foot, top, left and right of a thing's silhouette, or a face's features; fractions of the picture."""
    if thing.points:
        return dict(thing.points)
    x0, y0, x1, y1 = thing.box
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return {"foot": (x, y1), "top": (x, y0), "left": (x0, y), "right": (x1, y)}


def pose(things: Sequence[Thing], size: tuple[int, int]) -> ByteImage:
    """The skeletons on black, nearer things over further ones."""
    width, height = size
    finer = 4
    canvas = Image.new("RGB", (width * finer, height * finer))
    pen = ImageDraw.Draw(canvas)
    stroke = max(round(min(width, height) * finer / 64), 1)

    def at(point: Point) -> Point:
        return point[0] * width * finer, point[1] * height * finer

    for thing in things:
        points = keypoints(thing)
        if thing.points:
            for names, colour in FACE_LINES.values():
                pen.line([at(points[name]) for name in names], fill=colour, width=stroke, joint="curve")
            continue
        x0, y0, x1, y1 = thing.box
        middle = at(((x0 + x1) / 2, (y0 + y1) / 2))
        for name, colour in SKELETON.items():
            pen.line([middle, at(points[name])], fill=colour, width=stroke)
        for name, colour in SKELETON.items():
            _dot(pen, at(points[name]), stroke * 1.5, colour)
    return np.asarray(canvas.resize(size, Image.Resampling.BOX))


def _dot(pen: ImageDraw.ImageDraw, middle: Point, radius: float, colour: Colour) -> None:
    x, y = middle
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
