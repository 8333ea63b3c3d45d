"""Planes in perspective: the homography of four corners, and masks seen through it.

A mask is sampled 4x4 times per pixel (2x2 in large windows), each time from the level of its pyramid that is as fine as
those samples, so that neither enlarged nor far parts show steps. Written in bands of rows; it knows no letters.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.errors import InvalidRequest
from triptych.typography.settings import Corners, Point

Plane8 = npt.NDArray[np.uint8]
Homography = npt.NDArray[np.floating[Any]]
"""(3, 3): plane points (x, y, 1) to picture points, up to scale."""

Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of the picture."""

_SAMPLES = 4
_LARGE = 2**21
"""Pixels of a window beyond which half as many samples per side are taken: letters are large there."""
_BAND = 2**23


def of_corners(corners: Corners, width: float, height: float) -> Homography:
    """The homography that takes the corners of a width x height plane, clockwise from the origin, to `corners`.

    The eight equations of Heckbert 1989, section 2.2.3, solved for the eight numbers.
    """
    plane = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    rows, values = [], []
    for (x, y), (u, v) in zip(plane, corners, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solved = np.linalg.solve(np.asarray(rows, np.float64), np.asarray(values, np.float64))
    return np.append(solved, 1.0).reshape(3, 3)


def of_rotation(box: tuple[int, int, int, int], degrees: float) -> Homography:
    """The homography of an upright box turned clockwise about its middle."""
    x, y, width, height = box
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    return _moved(x + width / 2, y + height / 2) @ turn @ _moved(-width / 2, -height / 2)


def through(homography: Homography, points: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Points (N, 2) to points (N, 2)."""
    x, y, w = homography @ np.vstack([points.T, np.ones(len(points))])
    return np.stack([x / w, y / w], axis=1)


def outer(homography: Homography, width: float, height: float, margin: float) -> list[Point]:
    """Where the corners of the plane with a margin around it lie in the picture. `InvalidRequest` if the margin reaches
    beyond the horizon.
    """
    low, right, bottom = -margin, width + margin, height + margin
    corners = np.array([(low, low), (right, low), (right, bottom), (low, bottom)], np.float64)
    depth = homography[2, :2] @ corners.T + homography[2, 2]
    if depth.min() < 0.05:
        raise InvalidRequest(
            "perspective", "the corners are too steep for this outline or shadow: it would pass the horizon"
        )
    return [(float(x), float(y)) for x, y in through(homography, corners)]


def seen(mask: Plane8, homography: Homography, window: Window) -> Plane8:
    """A mask through a homography (of mask samples to picture pixels): uint8 of the picture's window x0, y0, x1, y1."""
    x0, y0, x1, y1 = window
    inverse = np.linalg.inv(homography)
    levels = _pyramid(mask)
    samples = _SAMPLES if (x1 - x0) * (y1 - y0) <= _LARGE else _SAMPLES // 2
    out = np.zeros((y1 - y0, x1 - x0), np.uint8)
    band = max(_BAND // (max(x1 - x0, 1) * samples**2), 1)
    for top in range(y0, y1, band):
        bottom = min(top + band, y1)
        chosen = _levels(inverse, (x0, top, x1, bottom), samples, len(levels))
        view = out[top - y0 : bottom - y0]
        for number in np.unique(chosen[chosen >= 0]):
            here = chosen == number
            view[here] = _transformed(levels[number], inverse, (x0, top, x1, bottom), samples, 2.0**number)[here]
    return out


def flattened(pixels: Plane8, homography: Homography, width: int, height: int) -> Plane8:
    """The plane as if looked at from the front: uint8 (height, width, channels)."""
    points = np.stack([each.ravel() for each in np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)], axis=1)
    seen = through(homography, points)
    u, v = (seen[:, side].reshape(height, width).astype(np.float32) for side in (0, 1))
    planes = [_bilinear(pixels[:, :, channel], u, v) for channel in range(pixels.shape[2])]
    return np.rint(np.stack(planes, axis=2)).astype(np.uint8)


def _levels(inverse: Homography, window: Window, samples: int, count: int) -> npt.NDArray[np.intp]:
    """Which level of the pyramid is as fine as a picture pixel's samples, per pixel; -1 behind the horizon."""
    x, y = np.arange(window[0], window[2])[None, :] + 0.5, np.arange(window[1], window[3])[:, None] + 0.5
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]  # one over the depth of the plane there
    ahead = depth > 0
    depth = np.where(ahead, depth, 1.0)
    u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / depth
    v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / depth
    # How many mask samples one picture pixel spans, along the wider of its two sides.
    along_x = np.hypot(inverse[0, 0] - u * inverse[2, 0], inverse[1, 0] - v * inverse[2, 0])
    along_y = np.hypot(inverse[0, 1] - u * inverse[2, 1], inverse[1, 1] - v * inverse[2, 1])
    step = np.maximum(along_x, along_y) / depth / samples
    level = np.clip(np.rint(np.log2(np.maximum(step, 1e-6))), 0, count - 1).astype(np.intp)
    return np.where(ahead, level, -1)


def _transformed(level: Image.Image, inverse: Homography, window: Window, samples: int, shrink: float) -> Plane8:
    """The window's pixels from one level that is `shrink` times coarser than the mask, averaged over the samples."""
    x0, y0, x1, y1 = window
    finer = np.diag([1 / samples, 1 / samples, 1.0])
    matrix = np.diag([1 / shrink, 1 / shrink, 1.0]) @ inverse @ _moved(x0, y0) @ finer
    size = (x1 - x0) * samples, (y1 - y0) * samples
    numbers = (matrix / matrix[2, 2]).ravel()[:8].tolist()
    image = level.transform(size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BILINEAR)
    return np.asarray(image.reduce(samples))


def _pyramid(mask: Plane8) -> list[Image.Image]:
    levels = [Image.fromarray(mask)]
    while min(levels[-1].size) > 8 and len(levels) < 6:
        levels.append(levels[-1].reduce(2))
    return levels


def _bilinear(plane: Plane8, u: npt.NDArray[np.float32], v: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Values at points, in pixels, of a plane whose pixel (0, 0) reaches from 0 to 1; beyond its edge, the edge."""
    height, width = plane.shape
    x, y = np.clip(u - 0.5, 0, width - 1), np.clip(v - 0.5, 0, height - 1)
    left, top = x.astype(np.int32), y.astype(np.int32)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    fx, fy = (x - left).astype(np.float32), (y - top).astype(np.float32)
    upper = plane[top, left] * (1 - fx) + plane[top, right] * fx
    lower = plane[bottom, left] * (1 - fx) + plane[bottom, right] * fx
    return (upper * (1 - fy) + lower * fy).astype(np.float32)


def _moved(x: float, y: float) -> Homography:
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)
