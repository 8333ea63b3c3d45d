"""Colours in linear light: how layers are mixed, and how a scene's light falls on letters.

Coverage is a share of an area, so colours mix in linear light, not in sRGB codes. The light of a scene is guessed as in
Retinex (Land 1977): the brightest that each channel reaches is white under that light; what changes slowly across the
scene is its fall-off. It is a guess - a white wall beside a dark sky reads as bright light - and kept within bounds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Linear = npt.NDArray[np.float32]
"""float32 (..., 3), 0 to 1, in linear light."""

_CODES = np.arange(256, dtype=np.float64) / 255
_TO_LINEAR = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
_WHITE_SHARE = 99.0
_DIMMEST = 0.2
_FALL_OFF = (0.6, 1.5)
_GRAIN = (0.75, 1.25)
_BRIDGE = 3.0
_SHADE_SIDE = 96
"""The slow part of the light is looked at in a copy of about this many pixels."""


def decoded(pixels: npt.NDArray[np.uint8]) -> Linear:
    """sRGB codes to linear light (IEC 61966-2-1)."""
    return _TO_LINEAR[pixels]


def encoded(linear: Linear) -> npt.NDArray[np.uint8]:
    """Linear light to the nearest sRGB code; `encoded(decoded(x))` is x."""
    clipped = np.clip(linear, 0.0, 1.0)
    codes = np.where(clipped <= 0.0031308, clipped * 12.92, 1.055 * np.power(clipped, 1 / 2.4) - 0.055)
    return np.rint(codes * 255).astype(np.uint8)


def over(base: Linear, alpha: npt.NDArray[np.float32], colour: Linear) -> Linear:
    """`colour` laid over opaque `base` (..., 3). alpha: float32 (...), 0 to 1."""
    return np.asarray(base + np.expand_dims(alpha, -1) * (colour - base), np.float32)


def luminance(linear: Linear) -> npt.NDArray[np.float32]:
    """Relative luminance (Y of sRGB's primaries)."""
    return linear @ _LUMINANCE


def contrast(first: float, second: float) -> float:
    """The contrast ratio of two luminances, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((first, second))
    return (high + 0.05) / (low + 0.05)


def lit(scene: npt.NDArray[np.uint8], window: tuple[int, int, int, int], strength: float) -> Linear:
    """What the scene's light makes of a white letter: float32 (h, w, 3) of the window x0, y0, x1, y1; 1 = unchanged.

    Three parts, each mixed with 1 by `strength`: the colour and strength of the light in the whole scene, its fall-off
    across the window, and the grain of what lies below the letters.
    """
    x0, y0, x1, y1 = window
    small = Image.fromarray(np.ascontiguousarray(scene[:, :, :3]))
    small.thumbnail((_SHADE_SIDE, _SHADE_SIDE), Image.Resampling.BOX)
    white = np.percentile(decoded(np.asarray(small)).reshape(-1, 3), _WHITE_SHARE, axis=0)
    ambient = np.clip(white, _DIMMEST, 1.0).astype(np.float32)

    here = luminance(decoded(scene[y0:y1, x0:x1, :3])) + np.float32(0.02)
    slow = _blurred(here, max(x1 - x0, y1 - y0) / 6)
    fall_off = np.clip(slow / slow.mean(), *_FALL_OFF)
    fine = _blurred(here, max(min(x1 - x0, y1 - y0) / 24, 1.0))
    grain = np.clip(np.sqrt(here / fine), *_GRAIN)
    gain = (fall_off * grain)[:, :, None] * ambient
    return (1 + strength * (gain - 1)).astype(np.float32)


def bridged(values: Linear, hidden: npt.NDArray[np.bool_]) -> Linear:
    """float32 (H, W, C): what is hidden, and a pixel around it, is made up from what lies near by."""
    wide = np.pad(hidden, 1)
    near = np.logical_or.reduce([wide[1 + dy : wide.shape[0] - 1 + dy, 1 + dx : wide.shape[1] - 1 + dx]
                                 for dy in (-1, 0, 1) for dx in (-1, 0, 1)])  # fmt: skip
    known = (~near).astype(np.float32)
    weight = _gaussian(known, _BRIDGE)
    filled = [_gaussian(values[:, :, channel] * known, _BRIDGE) for channel in range(values.shape[2])]
    around = np.stack(filled, axis=2) / np.maximum(weight, 1e-3)[:, :, None]
    return np.where(near[:, :, None], around, values).astype(np.float32)


def _blurred(plane: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """A Gaussian blur; wide ones are taken on a small copy."""
    height, width = plane.shape
    shrink = max(1, int(sigma // 4))
    image = Image.fromarray(plane, "F") if shrink == 1 else Image.fromarray(plane, "F").reduce(shrink)
    soft = _gaussian(np.asarray(image, np.float32), sigma / shrink)
    if shrink == 1:
        return soft
    return np.asarray(Image.fromarray(soft, "F").resize((width, height), Image.Resampling.BICUBIC), np.float32)


def _gaussian(plane: npt.NDArray[np.float32], sigma: float) -> npt.NDArray[np.float32]:
    """Separable, with edges repeated; Pillow blurs no floats."""
    radius = max(int(3 * sigma + 0.5), 1)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    weights /= weights.sum()
    for axis in (0, 1):
        pad = [(radius, radius) if axis == each else (0, 0) for each in (0, 1)]
        wide = np.pad(plane, pad, mode="edge")
        length = plane.shape[axis]
        plane = sum(
            (weight * np.take(wide, range(at, at + length), axis=axis) for at, weight in enumerate(weights)),
            np.zeros_like(plane),
        )
    return plane
