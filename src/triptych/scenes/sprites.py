"""The drawings of the nouns: glyphs of a colour-emoji font, or shapes drawn here, trimmed and kept as RGBA.

It knows nothing of scenes. The glyphs are kept in one .npz file, so that a machine without the font can use them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import platformdirs
from PIL import Image, ImageDraw, ImageFont

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.scenes.colours import COLOURS, recolour
from triptych.scenes.memo import Memo
from triptych.scenes.nouns import GLYPH_NOUNS, NOUNS, SHAPE_NOUNS

ByteImage = npt.NDArray[np.uint8]

FONT_PLACES: tuple[str, ...] = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/NotoColorEmoji.ttf",
)
STRIKE = 109  # the one bitmap size that the font holds; FreeType refuses any other
_CELL = (136, 128)  # pixels of one glyph at that size
_FAINT = 20  # alpha below this does not count when trimming


class Sprites:
    """Every noun's drawing at any size and colour, ready to be laid over a picture."""

    def __init__(self, drawings: Mapping[str, ByteImage]) -> None:
        self._drawings = {name: (image / 255).astype(np.float32) for name, image in drawings.items()}
        self._scaled: Memo[ByteImage] = Memo(max_bytes=192 << 20)
        self._coloured: Memo[npt.NDArray[np.float32]] = Memo(max_bytes=192 << 20)
        self.shadows: Memo[ByteImage] = Memo(max_bytes=96 << 20)  # `render` fills it: shadows belong to drawings

    @classmethod
    def shapes(cls) -> Self:
        """The drawn shapes alone: no font, no file."""
        return cls({noun.name: _draw_shape(noun.name, noun.natural or "red") for noun in SHAPE_NOUNS})

    @classmethod
    def load(cls, font: Path | None = None, cache: Path | None = None) -> Self:
        """Shapes and glyphs, from the cache file if there is one, else from the font (which then fills the cache).

        `font` is a colour-emoji font with 109-pixel bitmaps; the default is the system's. `cache` is an .npz file; the
        default lies in the user's cache folder. Raises `FileProblem` if neither is to be had.
        """
        cache = cache or _default_cache(font)
        glyphs = _read_cache(cache)
        if glyphs is None:
            glyphs = _draw_glyphs(font or _system_font())
            _write_cache(cache, glyphs)
        shapes = {noun.name: _draw_shape(noun.name, noun.natural or "red") for noun in SHAPE_NOUNS}
        return cls({**glyphs, **shapes})

    @property
    def nouns(self) -> tuple[str, ...]:
        return tuple(self._drawings)

    def drawing(self, noun: str, colour: str | None = None) -> npt.NDArray[np.float32]:
        """The trimmed original, (H, W, 4) float32 in 0..1, not premultiplied."""
        original = self._drawings.get(noun)
        if original is None:
            raise InvalidRequest("noun", f"these sprites hold no drawing of {noun!r}")
        kind = NOUNS[noun]
        if colour is None or colour == kind.natural or kind.body is None:
            return original
        body = kind.body
        return self._coloured.get((noun, colour), lambda: recolour(original, colour, body))

    def scaled(self, noun: str, colour: str | None, width: int, height: int) -> ByteImage:
        """Premultiplied (height, width, 4) uint8, the drawing fitted into that box."""
        return self._scaled.get(
            (noun, colour, width, height), lambda: _premultiplied(self.drawing(noun, colour), width, height)
        )


def _premultiplied(drawing: npt.NDArray[np.float32], width: int, height: int) -> ByteImage:
    colour = drawing[..., :3] * drawing[..., 3:]
    straight = np.concatenate([colour, drawing[..., 3:]], axis=-1)
    picture = Image.fromarray((straight * 255).round().astype(np.uint8), "RGBa")
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0))


def _draw_shape(name: str, colour: str) -> ByteImage:
    """One flat shape with a soft light from the upper left, 128 pixels wide."""
    size, finer = 128, 3
    n = size * finer
    mask = Image.new("L", (n, n))
    brush = ImageDraw.Draw(mask)
    m = n / 2
    if name == "circle":
        brush.ellipse((0, 0, n - 1, n - 1), fill=255)
    elif name == "square":
        brush.rounded_rectangle((0, 0, n - 1, n - 1), radius=n // 16, fill=255)
    elif name == "triangle":
        brush.polygon([(m, 0), (n, n), (0, n)], fill=255)
    elif name == "diamond":
        brush.polygon([(m, 0), (n, m), (m, n), (0, m)], fill=255)
    elif name == "ring":
        brush.ellipse((0, 0, n - 1, n - 1), fill=255)
        brush.ellipse((n * 0.27, n * 0.27, n * 0.73, n * 0.73), fill=0)
    elif name == "cross":
        brush.rectangle((n * 0.34, 0, n * 0.66, n), fill=255)
        brush.rectangle((0, n * 0.34, n, n * 0.66), fill=255)
    elif name == "hexagon":
        angles = np.radians(np.arange(6) * 60)
        brush.polygon([(m + m * float(np.cos(a)), m + m * float(np.sin(a))) for a in angles], fill=255)
    else:  # the arrow, which points to the right
        half, head = n * 0.17, n * 0.52
        shaft = [(0.0, m - half), (head, m - half), (head, 0.0)]
        brush.polygon([*shaft, (n, m), *[(x, n - y) for x, y in reversed(shaft)]], fill=255)
    alpha = np.asarray(mask.resize((size, size), Image.Resampling.BOX))
    slope = np.linspace(1.12, 0.86, size, dtype=np.float32)
    shade = 0.5 * (slope[:, None] + slope[None, :])
    rgb = np.clip(np.array(COLOURS[colour], np.float32) * shade[..., None], 0, 255).astype(np.uint8)
    return np.concatenate([rgb, alpha[..., None]], axis=-1)


def _draw_glyphs(path: Path) -> dict[str, ByteImage]:
    try:
        font = ImageFont.truetype(str(path), STRIKE)
    except OSError as error:
        raise FileProblem(
            f"font {path}: cannot be used as a colour-emoji font with 109-pixel bitmaps: {error}"
        ) from error
    drawings: dict[str, ByteImage] = {}
    for noun in GLYPH_NOUNS:
        cell = Image.new("RGBA", _CELL)
        ImageDraw.Draw(cell).text((0, 0), noun.glyph or "", font=font, embedded_color=True)
        box = cell.getchannel("A").point([255 * (a > _FAINT) for a in range(256)]).getbbox()
        if box is None:
            raise FileProblem(f"font {path}: has no colour glyph for {noun.name} ({noun.glyph})")
        drawings[noun.name] = np.asarray(cell.crop(box))
    return drawings


def _system_font() -> Path:
    for place in FONT_PLACES:
        if Path(place).is_file():
            return Path(place)
    raise FileProblem(
        "font: no colour-emoji font found, and the scenes are drawn from one; "
        "install it (apt install fonts-noto-color-emoji) or name another with --font"
    )


def _default_cache(font: Path | None) -> Path:
    """A file of its own for each list of glyphs and each font, so that no stale drawing is ever used."""
    told = "|".join(f"{noun.name}={noun.glyph}" for noun in GLYPH_NOUNS) + f"|{font or ''}"
    digest = hashlib.sha256(told.encode()).hexdigest()[:12]
    return platformdirs.user_cache_path("triptych") / f"sprites-{digest}.npz"


def _read_cache(path: Path) -> dict[str, ByteImage] | None:
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            if not {noun.name for noun in GLYPH_NOUNS} <= set(stored.files):
                return None
            return {noun.name: stored[noun.name] for noun in GLYPH_NOUNS}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None  # half-written or of another kind: draw the glyphs anew


def _write_cache(path: Path, glyphs: Mapping[str, ByteImage]) -> None:
    """Write whole or not at all. A cache is a convenience: a folder that cannot be written is no failure."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".npz")
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **glyphs)
        os.replace(name, path)
    except OSError:
        return
