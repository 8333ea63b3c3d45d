"""The places of the world, each painted in soft colours that keep things in front of it readable.

It knows nothing of the objects that will stand there. A background is a function of (name, variant, size) and
of nothing else, so renders can be kept and shared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

from triptych.scenes.draw import Draw

Colour = tuple[int, int, int]

VARIANTS = 8
"""Each background exists in this many arrangements of its hills, clouds or waves."""

_STREAM = 0xBAC6
_FINER = 2  # painted at twice the size, then reduced: smooth edges


class Canvas:
    """Pillow's drawing in fractions of the picture: (0, 0) top left, (1, 1) bottom right."""

    def __init__(self, width: int, height: int, *, detailed: bool = True) -> None:
        self.width, self.height, self.detailed = width, height, detailed
        self.image = Image.new("RGB", (width, height))

    def gradient(self, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
        """Fill the band from y0 to y1 from one colour to the other."""
        first, last = round(y0 * self.height), round(y1 * self.height)
        t = np.linspace(0, 1, max(last - first, 1), dtype=np.float32)[:, None]
        rows = np.array(top, np.float32) * (1 - t) + np.array(bottom, np.float32) * t
        band = np.repeat(rows[:, None].round().astype(np.uint8), self.width, axis=1)
        self.image.paste(Image.fromarray(band), (0, first))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self._brush().ellipse(self._pixels((x - rx, y - ry, x + rx, y + ry)), fill=colour)

    def rectangle(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self._brush().rectangle(self._pixels((x0, y0, x1, y1)), fill=colour)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self._brush().polygon([self._pixels((x, y, 0, 0))[:2] for x, y in points], fill=colour)

    def glow(self, x: float, y: float, radius: float, colour: Colour, strength: float) -> None:
        """A soft round light, mixed in with `strength` at its middle."""
        yy = (np.arange(self.height, dtype=np.float32)[:, None] / self.height - y) / radius
        xx = (np.arange(self.width, dtype=np.float32)[None] / self.width - x) / radius
        amount = (strength * np.exp(-2.5 * (xx * xx + yy * yy)))[..., None]
        pixels = np.asarray(self.image, dtype=np.float32)
        self.image = Image.fromarray((pixels + amount * (np.array(colour, np.float32) - pixels)).astype(np.uint8))

    def soften(self, radius: float) -> None:
        """Gaussian blur; the radius is a fraction of the width."""
        self.image = self.image.filter(ImageFilter.GaussianBlur(radius * self.width))

    def _brush(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def _pixels(self, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        return box[0] * self.width, box[1] * self.height, box[2] * self.width, box[3] * self.height


Painter = Callable[[Canvas, Draw], None]


@dataclass(frozen=True, slots=True)
class Background:
    """A place. `horizon` is where its ground begins; `hides` are the colours that would drown in it.

    `detail` names what only every second variant holds; `shows` are nouns that its painting may be taken for.
    """

    name: str
    horizon: float
    paint: Painter
    hides: tuple[str, ...] = ()
    detail: str | None = None
    shows: tuple[str, ...] = ()


def _cloud(canvas: Canvas, x: float, y: float, size: float, colour: Colour = (252, 253, 255)) -> None:
    for dx, dy, r in ((-0.55, 0.1, 0.38), (0.0, -0.1, 0.52), (0.55, 0.08, 0.4)):
        canvas.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.62, colour)
    canvas.rectangle(x - 0.6 * size, y + 0.08 * size, x + 0.6 * size, y + 0.33 * size, colour)


def _clouds(canvas: Canvas, draw: Draw) -> None:
    for _ in range(draw.integer(1, 3) if canvas.detailed else 0):
        _cloud(canvas, draw.uniform(0.08, 0.92), draw.uniform(0.08, 0.3), draw.uniform(0.1, 0.17))


def _hills(canvas: Canvas, draw: Draw, y: float, height: float, colour: Colour, count: int = 3) -> None:
    for i in range(count):
        x = (i + draw.uniform(0.1, 0.9)) / count
        canvas.ellipse(x, y + height * 0.35, draw.uniform(0.28, 0.42), height * draw.uniform(0.8, 1.35), colour)


def _conifer(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    """Three stacked triangles, the lowest reaching down to y."""
    for i in range(3):
        top, half = y - size + i * 0.24 * size, (0.2 + 0.07 * i) * size
        canvas.polygon([(x, top), (x - half, top + 0.42 * size), (x + half, top + 0.42 * size)], colour)


def _meadow(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((142, 206, 248), (220, 242, 252), 0, 0.6)
    _clouds(canvas, draw)
    canvas.gradient((158, 214, 112), (122, 190, 86), 0.58, 1)
    _hills(canvas, draw, 0.58, 0.1, (160, 215, 116))
    for _ in range(22):
        x, y = draw.unit(), draw.uniform(0.66, 0.98)
        canvas.ellipse(x, y, 0.007, 0.007, draw.pick([(255, 252, 240), (255, 226, 120), (250, 190, 205)]))


def _beach(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((126, 204, 250), (214, 240, 252), 0, 0.42)
    _clouds(canvas, draw)
    canvas.gradient((58, 160, 214), (96, 204, 222), 0.4, 0.6)
    canvas.gradient((248, 230, 178), (238, 208, 146), 0.6, 1)
    shift = draw.unit()
    for i in range(7):
        canvas.ellipse((i + shift) / 6 - 0.08, 0.59, 0.12, 0.022, (246, 252, 252))
        canvas.ellipse((i + shift) / 6 - 0.08, 0.575, 0.12, 0.02, (96, 204, 222))
    for _ in range(14):
        canvas.ellipse(draw.unit(), draw.uniform(0.66, 0.98), 0.006, 0.004, (222, 188, 126))


def _night(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((48, 58, 124), (104, 112, 178), 0, 0.66)
    for _ in range(34):
        r = draw.uniform(0.003, 0.007)
        canvas.ellipse(draw.unit(), draw.uniform(0.01, 0.55), r, r, (250, 246, 214))
    canvas.gradient((92, 128, 146), (70, 104, 128), 0.62, 1)
    _hills(canvas, draw, 0.63, 0.09, (92, 128, 146))


def _snow(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((158, 190, 222), (206, 222, 238), 0, 0.6)
    for _ in range(draw.integer(3, 6) if canvas.detailed else 0):
        _conifer(canvas, draw.unit(), 0.6, draw.uniform(0.14, 0.24), (126, 164, 168))
    canvas.gradient((242, 247, 252), (224, 233, 245), 0.58, 1)
    _hills(canvas, draw, 0.6, 0.08, (242, 247, 252))
    for _ in range(36):
        r = draw.uniform(0.004, 0.008)
        canvas.ellipse(draw.unit(), draw.unit(), r, r, (255, 255, 255))


def _forest(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((190, 226, 186), (150, 202, 150), 0, 0.66)
    for shade, y, size in (((138, 192, 136), 0.6, 0.42), ((104, 168, 112), 0.64, 0.52)):
        for i in range(7):
            _conifer(canvas, (i + draw.uniform(0, 1)) / 7, y, size * draw.uniform(0.8, 1.2), shade)
    canvas.gradient((154, 170, 98), (132, 146, 80), 0.63, 1)
    for _ in range(16):
        canvas.ellipse(draw.unit(), draw.uniform(0.68, 0.98), 0.012, 0.005, (112, 130, 66))


def _desert(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((250, 222, 168), (255, 242, 212), 0, 0.6)
    _hills(canvas, draw, 0.57, 0.16, (232, 180, 122), 2)
    canvas.gradient((236, 190, 124), (220, 164, 96), 0.6, 1)
    _hills(canvas, draw, 0.66, 0.08, (238, 196, 132), 2)
    for i in range(5):
        y = 0.72 + 0.055 * i
        canvas.ellipse(draw.unit(), y, draw.uniform(0.15, 0.3), 0.005, (212, 156, 92))


def _room(canvas: Canvas, draw: Draw) -> None:
    wall = draw.pick([(244, 222, 196), (206, 226, 230), (238, 214, 218), (220, 228, 200)])
    pale = tuple(min(255, c + 10) for c in wall)
    canvas.gradient((pale[0], pale[1], pale[2]), wall, 0, 0.66)
    x, y = draw.pick([0.2, 0.5, 0.8]), 0.26
    canvas.rectangle(x - 0.13, y - 0.17, x + 0.13, y + 0.17, (252, 250, 244))
    canvas.rectangle(x - 0.105, y - 0.145, x + 0.105, y + 0.145, (168, 216, 246))
    canvas.rectangle(x - 0.009, y - 0.145, x + 0.009, y + 0.145, (252, 250, 244))
    canvas.rectangle(x - 0.105, y - 0.01, x + 0.105, y + 0.01, (252, 250, 244))
    canvas.gradient((206, 158, 110), (182, 130, 84), 0.66, 1)
    canvas.rectangle(0, 0.64, 1, 0.668, (250, 246, 238))
    for i, y in enumerate((0.73, 0.81, 0.9)):
        canvas.rectangle(0, y, 1, y + 0.005, (170, 120, 76))
        for j in range(3):
            x = (j + 0.5 * (i % 2) + draw.uniform(0, 0.2)) / 3
            canvas.rectangle(x, y, x + 0.005, y + (0.08 if i < 2 else 0.1), (170, 120, 76))


def _underwater(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((126, 218, 232), (36, 134, 190), 0, 0.8)
    for _ in range(3):
        x, w = draw.uniform(0, 1), draw.uniform(0.03, 0.07)
        canvas.polygon([(x, 0), (x + w, 0), (x + w + 0.22, 0.8), (x + 0.08, 0.8)], (116, 204, 226))
    canvas.soften(0.02)
    canvas.gradient((226, 212, 160), (204, 186, 132), 0.76, 1)
    _hills(canvas, draw, 0.78, 0.05, (226, 212, 160), 3)
    for _ in range(draw.integer(3, 5)):
        x, height = draw.unit(), draw.uniform(0.1, 0.2)
        for i in range(6):
            canvas.ellipse(x + 0.012 * (i % 2), 0.8 - i * height / 6, 0.014, 0.024, (60, 156, 124))
    for _ in range(12):
        r = draw.uniform(0.006, 0.014)
        x, y = draw.unit(), draw.uniform(0.05, 0.7)
        canvas.ellipse(x, y, r, r, (190, 238, 246))


def _sunset(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((140, 104, 176), (250, 148, 118), 0, 0.38)
    canvas.gradient((250, 148, 118), (255, 216, 138), 0.38, 0.6)
    canvas.glow(draw.uniform(0.25, 0.75), 0.58, 0.3, (255, 244, 200), 0.9)
    _hills(canvas, draw, 0.61, 0.09, (176, 112, 132))
    canvas.gradient((170, 118, 108), (138, 92, 96), 0.62, 1)


def _plain(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((252, 252, 252), (246, 246, 247), 0, 1)


def _street(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((158, 208, 244), (224, 240, 250), 0, 0.6)
    _clouds(canvas, draw)
    x = -0.05
    while x < 1:
        width, top = draw.uniform(0.14, 0.22), draw.uniform(0.18, 0.4)
        wall = draw.pick([(226, 168, 144), (236, 204, 160), (190, 196, 210), (204, 178, 190), (178, 204, 196)])
        canvas.rectangle(x, top, x + width, 0.62, wall)
        for row in range(3):
            for column in range(2):
                wx, wy = x + width * (0.22 + 0.38 * column), top + 0.05 + 0.085 * row
                if wy < 0.52:
                    canvas.rectangle(wx, wy, wx + width * 0.2, wy + 0.045, (250, 244, 214))
        x += width + 0.012
    canvas.rectangle(0, 0.6, 1, 0.68, (214, 208, 200))
    canvas.gradient((150, 152, 160), (128, 130, 140), 0.68, 1)
    shift = draw.uniform(0, 0.2)
    for i in range(-1, 5):
        canvas.rectangle(i * 0.25 + shift, 0.84, i * 0.25 + shift + 0.12, 0.855, (246, 240, 214))


def _mountains(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((150, 204, 244), (226, 240, 250), 0, 0.62)
    _clouds(canvas, draw)
    for i in range(3):
        x, top, half = (i + draw.uniform(0.2, 0.8)) / 3, draw.uniform(0.16, 0.3), draw.uniform(0.26, 0.36)
        canvas.polygon([(x, top), (x - half, 0.64), (x + half, 0.64)], (146, 158, 182))
        cap = 0.3
        left, right, low = x - half * cap, x + half * cap, top + (0.64 - top) * cap
        notch = [(x + half * cap * 0.4, low - 0.03), (x, low + 0.02), (x - half * cap * 0.4, low - 0.03)]
        canvas.polygon([(x, top), (right, low), *notch, (left, low)], (250, 252, 255))
    canvas.gradient((170, 202, 130), (138, 180, 104), 0.62, 1)
    _hills(canvas, draw, 0.63, 0.06, (170, 202, 130))


def _space(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((62, 48, 110), (86, 74, 150), 0, 1)
    canvas.glow(draw.unit(), draw.uniform(0.1, 0.6), 0.5, (150, 92, 176), 0.5)
    for _ in range(60):
        r = draw.uniform(0.002, 0.006)
        canvas.ellipse(draw.unit(), draw.uniform(0, 0.74), r, r, (252, 248, 230))
    canvas.ellipse(0.5, 1.32, 0.95, 0.62, (176, 172, 184))
    for _ in range(7):
        x, y, r = draw.uniform(0.05, 0.95), draw.uniform(0.8, 0.97), draw.uniform(0.02, 0.05)
        canvas.ellipse(x, y, r, r * 0.4, (152, 148, 162))


def _farm(canvas: Canvas, draw: Draw) -> None:
    canvas.gradient((150, 210, 248), (230, 244, 250), 0, 0.6)
    _clouds(canvas, draw)
    _hills(canvas, draw, 0.58, 0.1, (178, 210, 120), 2)
    canvas.gradient((232, 208, 112), (214, 180, 84), 0.58, 1)
    x = draw.pick([0.16, 0.84])
    canvas.rectangle(x - 0.1, 0.4, x + 0.1, 0.6, (196, 84, 70))
    canvas.polygon([(x - 0.13, 0.42), (x, 0.27), (x + 0.13, 0.42)], (134, 76, 70))
    canvas.rectangle(x - 0.035, 0.49, x + 0.035, 0.6, (246, 236, 218))
    for i in range(6):
        canvas.rectangle(0, 0.64 + 0.06 * i, 1, 0.646 + 0.064 * i, (202, 168, 76))


BACKGROUNDS: dict[str, Background] = {
    place.name: place
    for place in (
        Background("plain", 0.6, _plain, ("white",)),
        Background("meadow", 0.58, _meadow, detail="clouds", shows=("cloud", "rose", "tulip")),
        Background("beach", 0.6, _beach, detail="clouds", shows=("cloud",)),
        Background("night", 0.62, _night, ("black",), shows=("star",)),
        Background("snow", 0.58, _snow, ("white",), detail="trees", shows=("tree", "pine")),
        Background("forest", 0.63, _forest, shows=("tree", "pine")),
        Background("desert", 0.6, _desert),
        Background("room", 0.66, _room),
        Background("underwater", 0.76, _underwater),
        Background("sunset", 0.61, _sunset, shows=("sun",)),
        Background("street", 0.68, _street, detail="clouds", shows=("cloud", "house")),
        Background("mountains", 0.62, _mountains, detail="clouds", shows=("cloud",)),
        Background("space", 0.72, _space, ("black",), shows=("star",)),
        Background("farm", 0.58, _farm, detail="clouds", shows=("cloud", "house")),
    )
}


def detail_of(name: str, variant: int) -> tuple[str, bool] | None:
    """The detail that sets a background's variants apart, and whether this one has it."""
    detail = BACKGROUNDS[name].detail
    return None if detail is None else (detail, variant % 2 == 0)


def paint(name: str, variant: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """The empty place, (H, W, 3) uint8 for size (width, height)."""
    width, height = size
    detail = detail_of(name, variant)
    canvas = Canvas(width * _FINER, height * _FINER, detailed=detail is not None and detail[1])
    BACKGROUNDS[name].paint(canvas, Draw(variant, list(BACKGROUNDS).index(name), _STREAM))
    canvas.soften(0.0015)
    return np.asarray(canvas.image.resize(size, Image.Resampling.BOX))


def lit(picture: npt.NDArray[np.uint8], light: str | None) -> npt.NDArray[np.uint8]:
    """A painted place, brighter on the side the light comes from."""
    height, width, _ = picture.shape
    xx = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    yy = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    tilt = {"left": -xx, "right": xx, "above": -yy, "behind": 0.4 - xx * xx}.get(light or "")
    if tilt is None:
        return picture
    return np.clip(picture * (0.985 + 0.055 * tilt), 0, 255).astype(np.uint8)
