"""Pictures that are no scenes, for training the upscaler and for asking it honestly: pages of letters and lines, and
fields of textured pieces with the statistics of photographs.

Both are functions of (seed, index) alone. They need no font file and no photograph. Knows no network.
"""

from __future__ import annotations

import math
import string
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter, ImageFont

ByteImage = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

KINDS = ("page", "leaves")
_FINER = 2  # drawn so much larger, then averaged: smooth edges
_GRAIN, _GRAINS = 256, 4
_LETTERS = string.ascii_letters + string.digits + "&?!%"


def chance(seed: int, index: int, stream: int = 0) -> np.random.Generator:
    """The random numbers of one picture."""
    key = np.array([seed % 2**64, index % 2**64], dtype=np.uint64)
    counter = np.array([0, 0, 0, stream], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def made(kind: str, size: int, seed: int, index: int) -> ByteImage:
    """One picture of a kind, (size, size, 3) uint8."""
    draw = chance(seed, index, KINDS.index(kind) + 1)
    return page(size, draw) if kind == "page" else leaves(size, draw)


def page(size: int, draw: np.random.Generator) -> ByteImage:
    """Words, lines, arcs and shapes in flat colours on a flat ground."""
    n = size * _FINER
    ground, ink = _two_colours(draw)
    picture = Image.new("RGB", (n, n), ground)
    brush = ImageDraw.Draw(picture)
    for _ in range(int(draw.integers(6, 16))):
        colour = ink if draw.random() < 0.6 else _colour(draw)
        points = [(float(x), float(y)) for x, y in draw.random((int(draw.integers(2, 6)), 2)) * n]
        width = int(draw.integers(1, 9)) * _FINER
        fate = draw.random()
        if fate < 0.45:
            _write(brush, points[0], colour, draw)
        elif fate < 0.65:
            brush.line(points, colour, width, joint="curve")
        elif fate < 0.8:
            radius = float(draw.uniform(0.02, 0.3)) * n
            x, y = points[0]
            start = float(draw.random()) * 360
            brush.arc((x - radius, y - radius, x + radius, y + radius), start, start + 270, colour, width)
        else:
            brush.polygon(points if len(points) > 2 else [*points, (0.0, 0.0)], colour)
    return np.asarray(picture.reduce(_FINER))


def leaves(size: int, draw: np.random.Generator) -> ByteImage:
    """Dead leaves (Lee, Mumford & Huang 2001): pieces of all sizes that hide each other, each with a shading and a
    grain of its own, some out of focus.
    """
    n = size * _FINER
    grains = [_grain(draw) for _ in range(_GRAINS)]
    picture = Image.fromarray(_piece(n, grains, draw))
    for _ in range(int(draw.integers(60, 240))):
        # Sizes fall with the third power, as in photographs: radii from a 50th of the picture to a third.
        radius = n / 50 / math.sqrt(1 - float(draw.random()) * (1 - (3 / 50) ** 2))
        x, y = (float(v) * n for v in draw.random(2))
        blur = float(draw.uniform(1, 6)) if draw.random() < 0.2 else 0.0
        mask = _outline(int(2 * radius), int(3 * blur), draw)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur))
        piece = Image.fromarray(_piece(mask.width, grains, draw))
        picture.paste(piece, (int(x - mask.width / 2), int(y - mask.width / 2)), mask)
    return np.asarray(picture.reduce(_FINER))


def _outline(side: int, rim: int, draw: np.random.Generator) -> Image.Image:
    """An ellipse or a polygon of about that side as a mask, with an empty rim around it."""
    mask = Image.new("L", (side + 2 * rim, side + 2 * rim))
    brush, m = ImageDraw.Draw(mask), rim + side / 2
    if draw.random() < 0.4:
        brush.ellipse((rim, rim, rim + side - 1, rim + side - 1 - int(draw.random() * side / 2)), fill=255)
        return mask
    count = int(draw.integers(3, 9))
    angles, reach = np.sort(draw.random(count)) * 2 * math.pi, draw.uniform(0.5, 1.0, count) * side / 2
    brush.polygon([(m + r * math.cos(a), m + r * math.sin(a)) for a, r in zip(angles, reach, strict=True)], fill=255)
    return mask


def _grain(draw: np.random.Generator) -> npt.NDArray[np.float32]:
    """Noise whose spectrum falls as a power of the frequency, of mean 0 and variance 1, that tiles without a seam."""
    frequency = np.hypot(np.fft.fftfreq(_GRAIN)[:, None], np.fft.rfftfreq(_GRAIN)[None])
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(draw.standard_normal((_GRAIN, _GRAIN))) / frequency ** float(draw.uniform(0.3, 1.8))
    grain = np.fft.irfft2(spectrum, s=(_GRAIN, _GRAIN))
    return (grain / grain.std()).astype(np.float32)


def _piece(side: int, grains: list[npt.NDArray[np.float32]], draw: np.random.Generator) -> ByteImage:
    """A shading from one colour to another, and one of the grains on it."""
    angle, line = float(draw.random()) * 2 * math.pi, np.linspace(-0.35, 0.35, side, dtype=np.float32)
    slope = 0.5 + line[None] * math.cos(angle) + line[:, None] * math.sin(angle)
    first, second = (np.array(_colour(draw), np.float32) for _ in range(2))
    other = float(draw.uniform(0.1, 0.6)) * (second - first)
    (down, right), along = draw.integers(0, _GRAIN, 2), np.arange(side)
    grain = grains[int(draw.integers(0, len(grains)))].take(along + down, 0, mode="wrap")
    grain = grain.take(along + right, 1, mode="wrap") * np.float32(draw.uniform(0, 30) * draw.random())
    tint = draw.uniform(0.6, 1.0, 3).astype(np.float32)
    return np.clip(first + slope[..., None] * other + grain[..., None] * tint, 0, 255).astype(np.uint8)


def _write(brush: ImageDraw.ImageDraw, place: tuple[float, float], colour: Colour, draw: np.random.Generator) -> None:
    """A few made-up words at sizes from hardly legible to large."""
    font = _font(int(draw.choice([9, 12, 14, 18, 24, 32, 48, 72])) * _FINER)
    for line in range(int(draw.integers(1, 5))):
        letters = [_LETTERS[i] for i in draw.integers(0, len(_LETTERS), int(draw.integers(3, 24)))]
        words = "".join(" " if i % 6 == 5 else letter for i, letter in enumerate(letters))
        brush.text((place[0] * 0.7, place[1] + line * font.size * 1.2), words, colour, font=font)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """The font inside Pillow."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def _colour(draw: np.random.Generator) -> Colour:
    red, green, blue = (int(v) for v in draw.integers(0, 256, 3))
    return red, green, blue


def _two_colours(draw: np.random.Generator) -> tuple[Colour, Colour]:
    """Ground and ink: black on white, white on black, or two colours that can be told apart."""
    fate = draw.random()
    if fate < 0.35:
        return (255, 255, 255), (0, 0, 0)
    if fate < 0.45:
        return (0, 0, 0), (255, 255, 255)
    ground, ink = _colour(draw), _colour(draw)
    while abs(sum(ground) - sum(ink)) < 200:
        ink = _colour(draw)
    return ground, ink
