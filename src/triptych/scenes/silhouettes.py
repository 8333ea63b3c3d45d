"""Which pixels each thing of a scene covers, and where a face's features are: the exact truth behind control maps.

It draws what `render` draws, one thing at a time, and knows nothing of what the maps look like.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triptych.scenes.graph import Scene, SceneObject
from triptych.scenes.identity import Face
from triptych.scenes.render import default_sprites, drawing
from triptych.scenes.sprites import Sprites

HALF = 128
"""Opacity from which on a pixel is the thing's and not the ground's."""


def silhouette(thing: SceneObject, size: tuple[int, int], sprites: Sprites | None = None) -> npt.NDArray[np.bool_]:
    """The pixels (H, W) that are more the thing's than the background's, cut at the picture's borders.

    size: (width, height). Without `sprites` it draws with the system's font, as `render` does.
    """
    width, height = size
    x0, y0, x1, y1 = thing.box
    box_w, box_h = max(round((x1 - x0) * width), 1), max(round((y1 - y0) * height), 1)
    left, top = round(x0 * width), round(y0 * height)
    opacity = drawing(thing, sprites or default_sprites(), box_w, box_h)[..., 3]
    mask = np.zeros((height, width), bool)
    a, b, c, d = max(left, 0), max(top, 0), min(left + box_w, width), min(top + box_h, height)
    if a < c and b < d:
        mask[b:d, a:c] = opacity[b - top : d - top, a - left : c - left] >= HALF
    return mask


def silhouettes(scene: Scene, size: tuple[int, int], sprites: Sprites | None = None) -> list[npt.NDArray[np.bool_]]:
    """One for each of the scene's objects, from back to front."""
    return [silhouette(thing, size, sprites) for thing in scene.objects]


def landmarks(face: Face) -> dict[str, tuple[float, float]]:
    """The features of a drawn face in fractions of its drawing (`faces.draw_face`): eyes, nose, mouth, head outline."""
    half = 0.29 + 0.08 * face.width
    apart = half * (0.38 + 0.16 * face.eye_spacing)
    lift = 0.07 * (face.asymmetry - 0.5)
    wide = 0.07 + 0.06 * face.mouth_width
    jaw = 2 / (1.7 + 1.7 * face.jaw)
    points = {
        "left eye": (0.5 - apart, 0.53 - lift / 2),
        "right eye": (0.5 + apart, 0.53 + lift / 2),
        "nose": (0.5, 0.6 + 0.8 * (0.03 + 0.06 * face.nose)),
        "mouth": (0.5 + lift, 0.79),
        "mouth left": (0.5 + lift - wide, 0.775),
        "mouth right": (0.5 + lift + wide, 0.775),
    }
    for i in range(12):
        angle = 2 * np.pi * i / 12
        across, up = float(np.cos(angle)), float(np.sin(angle))
        if up >= 0:  # below the eyes: the superellipse of the jaw
            x, y = half * np.sign(across) * abs(across) ** jaw, 0.43 * up**jaw
        else:
            x, y = half * across, 0.33 * up
        points[f"head{i}"] = (0.5 + float(x), 0.5 + float(y))
    return points
