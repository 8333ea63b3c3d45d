"""Pictures that a person hands in: opened with every check, and turned into plain RGB, RGBA or grey, with a note of
whatever was not plain.

Everything here is untrusted. Size and format are known before a pixel is decoded; what cannot be taken is a
`FileProblem` with the file's name, and what is taken in another form than it came is told as a `Note`.
"""

from __future__ import annotations

import io
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from triptych.core.asset import Asset
from triptych.core.errors import FileProblem
from triptych.core.events import Note
from triptych.core.files import read_bytes
from triptych.core.pixels import Pixels

MAX_FILE_BYTES = 256 * 2**20
MAX_PIXELS = 64 * 10**6
MAX_PROFILE_BYTES = 2**20
STDIN = "-"
_SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I", "F")


@dataclass(frozen=True)
class Upload:
    """The bytes of a file that came over a wire; `name` is for messages."""

    data: bytes
    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Opened:
    """pixels: uint8 (H, W, 3) or, with transparency, (H, W, 4); of `open_map` (H, W). lossy: it came from a JPEG.

    profile: the ICC colour profile that the pixels are meant in, None for sRGB.
    """

    pixels: Pixels
    notes: tuple[Note, ...]
    format: str
    lossy: bool
    name: str
    profile: bytes | None = None

    @property
    def asset(self) -> Asset:
        return Asset.of(self.pixels, self.name)


def open_picture(path: Path | Upload, *, parameter: str = "image") -> Opened:
    """A PNG, JPEG or WebP file, or stdin for `-`, upright and in 8-bit sRGB.

    Raises `FileProblem` for what is no picture, damaged, animated, or larger than 64 megapixels.
    """
    with _Decoded(path) as picture:
        notes: list[Note] = []
        upright = ImageOps.exif_transpose(picture)
        if upright.size != picture.size or picture.getexif().get(0x0112, 1) != 1:
            notes.append(Note(parameter, "translated", "turned upright, as its EXIF orientation says"))
        pixels = _rgb(upright, parameter, notes)
        profile = _profile(picture, parameter, notes)
        return Opened(pixels, tuple(notes), picture.format or "", picture.format == "JPEG", _name(path), profile)


def open_map(path: Path | Upload, *, parameter: str = "mask") -> Opened:
    """A mask or another map as grey, uint8 (H, W). Where there is transparency, it is the map: 0 = edit (255).

    Colours become luminance (ITU-R BT.601) and 16 bits become 8, each with a note.
    """
    with _Decoded(path) as picture:
        notes: list[Note] = []
        if _has_alpha(picture):
            alpha = np.asarray(picture.convert("RGBA"))[:, :, 3]
            if alpha.min() < 255:
                notes.append(Note(parameter, "note", "its transparency is the map: what is transparent is edited"))
                return Opened(255 - alpha, tuple(notes), picture.format or "", False, _name(path))
        if picture.mode in _SIXTEEN_BITS:
            grey = _eight_bits(picture, parameter, notes)
        else:
            rgb = np.asarray(picture.convert("RGB")).astype(np.int16)
            if np.ptp(rgb, axis=2).max() > 8:
                notes.append(Note(parameter, "translated", "it has colours; their brightness is taken"))
            grey = np.asarray(picture.convert("RGB").convert("L"))
        return Opened(grey, tuple(notes), picture.format or "", picture.format == "JPEG", _name(path))


class _Decoded:
    """Context manager around an open, decoded picture that turns what Pillow raises into `FileProblem`."""

    def __init__(self, path: Path | Upload) -> None:
        self.path = path
        self.shown = "the picture from stdin" if isinstance(path, Path) and str(path) == STDIN else str(path)

    def __enter__(self) -> Image.Image:
        if isinstance(self.path, Upload):
            data = self.path.data
        elif str(self.path) == STDIN:
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        else:
            data = read_bytes(self.path, MAX_FILE_BYTES)
        try:
            with warnings.catch_warnings():
                # Pillow warns of what is refused three lines below.
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                picture = Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP"))
            if picture.width * picture.height > MAX_PIXELS:
                million = picture.width * picture.height / 1e6
                raise FileProblem(
                    f"{self.shown} has {picture.width}x{picture.height} pixels ({million:.0f} million); "
                    f"at most {MAX_PIXELS // 10**6} million are taken"
                )
            frames: int = getattr(picture, "n_frames", 1)
            if frames > 1:
                raise FileProblem(f"{self.shown} is animated ({frames} frames); give one frame as a picture")
            picture.load()
        except UnidentifiedImageError:
            raise FileProblem(f"{self.shown} is not a PNG, JPEG or WebP picture") from None
        except Image.DecompressionBombError:
            raise FileProblem(
                f"{self.shown} claims far more than the {MAX_PIXELS // 10**6} million pixels that are taken"
            ) from None
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            raise FileProblem(f"{self.shown} is damaged or truncated: {error}") from error
        return picture

    def __exit__(self, *exception: object) -> None:
        return None


def _rgb(picture: Image.Image, parameter: str, notes: list[Note]) -> Pixels:
    if picture.mode in _SIXTEEN_BITS:
        return np.repeat(_eight_bits(picture, parameter, notes)[:, :, None], 3, axis=2)
    if picture.mode == "CMYK":
        notes.append(Note(parameter, "translated", "from CMYK to RGB, without its colour profile"))
        return np.asarray(picture.convert("RGB"))
    if _has_alpha(picture):
        rgba = np.asarray(picture.convert("RGBA"))
        if rgba[:, :, 3].min() < 255:
            return rgba
        return np.ascontiguousarray(rgba[:, :, :3])
    if picture.mode in ("L", "1"):
        notes.append(Note(parameter, "translated", "from grey to RGB"))
    return np.asarray(picture.convert("RGB"))


def _profile(picture: Image.Image, parameter: str, notes: list[Note]) -> bytes | None:
    """The picture's RGB profile. One of another kind of colour no longer fits the pixels, which are RGB by now."""
    profile = picture.info.get("icc_profile")
    if not isinstance(profile, bytes) or profile[16:20] != b"RGB ":
        return None
    if len(profile) > MAX_PROFILE_BYTES:
        notes.append(Note(parameter, "ignored", f"its colour profile has {len(profile)} bytes, which is too much"))
        return None
    return profile


def _has_alpha(picture: Image.Image) -> bool:
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _eight_bits(picture: Image.Image, parameter: str, notes: list[Note]) -> Pixels:
    notes.append(Note(parameter, "translated", "from 16 bits to 8"))
    values = np.asarray(picture).astype(np.float64)
    return np.clip(np.round(values / 257), 0, 255).astype(np.uint8)


def _name(path: Path | Upload) -> str:
    if isinstance(path, Upload):
        return path.name
    return "stdin" if str(path) == STDIN else path.name
