"""A layout to masks: how much of every pixel the letters, their outline and their shadow cover.

Letters are drawn at several samples per pixel and averaged, so that they stand on fractions of a pixel and hinting does
not move them. A mask is uint8, 0 = bare, 255 = covered. It knows no colour, and no place in a picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from triptych.typography.fonts import Font
from triptych.typography.layout import Layout, Run, base
from triptych.typography.settings import Lettering, Shadow

Mask = npt.NDArray[np.uint8]

_BLUR_REACH = 3.0
"""Pillow's blur, three passes of a box, ends within three standard deviations and a pixel."""


@dataclass(frozen=True)
class Masks:
    """letters, outline, shadow: uint8 (H, W) of the box and `margin` pixels around it, at `scale` samples per pixel; a
    blurred shadow at `shadow_scale`. outline and shadow are whole shapes (they go on below the letters), None where
    they are not wanted.
    """

    letters: Mask
    outline: Mask | None
    shadow: Mask | None
    margin: int
    scale: int
    shadow_scale: int


def reach(lettering: Lettering) -> int:
    """How many pixels outline and shadow can reach beyond the box."""
    width = lettering.outline.width if lettering.outline else 0.0
    far = 0.0
    shadow = lettering.shadow
    if shadow == "soft":
        raise ValueError("the shadow has to be settled first")
    if shadow:
        soft = _BLUR_REACH * shadow.blur + 1 if shadow.blur else 0.0
        far = max(abs(shadow.dx), abs(shadow.dy)) + soft
    return math.ceil(width + far)


def masks(layout: Layout, font: Font, lettering: Lettering, *, fine: bool = False) -> Masks:
    """Draw a layout. fine: keep all samples, for a warp, instead of averaging them to pixels."""
    margin = reach(lettering)
    keep = 1 if fine else layout.scale
    letters = _drawn(layout, font, margin, 0.0)
    outline = _drawn(layout, font, margin, lettering.outline.width) if lettering.outline else None
    shadow = None
    # What is blurred by a pixel or more needs no finer samples than pixels.
    soft = isinstance(lettering.shadow, Shadow) and lettering.shadow.blur >= 1
    if isinstance(lettering.shadow, Shadow):
        shape = letters if outline is None else outline
        if soft:
            shadow = np.asarray(_cast(shape.reduce(layout.scale), lettering.shadow, 1))
        else:
            shadow = _averaged(_cast(shape, lettering.shadow, layout.scale), keep)
    scale = layout.scale if fine else 1
    return Masks(
        _averaged(letters, keep),
        None if outline is None else _averaged(outline, keep),
        shadow,
        margin,
        scale,
        1 if soft else scale,
    )


def run_mask(
    layout: Layout,
    font: Font,
    runs: tuple[Run, ...],
    baseline: float,
    window: tuple[int, int, int, int],
    stroke: float = 0.0,
    shrink: int = 1,
) -> Mask:
    """The letters of some runs within `window` (x0, y0, x1, y1 in box pixels): uint8, its size divided by `shrink`."""
    x0, y0, x1, y1 = window
    scale = layout.scale
    image = Image.new("L", ((x1 - x0) * scale, (y1 - y0) * scale))
    _write(ImageDraw.Draw(image), layout, font, runs, baseline, (-x0, -y0), stroke)
    return _averaged(image, scale * shrink)


def _drawn(layout: Layout, font: Font, margin: int, stroke: float) -> Image.Image:
    size = tuple((math.ceil(side) + 2 * margin) * layout.scale for side in (layout.width, layout.height))
    image = Image.new("L", (size[0], size[1]))
    pen = ImageDraw.Draw(image)
    for line in layout.lines:
        _write(pen, layout, font, line.runs, line.baseline, (margin, margin), stroke)
    return image


def _write(
    pen: ImageDraw.ImageDraw,
    layout: Layout,
    font: Font,
    runs: tuple[Run, ...],
    baseline: float,
    origin: tuple[int, int],
    stroke: float,
) -> None:
    scale = layout.scale
    sized = font.at(layout.size * scale)
    for run in runs:
        if run.text.strip():
            at = round((run.x + origin[0]) * scale), round((baseline + origin[1]) * scale)
            pen.text(at, run.text, 255, sized, "ls", direction=base(run.way), stroke_width=stroke * scale)


def _cast(shape: Image.Image, shadow: Shadow, scale: int) -> Image.Image:
    """The shadow of a shape, of the same size as it."""
    moved = Image.new("L", shape.size)
    moved.paste(shape, (round(shadow.dx * scale), round(shadow.dy * scale)))
    return moved.filter(ImageFilter.GaussianBlur(shadow.blur * scale)) if shadow.blur else moved


def _averaged(image: Image.Image, scale: int) -> Mask:
    return np.asarray(image.reduce(scale) if scale > 1 else image)
