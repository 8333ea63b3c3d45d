"""Canny's edge detector (Canny 1986) in numpy: blur, slope, thinning, two thresholds that are joined by hysteresis.

Of a colour picture each pixel takes the channel with the steepest slope, so that a red apple on a green meadow of the
same brightness has an outline. It knows arrays only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triptych.control.reach import reached

Floats = npt.NDArray[np.float32]

BAND = 1024
"""Rows that are worked on at once."""
_SLOPE = np.float32(np.tan(np.radians(67.5)))
"""A gradient steeper than this points up or down, flatter than its inverse to a side, otherwise along a diagonal."""

SIGMA, LOW, HIGH = 1.0, 50.0, 120.0
"""Chosen by eye on renders at 128 pixels: outlines and inner drawing stay, the texture of grass and sand goes."""


def canny(
    pixels: npt.NDArray[np.uint8], *, sigma: float = SIGMA, low: float = LOW, high: float = HIGH
) -> npt.NDArray[np.bool_]:
    """Thin edges of a picture (H, W) or (H, W, 3).

    sigma: of the Gaussian, in pixels. low, high: slopes by Sobel's 3 x 3 kernels (Euclidean, grey levels times 4 per
    pixel); an edge is what reaches `high`, and what reaches `low` and touches an edge. The outermost pixels are none.
    """
    height = pixels.shape[0]
    margin = int(3 * sigma + 0.5) + 2
    weak, strong = np.zeros(pixels.shape[:2], bool), np.zeros(pixels.shape[:2], bool)
    for top in range(0, height, BAND):  # in bands, so that a large photograph needs no memory to speak of
        first, last = max(top - margin, 0), min(top + BAND + margin, height)
        slope = ridges(pixels[first:last], sigma)[top - first : top - first + BAND]
        weak[top : top + BAND], strong[top : top + BAND] = slope >= low, slope >= high
    return joined(weak, strong)


def ridges(pixels: npt.NDArray[np.uint8], sigma: float) -> Floats:
    """(H, W): the slope where it is a maximum along its own direction, 0 elsewhere."""
    layers = (pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]).astype(np.float32)
    right, below = sobel(blurred(layers, sigma))
    slopes = right * right + below * below
    best = slopes.argmax(axis=-1)[..., None]
    across: Floats = np.take_along_axis(right, best, -1)[..., 0]
    down: Floats = np.take_along_axis(below, best, -1)[..., 0]
    slope = np.sqrt(across * across + down * down)
    return slope * thinned(slope, across, down)


def blurred(layers: Floats, sigma: float) -> Floats:
    """(H, W, C) convolved with a Gaussian cut at three deviations; the border is mirrored."""
    H, W, C = layers.shape
    reach = min(int(3 * sigma + 0.5), H - 1, W - 1)
    if reach < 1:
        return layers
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    padded = np.pad(layers, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    rows = np.zeros((H, W + 2 * reach, C), np.float32)
    for i, weight in enumerate(kernel):
        rows += weight * padded[i : i + H]
    smooth = np.zeros((H, W, C), np.float32)
    for i, weight in enumerate(kernel):
        smooth += weight * rows[:, i : i + W]
    return smooth


def sobel(layers: Floats) -> tuple[Floats, Floats]:
    """Slopes to the right and downwards, (H, W, C) each (Sobel & Feldman 1968); the border is repeated."""
    p: Floats = np.pad(layers, ((1, 1), (1, 1), (0, 0)), mode="edge")
    rows: Floats = p[:-2] + p[1:-1] + p[1:-1] + p[2:]
    columns: Floats = p[:, :-2] + p[:, 1:-1] + p[:, 1:-1] + p[:, 2:]
    return rows[:, 2:] - rows[:, :-2], columns[2:] - columns[:-2]


def thinned(slope: Floats, across: Floats, down: Floats) -> npt.NDArray[np.bool_]:
    """Pixels that are a maximum along their own gradient, whose direction is rounded to one of four.

    Of two equal neighbours the one on the left, or above, stays. The outermost pixels are never one.
    """
    steep, flat = np.abs(down) > _SLOPE * np.abs(across), np.abs(down) < np.abs(across) / _SLOPE
    sector = np.where(flat, 0, np.where(steep, 2, np.where(down * across > 0, 1, 3)))
    keep = np.zeros(slope.shape, bool)
    if min(slope.shape) < 3:
        return keep
    inner = slope[1:-1, 1:-1]
    H, W = slope.shape
    # Sector -> the step to the next pixel along the gradient, (down, right).
    for number, (dy, dx) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = slope[1 + dy : H - 1 + dy, 1 + dx : W - 1 + dx]
        behind = slope[1 - dy : H - 1 - dy, 1 - dx : W - 1 - dx]
        keep[1:-1, 1:-1] |= (sector[1:-1, 1:-1] == number) & (inner >= ahead) & (inner > behind)
    return keep


def joined(weak: npt.NDArray[np.bool_], strong: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Weak pixels that a chain of weak neighbours, diagonals included, joins to a strong one; and the strong ones."""
    return reached(weak, strong)
