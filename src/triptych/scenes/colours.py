"""The named colours, and how a drawing takes one while it keeps its shading, its outline and its other colours.

It knows nothing of nouns or scenes. Pictures are RGBA arrays, float32 in 0..1, not premultiplied.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from triptych.scenes.nouns import Body

FloatImage = npt.NDArray[np.float32]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (222, 38, 38),
    "orange": (247, 134, 22),
    "yellow": (250, 212, 32),
    "green": (56, 168, 60),
    "blue": (38, 104, 226),
    "purple": (142, 62, 196),
    "pink": (247, 128, 180),
    "brown": (136, 84, 48),
    "black": (46, 46, 52),
    "white": (244, 244, 246),
}

COLOUR_SYNONYMS: dict[str, tuple[str, ...]] = {
    "red": ("crimson", "scarlet"),
    "yellow": ("golden",),
    "blue": ("azure",),
    "purple": ("violet",),
    "pink": ("rosy",),
    "green": ("emerald",),
    "brown": ("chestnut",),
}

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def recolour(sprite: FloatImage, colour: str | tuple[int, int, int], body: Body) -> FloatImage:
    """Paint the body of a (H, W, 4) sprite in a named colour, or in any (red, green, blue).

    The body is a soft mask: pixels whose hue is near the sprite's main one, or the whitish, or the dark ones. Within
    it, the new colour is scaled by each pixel's brightness over the body's median, so that shading and highlights stay.
    """
    rgb, alpha = sprite[..., :3], sprite[..., 3]
    target = np.array(COLOURS[colour] if isinstance(colour, str) else colour, dtype=np.float32) / 255
    luma = rgb @ _LUMA
    chroma = rgb.max(axis=-1) - rgb.min(axis=-1)
    if body == "hue":
        mask = _near_main_hue(rgb, chroma, alpha)
    elif body == "light":
        mask = _ramp(0.35 - chroma, 0.12) * _ramp(luma - 0.38, 0.15)
    else:
        mask = _ramp(0.4 - luma, 0.12)
    inside = (mask > 0.5) & (alpha > 0.5)
    if not inside.any():
        return sprite
    shade = luma / max(float(np.median(luma[inside])), 0.08)
    if body == "dark":  # dark parts have next to no shading of their own: keep a hint of it
        shade = 1 + 0.25 * (shade - 1)
    shade = np.clip(shade, 0.45, 1.6)[..., None]
    # darker than the median: multiply; brighter: mix towards white, as a highlight does
    painted = np.where(shade <= 1, target * shade, target + (1 - target) * np.minimum(shade - 1, 0.75))
    mixed = rgb + mask[..., None] * (painted - rgb)
    return np.concatenate([np.clip(mixed, 0, 1), alpha[..., None]], axis=-1).astype(np.float32)


def _near_main_hue(rgb: FloatImage, chroma: FloatImage, alpha: FloatImage) -> FloatImage:
    """Soft mask of the pixels within about 40 degrees of the hue that holds most colour."""
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    angle = np.arctan2(np.sqrt(3.0) * (green - blue), 2 * red - green - blue)
    weight = chroma * alpha * (chroma > 0.1)
    bins, edges = np.histogram(angle, bins=36, range=(-np.pi, np.pi), weights=weight)
    smooth = np.roll(bins, 1) + bins + np.roll(bins, -1)
    peak = int(smooth.argmax())
    centre = 0.5 * (edges[peak] + edges[peak + 1])
    away = np.abs((angle - centre + np.pi) % (2 * np.pi) - np.pi)
    return (_ramp(np.radians(42) - away, 0.15) * _ramp(chroma - 0.12, 0.08)).astype(np.float32)


def _ramp(value: FloatImage, width: float) -> FloatImage:
    """0 below -width/2, 1 above +width/2, linear between."""
    return np.clip(value / width + 0.5, 0, 1).astype(np.float32)
