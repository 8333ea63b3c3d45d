"""Letters into a picture: place, draw, warp, light, blend, and proof of what stayed.

`typeset` gives the pixels and, as products of their own, the exact coverage of the letters and their layout: whoever
works on the picture further (`relettered`) can put the very same shapes back. Nothing outside the box, widened by
outline and shadow, is touched, and the report counts that. It knows no models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triptych.core.errors import InvalidRequest
from triptych.typography import draw, light, warp
from triptych.typography.fonts import Font
from triptych.typography.layout import Layout, lay_out
from triptych.typography.settings import Lettering, Point, Shadow, rgba

Pixels = npt.NDArray[np.uint8]
Window = tuple[int, int, int, int]


@dataclass(frozen=True)
class Plane:
    """Where the text stands. width, height: its own pixels. homography: plane to picture. upright: a plain box."""

    width: float
    height: float
    homography: warp.Homography
    upright: bool


@dataclass(frozen=True)
class Layers:
    """What covers the picture's `window` (x0, y0, x1, y1): masks of its size, 255 = covered, in drawing order."""

    window: Window
    shadow: draw.Mask | None
    outline: draw.Mask | None
    letters: draw.Mask


@dataclass(frozen=True)
class Typeset:
    """pixels: uint8 as the picture. lettering: with all that was chosen. mask: uint8 (H, W), how much of each pixel the
    letters cover. area: bool (H, W), the pixels that could change. contrast: of the letters to what lies around them,
    1 to 21.
    """

    pixels: Pixels
    lettering: Lettering
    mask: draw.Mask
    layout: Layout
    plane: Plane
    layers: Layers
    area: npt.NDArray[np.bool_]
    contrast: float


def typeset(pixels: Pixels, lettering: Lettering, font: Font) -> Typeset:
    """Write `lettering` into a picture, uint8 (H, W, 3) or (H, W, 4).

    Raises `InvalidRequest` for a box or corners outside the picture, and for a text that does not fit.
    """
    plane = plane_of(lettering, pixels.shape[1], pixels.shape[0])
    layout = lay_out(lettering, font, plane.width, plane.height)
    lettering = lettering.settled(layout.size, font.name)
    layers = _layers(layout, font, lettering, plane, pixels.shape[1], pixels.shape[0])
    x0, y0, x1, y1 = layers.window
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[y0:y1, x0:x1] = layers.letters
    area = _area(lettering, plane, pixels.shape[1], pixels.shape[0])
    return Typeset(
        pixels=blended(pixels, layers, lettering, pixels),
        lettering=lettering,
        mask=mask,
        layout=layout,
        plane=plane,
        layers=layers,
        area=area,
        contrast=_contrast(pixels, layers, lettering),
    )


def relettered(done: Typeset, around: Pixels, scene: Pixels) -> Pixels:
    """The same letters, shape for shape, over other surroundings: of `around` what lies in `done.area`, of `scene` the
    rest. The light on the letters, where `harmonise` asks for it, is that of the two together.
    """
    base = scene.copy()
    base[done.area, :3] = around[done.area, :3]
    return blended(base, done.layers, done.lettering, base)


def covered(done: Typeset) -> npt.NDArray[np.bool_]:
    """(H, W): where a letter or its outline lies, be it a little."""
    x0, y0, x1, y1 = done.layers.window
    under = done.layers.letters > 0
    if done.layers.outline is not None:
        under |= done.layers.outline > 0
    whole = np.zeros(done.mask.shape, bool)
    whole[y0:y1, x0:x1] = under
    return whole


def plane_of(lettering: Lettering, width: int, height: int) -> Plane:
    """The text's plane in a picture of width x height. `InvalidRequest` if it is not wholly inside."""
    if lettering.corners is not None:
        outside = [(x, y) for x, y in lettering.corners if not (0 <= x <= width and 0 <= y <= height)]
        if outside:
            x, y = outside[0]
            raise InvalidRequest(
                "perspective", f"the corner {x:g},{y:g} is outside the picture, which has {width}x{height} pixels"
            )
        across, down = _plane_size(lettering)
        return Plane(across, down, warp.of_corners(lettering.corners, across, down), False)
    assert lettering.box is not None
    x, y, w, h = lettering.box
    if x < 0 or y < 0 or x + w > width or y + h > height:
        raise InvalidRequest("box", f"{x},{y},{w},{h} reaches outside the picture, which has {width}x{height} pixels")
    plane = Plane(w, h, warp.of_rotation(lettering.box, lettering.rotate), lettering.rotate % 360 == 0)
    for u, v in warp.outer(plane.homography, w, h, 0):
        if not (-0.5 <= u <= width + 0.5 and -0.5 <= v <= height + 0.5):
            raise InvalidRequest(
                "rotate",
                f"turned by {lettering.rotate:g} degrees the box reaches outside the picture ({u:.0f},{v:.0f})",
            )
    return plane


def blended(base: Pixels, layers: Layers, lettering: Lettering, scene: Pixels) -> Pixels:
    """`base` with the layers over it, in linear light; pixels that no layer covers keep their bytes."""
    x0, y0, x1, y1 = layers.window
    out = base.copy()
    view = out[y0:y1, x0:x1]
    layered = _paints(layers, lettering)
    paints = [(mask, paint, shines) for mask, paint, shines in layered if mask is not None and paint[3]]
    touched = np.logical_or.reduce([mask > 0 for mask, _, _ in paints])
    below = view[touched]  # (N, 3 or 4)
    lamp = light.lit(scene, layers.window, lettering.harmonise)[touched] if lettering.harmonise else np.float32(1)
    colour = light.decoded(below[:, :3])
    opacity = below[:, 3].astype(np.float32) / 255 if below.shape[1] == 4 else np.ones(len(below), np.float32)
    for mask, paint, shines in paints:
        tone = light.decoded(np.asarray(paint[:3], np.uint8)) * (lamp if shines else np.float32(1))
        alpha = (mask[touched] * np.float32(paint[3] / 255 / 255)).astype(np.float32)
        whole = alpha + opacity * (1 - alpha)
        colour = light.over(colour, (alpha / np.maximum(whole, 1e-6)).astype(np.float32), tone)
        opacity = whole
    painted = light.encoded(colour)
    if below.shape[1] == 4:
        painted = np.concatenate([painted, np.rint(opacity * 255).astype(np.uint8)[:, None]], axis=1)
    view[touched] = painted
    return out


def changed_outside(before: Pixels, after: Pixels, area: npt.NDArray[np.bool_]) -> int:
    """How many pixels outside the area are not byte for byte what they were."""
    return int(np.count_nonzero((before != after).any(axis=2) & ~area))


def _paints(layers: Layers, lettering: Lettering) -> list[tuple[draw.Mask | None, tuple[int, int, int, int], bool]]:
    """(mask, colour, whether the scene's light falls on it) from the lowest layer to the highest."""
    shadow = rgba(lettering.shadow.colour) if isinstance(lettering.shadow, Shadow) else (0, 0, 0, 0)
    outline = rgba(lettering.outline.colour) if lettering.outline else (0, 0, 0, 0)
    return [
        (layers.shadow, shadow, False),
        (layers.outline, outline, True),
        (layers.letters, rgba(lettering.colour), True),
    ]


def _plane_size(lettering: Lettering) -> tuple[float, float]:
    """Width and height of a plane about as large as its four corners, in the box's proportion if there is one."""
    assert lettering.corners is not None
    a, b, c, d = lettering.corners
    across = (math.dist(a, b) + math.dist(d, c)) / 2
    down = (math.dist(a, d) + math.dist(b, c)) / 2
    if lettering.box is not None:
        ratio = lettering.box[2] / lettering.box[3]
        across, down = math.sqrt(across * down * ratio), math.sqrt(across * down / ratio)
    return float(max(round(across), 1)), float(max(round(down), 1))


def _layers(layout: Layout, font: Font, lettering: Lettering, plane: Plane, width: int, height: int) -> Layers:
    masks = draw.masks(layout, font, lettering, fine=not plane.upright)
    corners = warp.outer(plane.homography, plane.width, plane.height, masks.margin)
    window = _window(corners, width, height)
    if plane.upright:
        assert lettering.box is not None
        x0, y0, x1, y1 = window
        left, top = x0 - lettering.box[0] + masks.margin, y0 - lettering.box[1] + masks.margin
        cut = np.s_[top : top + y1 - y0, left : left + x1 - x0]
        parts = [None if mask is None else mask[cut] for mask in (masks.shadow, masks.outline, masks.letters)]
    else:
        scales = (masks.shadow_scale, masks.scale, masks.scale)
        parts = [
            None if mask is None else warp.seen(mask, plane.homography @ _to_plane(scale, masks.margin), window)
            for mask, scale in zip((masks.shadow, masks.outline, masks.letters), scales, strict=True)
        ]
    shadow, outline, letters = parts
    assert letters is not None
    return Layers(window, shadow, outline, letters)


def _to_plane(scale: int, margin: int) -> warp.Homography:
    """From the samples of a mask with a margin to pixels of the plane."""
    return np.array([[1 / scale, 0, -margin], [0, 1 / scale, -margin], [0, 0, 1]], np.float64)


def _window(corners: list[Point], width: int, height: int) -> Window:
    """Whole pixels around the corners, within the picture."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    nudge = 1e-6
    return (
        max(math.floor(min(xs) + nudge), 0),
        max(math.floor(min(ys) + nudge), 0),
        min(math.ceil(max(xs) - nudge), width),
        min(math.ceil(max(ys) - nudge), height),
    )


def _area(lettering: Lettering, plane: Plane, width: int, height: int) -> npt.NDArray[np.bool_]:
    """The pixels that the box, widened by outline and shadow, touches: what may change, by geometry alone."""
    corners = warp.outer(plane.homography, plane.width, plane.height, draw.reach(lettering))
    x0, y0, x1, y1 = _window(corners, width, height)
    area = np.zeros((height, width), bool)
    inside = np.ones((y1 - y0, x1 - x0), bool)
    if not plane.upright:
        x, y = np.arange(x0, x1)[None, :] + 0.5, np.arange(y0, y1)[:, None] + 0.5
        for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
            # Half a pixel's diagonal: a pixel that is touched at its corner counts.
            distance = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / math.hypot(bx - ax, by - ay)
            inside &= distance > -0.75
    area[y0:y1, x0:x1] = inside
    return area


def _contrast(pixels: Pixels, layers: Layers, lettering: Lettering) -> float:
    """Of the letters to their outline, or to what lies around them."""
    red, green, blue, _ = rgba(lettering.colour)
    letters = float(light.luminance(light.decoded(np.array([red, green, blue], np.uint8))))
    if lettering.outline:
        red, green, blue, _ = rgba(lettering.outline.colour)
        return light.contrast(letters, float(light.luminance(light.decoded(np.array([red, green, blue], np.uint8)))))
    x0, y0, x1, y1 = layers.window
    around = light.luminance(light.decoded(pixels[y0:y1, x0:x1, :3]))
    return light.contrast(letters, float(around.mean()))
