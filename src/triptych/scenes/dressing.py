"""What no word of the world says of a picture: a thing in any colour, mirrored or turned, and a look over all of it.

References are about these (`scenes.series`). It knows nothing of scenes, captions or models.
"""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.scenes.colours import recolour
from triptych.scenes.draw import Draw
from triptych.scenes.memo import Memo
from triptych.scenes.nouns import NOUNS
from triptych.scenes.sprites import Sprites

ByteImage = npt.NDArray[np.uint8]

TURNS: tuple[int, ...] = (-60, -30, 0, 30, 60, 180)
"""Degrees, counter-clockwise, by which a thing may be turned."""
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True)
class Look:
    """How the drawing of a noun is altered. tint: its body's colour; turned: degrees, after mirroring."""

    tint: tuple[int, int, int] | None = None
    mirrored: bool = False
    turned: int = 0


@dataclass(frozen=True, slots=True)
class Style:
    """A look over a whole picture: rgb -> matrix @ rgb + shift, in 0..1, cut there. matrix: nine numbers, by row."""

    matrix: tuple[float, ...]
    shift: tuple[float, float, float]

    def on(self, picture: ByteImage) -> ByteImage:
        """(H, W, 3) uint8 -> the same in this style."""
        matrix = np.array(self.matrix).reshape(3, 3)
        styled = picture.astype(np.float64) / 255 @ matrix.T + np.array(self.shift)
        return (styled.clip(0, 1) * 255).round().astype(np.uint8)


class Dressed(Sprites):
    """Sprites of which some nouns look otherwise. Faces and signs are no sprites, and stay as they are."""

    def __init__(self, plain: Sprites, looks: Mapping[str, Look]) -> None:
        self._plain, self._looks = plain, looks
        self.shadows = Memo[ByteImage](max_bytes=4 << 20)

    def scaled(self, noun: str, colour: str | None, width: int, height: int) -> ByteImage:
        look = self._looks.get(noun)
        return self._plain.scaled(noun, colour, width, height) if look is None else self._altered(
            noun, colour, look, width, height
        )  # fmt: skip

    def _altered(self, noun: str, colour: str | None, look: Look, width: int, height: int) -> ByteImage:
        drawing, body = self._plain.drawing(noun, colour), NOUNS[noun].body
        if look.tint is not None and body is not None:
            drawing = recolour(self._plain.drawing(noun), look.tint, body)
        premultiplied = np.concatenate([drawing[..., :3] * drawing[..., 3:], drawing[..., 3:]], axis=-1)
        picture = Image.fromarray((premultiplied * 255).round().astype(np.uint8), "RGBa")
        if look.mirrored:
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if not look.turned:
            return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0))
        return _in_the_middle(_turned(picture, look.turned), width, height)


def _turned(picture: Image.Image, degrees: int) -> Image.Image:
    """Turned, on a canvas just large enough for all that is seen."""
    planes = [plane.rotate(degrees, Image.Resampling.BICUBIC, expand=True) for plane in picture.split()]
    turned = Image.merge("RGBa", planes)
    return turned.crop(turned.getchannel("a").getbbox())


def _in_the_middle(picture: Image.Image, width: int, height: int) -> ByteImage:
    """As large as fits into the box, its shape kept."""
    scale = min(width / picture.width, height / picture.height)
    inner = max(round(picture.width * scale), 1), max(round(picture.height * scale), 1)
    canvas = np.zeros((height, width, 4), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    scaled = picture.resize(inner, Image.Resampling.BICUBIC, reducing_gap=3.0)
    canvas[top : top + inner[1], left : left + inner[0]] = np.asarray(scaled)
    return canvas


def draw_tint(draw: Draw) -> tuple[int, int, int]:
    """Any colour that is seen as one: of every hue, from pale to deep."""
    rgb = colorsys.hsv_to_rgb(draw.unit(), draw.uniform(0.45, 1.0), draw.uniform(0.45, 1.0))
    red, green, blue = (round(255 * part) for part in rgb)
    return red, green, blue


def draw_pose(draw: Draw) -> Look:
    """Mirrored, turned, or both; never neither."""
    mirrored, turned = draw.chance(0.5), draw.pick(TURNS)
    return Look(mirrored=mirrored or not turned, turned=turned)


def draw_style(draw: Draw) -> Style:
    """Two inks instead of all colours, other hues, or a negative; more or less of it, flatter or harsher."""
    fate = draw.unit()
    if fate < 0.5:
        dark, light = (np.array(_ink(draw, low, low + 0.35)) for low in (0.0, 0.65))
        matrix, shift = np.outer(light - dark, _LUMA), dark
    elif fate < 0.85:
        matrix, shift = _hues_turned(draw.uniform(50, 310)), np.zeros(3)
    else:
        matrix, shift = -np.eye(3), np.ones(3)
    amount, contrast = draw.uniform(0.75, 1.0), draw.uniform(0.6, 1.3)
    matrix, shift = amount * matrix + (1 - amount) * np.eye(3), amount * shift
    red, green, blue = (float(value) for value in contrast * shift + (1 - contrast) / 2)
    return Style(tuple(float(value) for value in contrast * matrix.ravel()), (red, green, blue))


def _ink(draw: Draw, low: float, high: float) -> tuple[float, float, float]:
    return colorsys.hls_to_rgb(draw.unit(), draw.uniform(low + 0.1, high - 0.1), draw.uniform(0.2, 0.9))


def _hues_turned(degrees: float) -> npt.NDArray[np.float64]:
    """A turn about the grey axis."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    third, root = (1 - cos) / 3, np.sqrt(1 / 3) * sin
    a, b, c = cos + third, third - root, third + root
    return np.array([[a, b, c], [c, a, b], [b, c, a]])
