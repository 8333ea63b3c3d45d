"""Cartoon faces, drawn from an identity. It knows nothing of scenes or captions.

Coordinates are fractions of the drawing: x and y from 0 to 1, the face's axis at x = 0.5.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from triptych.scenes.identity import EYE_COLOURS, GLASSES, HAIR_COLOURS, HAIR_STYLES, SKINS, Face, step

_FINER = 3
_Colour = tuple[int, int, int]
_INK: _Colour = (62, 44, 44)


def draw_face(face: Face, width: int, height: int) -> npt.NDArray[np.uint8]:
    """The head, (height, width, 4) uint8, premultiplied, on a clear ground."""
    pen = _Pen(width * _FINER, height * _FINER)
    skin = SKINS[step(SKINS, face.skin)]
    hair = HAIR_COLOURS[step(HAIR_COLOURS, face.hair_colour)]
    style = step(HAIR_STYLES, face.hair_style)
    half = 0.29 + 0.08 * face.width
    _hair_behind(pen, style, hair, half, face.hair_volume)
    _head(pen, face, skin, half)
    _hair_in_front(pen, style, hair, half, face.hair_volume)
    _features(pen, face, skin, half)
    return pen.finish(width, height)


class _Pen:
    """Pillow's drawing in fractions, three times as fine as the result."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGBA", (width, height))
        self._brush = ImageDraw.Draw(self.image)

    def oval(self, x: float, y: float, rx: float, ry: float, colour: _Colour) -> None:
        self._brush.ellipse(self._box(x - rx, y - ry, x + rx, y + ry), fill=(*colour, 255))

    def arc(
        self, x: float, y: float, rx: float, ry: float, degrees: tuple[int, int], colour: _Colour, w: float
    ) -> None:
        box = self._box(x - rx, y - ry, x + rx, y + ry)
        self._brush.arc(box, *degrees, fill=(*colour, 255), width=self._stroke(w))

    def pie(self, x: float, y: float, rx: float, ry: float, degrees: tuple[int, int], colour: _Colour) -> None:
        self._brush.chord(self._box(x - rx, y - ry, x + rx, y + ry), *degrees, fill=(*colour, 255))

    def line(self, points: list[tuple[float, float]], colour: _Colour, w: float) -> None:
        pixels = [(x * self.width, y * self.height) for x, y in points]
        self._brush.line(pixels, fill=(*colour, 255), width=self._stroke(w), joint="curve")

    def shape(self, points: list[tuple[float, float]], colour: _Colour) -> None:
        self._brush.polygon([(x * self.width, y * self.height) for x, y in points], fill=(*colour, 255))

    def frame(self, x: float, y: float, rx: float, ry: float, w: float, colour: _Colour, *, round_: bool) -> None:
        box = self._box(x - rx, y - ry, x + rx, y + ry)
        draw = self._brush.ellipse if round_ else self._brush.rectangle
        draw(box, outline=(*colour, 255), width=self._stroke(w))

    def finish(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        return np.asarray(self.image.convert("RGBa").resize((width, height), Image.Resampling.BOX))

    def _stroke(self, w: float) -> int:
        return max(round(w * self.width), 2)

    def _box(self, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float, float, float]:
        return x0 * self.width, y0 * self.height, x1 * self.width, y1 * self.height


def _hair_behind(pen: _Pen, style: str, hair: _Colour, half: float, volume: float) -> None:
    more = 0.03 + 0.05 * volume
    if style == "long":
        pen.oval(0.5, 0.4, half + more, 0.37, hair)
        pen.shape(
            [
                (0.5 - half - more, 0.4),
                (0.5 + half + more, 0.4),
                (0.53 + half + more, 0.96),
                (0.47 - half - more, 0.96),
            ],
            hair,
        )
    elif style == "bun":
        pen.oval(0.5, 0.12, 0.11 + 0.04 * volume, 0.1 + 0.02 * volume, hair)
        pen.oval(0.5, 0.4, half + 0.03, 0.3, hair)
    elif style == "curly":
        for angle in np.radians(np.linspace(150, 390, 11)):
            x, y = 0.5 + (half + 0.02) * float(np.cos(angle)), 0.42 + 0.27 * float(np.sin(angle))
            pen.oval(x, y, 0.09 + more / 2, 0.08 + more / 2, hair)


def _head(pen: _Pen, face: Face, skin: _Colour, half: float) -> None:
    shade = _darker(skin, 0.86)
    for side in (-1, 1):
        pen.oval(0.5 + side * half, 0.55, 0.055, 0.07, skin)
        pen.oval(0.5 + side * half, 0.55, 0.026, 0.038, shade)
    pen.oval(0.5, 0.5, half, 0.33, skin)
    # below the eyes a superellipse, whose exponent takes the jaw from pointed to square
    power = 2 / (1.7 + 1.7 * face.jaw)
    angles = np.linspace(0, np.pi, 33)
    x = 0.5 + half * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** power
    y = 0.5 + 0.43 * np.sin(angles) ** power
    pen.shape([(float(a), float(b)) for a, b in zip(x, y, strict=True)], skin)
    for side in (-1, 1):
        pen.oval(0.5 + side * half * 0.58, 0.68, 0.06, 0.04, _mixed(skin, (240, 120, 110), 0.3))


def _hair_in_front(pen: _Pen, style: str, hair: _Colour, half: float, volume: float) -> None:
    if style == "bald":
        return
    top = half + 0.015 + 0.02 * volume
    lift = 0.16 - 0.05 * volume
    if style == "spiky":
        spikes: list[tuple[float, float]] = [(0.5 - top, 0.42)]
        for i in range(7):
            x = 0.5 - top + (i + 0.5) * 2 * top / 7
            spikes += [(x, 0.03 + 0.05 * (1 - volume) + 0.03 * abs(i - 3)), (x + top / 7, 0.24)]
        pen.shape([*spikes, (0.5 + top, 0.42)], hair)
    pen.pie(0.5, 0.44, top, 0.44 - lift, (180, 360), hair)
    if style in ("long", "short"):  # a fringe, parted at one side
        pen.pie(0.5 - half * 0.5, 0.4, half * 0.55, 0.12, (0, 180), hair)
        pen.pie(0.5 + half * 0.55, 0.41, half * 0.48, 0.06, (0, 180), hair)
    if style == "curly":
        for i in range(5):
            pen.oval(0.5 + (i - 2) * half * 0.42, 0.33, 0.085, 0.075, hair)


def _features(pen: _Pen, face: Face, skin: _Colour, half: float) -> None:
    shade = _darker(skin, 0.78)
    apart = half * (0.38 + 0.16 * face.eye_spacing)
    lift = 0.07 * (face.asymmetry - 0.5)  # one side of the face stands higher than the other
    size = 0.036 + 0.022 * face.eye_size
    iris = EYE_COLOURS[step(EYE_COLOURS, face.eye_colour)]
    brow = _darker(HAIR_COLOURS[step(HAIR_COLOURS, face.hair_colour)], 0.75)
    tilt = 0.05 * (face.brow_tilt - 0.5)
    for side in (-1, 1):
        x, y = 0.5 + side * apart, 0.53 + side * lift / 2
        pen.oval(x, y, size * 1.35, size * 1.15, (255, 255, 255))
        pen.oval(x, y, size * 0.82, size * 0.82, iris)
        pen.oval(x, y, size * 0.42, size * 0.42, (24, 20, 24))
        pen.oval(x + size * 0.25, y - size * 0.3, size * 0.2, size * 0.2, (255, 255, 255))
        up = y - size - 0.045
        pen.line([(x - 0.07, up + side * tilt), (x + 0.07, up - side * tilt)], brow, 0.012 + 0.022 * face.brow_weight)
    long = 0.03 + 0.06 * face.nose
    pen.oval(0.5, 0.6 + long * 0.8, 0.022 + 0.024 * face.nose, 0.016 + 0.016 * face.nose, shade)
    pen.line([(0.5 - 0.006, 0.57), (0.5 + 0.01, 0.6 + long * 0.6)], shade, 0.014)
    _mouth(pen, face, lift)
    if face.traits().get("freckles"):
        for side in (-1, 1):
            for dx, dy in ((0, 0), (0.04, 0.015), (-0.035, 0.02), (0.012, 0.04), (0.055, -0.018)):
                pen.oval(0.5 + side * (half * 0.52 + dx), 0.64 + dy, 0.01, 0.009, _darker(skin, 0.62))
    if face.scar_side is not None:
        side = -1 if face.scar_side == "left" else 1
        x, red = 0.5 + side * half * 0.66, _mixed(skin, (214, 52, 70), 0.75)
        pen.line([(x - 0.03, 0.6), (x + 0.03, 0.75)], red, 0.02)
        for t in (0.25, 0.5, 0.75):
            cx, cy = x - 0.03 + 0.06 * t, 0.6 + 0.15 * t
            pen.line([(cx - 0.025, cy + 0.012), (cx + 0.025, cy - 0.012)], red, 0.014)
    kind = step(GLASSES, face.glasses)
    if kind != "none":
        for side in (-1, 1):
            x, y = 0.5 + side * apart, 0.53 + side * lift / 2
            pen.frame(x, y, 0.105, 0.085, 0.022, _INK, round_=kind == "round")
        pen.line([(0.5 - apart + 0.1, 0.53), (0.5 + apart - 0.1, 0.53)], _INK, 0.02)


def _mouth(pen: _Pen, face: Face, lift: float) -> None:
    wide = 0.07 + 0.06 * face.mouth_width
    mood = min(int(face.mood * 3), 2)
    x, y = 0.5 + lift, 0.775
    if mood == 2:
        pen.pie(x, y - 0.015, wide, 0.075, (0, 180), (150, 42, 52))
        pen.pie(x, y - 0.015, wide * 0.8, 0.03, (0, 180), (255, 255, 255))
    elif mood == 1:
        pen.line([(x - wide, y - lift / 3), (x + wide, y + lift / 3)], (150, 60, 60), 0.022)
    else:
        pen.arc(x, y + 0.06, wide, 0.06, (200, 340), (150, 60, 60), 0.024)


def _darker(colour: _Colour, share: float) -> _Colour:
    return _mixed((0, 0, 0), colour, share)


def _mixed(first: _Colour, second: _Colour, share: float) -> _Colour:
    a, b, c = (round(x + share * (y - x)) for x, y in zip(first, second, strict=True))
    return a, b, c
