"""The fonts of this machine: where they are, what they are called, which of them can write a text.

fontconfig is asked where it is installed (`fc-list`), otherwise the usual folders are searched; the fonts that come
with matplotlib, if it is there, and the one inside Pillow are added. What a font holds is read from its own file
(`sfnt`). Knows nothing of pictures or layout, and never downloads.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import mmap
import re
import subprocess
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

from PIL import ImageFont, features

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.files import read_bytes, reason
from triptych.typography import sfnt
from triptych.typography.settings import FontName

MAX_FONT_BYTES = 64 * 2**20
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
PREFERRED = ("DejaVu Sans Bold", "Noto Sans Bold", "Liberation Sans Bold", "Arial Bold", "Helvetica Bold", "Aileron")
"""What is taken where no font is named: the first of these that is installed and has the letters, then any other."""
_PRETENDERS = ("lastresort", "adobeblank", "unicodebmpfallback", "tofu")
"""Fonts that claim every character and draw a box, or nothing, for each."""
_PLAIN_STYLES = ("regular", "book", "normal", "roman", "medium")
_FC_SECONDS = 20
_SUGGESTIONS = 4


@dataclass(frozen=True)
class Face:
    """One face. path: its file, None for the one inside Pillow. outlines: False for glyphs that are pictures."""

    family: str
    style: str
    path: Path | None
    index: int = 0
    aliases: tuple[str, ...] = ()
    outlines: bool = True

    @property
    def name(self) -> str:
        """Family and style, as `FontBook.find` takes it."""
        return f"{self.family} {self.style}"

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return str(self.path) if self.path else "inside Pillow"


@dataclass(frozen=True)
class Font:
    """A face with its bytes, ready to draw."""

    face: Face
    data: bytes = field(repr=False)

    @property
    def name(self) -> FontName:
        """What a recipe keeps of it."""
        return FontName(family=self.face.family, style=self.face.style, sha256=self.sha256)

    @cached_property
    def sha256(self) -> str:
        """Hash of the whole font file: the same hash draws the same letters."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def characters(self) -> frozenset[int]:
        return sfnt.characters(self.data, self.face.index, self.face.place)

    def missing(self, text: str) -> tuple[str, ...]:
        """The characters of `text` that it cannot write, each once, in the order of the text."""
        return tuple(char for char in dict.fromkeys(unicodedata.normalize("NFC", text)) if not self._writes(char))

    def at(self, size: float) -> ImageFont.FreeTypeFont:
        """The font at `size` pixels per em; `FileProblem` where FreeType refuses the file."""
        return _sized(self, size)

    def _writes(self, char: str) -> bool:
        if char == "\n" or _is_invisible(char) or ord(char) in self.characters:
            return True
        if not shaping():
            return False
        # The shaper composes and takes apart: a letter with an accent may be written as two glyphs.
        apart = unicodedata.normalize("NFD", char)
        return apart != char and all(ord(part) in self.characters for part in apart)


class FontBook:
    """The faces that can be chosen from. The first of equal names is taken."""

    def __init__(self, faces: Iterable[Face]) -> None:
        self.faces = tuple(faces)

    @classmethod
    def installed(cls, folders: Iterable[Path] = ()) -> FontBook:
        """All faces of this machine, and of further `folders`; files that are no readable fonts are left out."""
        files = _from_fontconfig() or list(_font_files(Path(folder) for folder in FOLDERS))
        files += [*_font_files(folders), *_font_files(_matplotlib_folder())]
        faces = [face for file in dict.fromkeys(files) for face in _faces_or_none(file)]
        faces = [face for face in faces if not _key(face.family).startswith(_PRETENDERS)]
        return cls([*sorted(faces, key=lambda face: (face.family, face.style)), *_bundled()])

    def find(self, name: str) -> Face:
        """The face called `name`: a family, family and style ("DejaVu Sans Bold", "DejaVu Sans:Bold"), or a font file.

        A family alone means its plain style. `InvalidRequest` names close matches; a file that is no font is a
        `FileProblem`.
        """
        if Path(name).suffix.lower() in SUFFIXES:
            return faces_of(Path(name))[0]
        wanted = _key(name)
        found = [face for face in self.faces if wanted in _keys(face)]
        if found:
            return min(found, key=lambda face: _plainness(face, wanted))
        known = {_key(text): text for face in self.faces for text in (face.family, face.name)}
        close = [known[key] for key in difflib.get_close_matches(wanted, known, n=3, cutoff=0.6)]
        hint = f"; close to it: {', '.join(close)}" if close else ""
        raise InvalidRequest("font", f"{name!r} is not installed{hint} (`triptych fonts` lists all; a file does too)")

    def same(self, name: FontName) -> Font:
        """The very font that a recipe names. `FileProblem` says whether it is missing or has changed."""
        family, style, sha256 = name.family, name.style, name.sha256
        called = [face for face in self.faces if (face.family, face.style) == (family, style)]
        for face in called:
            font = load(face)
            if font.sha256 == sha256:
                return font
        if not called:
            raise FileProblem(f"the font {family} {style}, which the letters were set in, is not installed here")
        raise FileProblem(
            f"the font {family} {style} is installed here in another version than the letters were set in "
            f"(SHA-256 {load(called[0]).sha256[:12]}, not {sha256[:12]}), so they could differ"
        )

    def that_write(self, text: str) -> Iterator[Face]:
        """The faces with a glyph for every character of `text`, the preferred ones first."""
        preferred = [face for name in PREFERRED for face in self.faces if _key(name) in _keys(face)]
        for face in dict.fromkeys([*preferred, *self.faces]):
            if face.outlines and not _loaded_or_missing(face, text):
                yield face

    def choose(self, name: str | None, text: str) -> Font:
        """The font to write `text` with. One that is named and lacks characters is refused, naming those and fonts that
        have them; where none is named the first that can is taken.
        """
        if name is None:
            face = next(self.that_write(text), None)
            if face is not None:
                return load(face)
            near, lacking = self._nearest(text)
            told = f"no installed font has all characters of the text; {near}, the nearest, lacks {_shown(lacking)}"
            raise InvalidRequest("font", told)
        font = load(self.find(name))
        if not font.face.outlines:
            raise InvalidRequest("font", f"{font.face.name} holds pictures of glyphs at a fixed size, not outlines")
        lacking = font.missing(text)
        if lacking:
            families = list(dict.fromkeys(face.family for face in self.that_write(text)))[:_SUGGESTIONS]
            hint = (
                f"installed fonts that have them: {', '.join(families)}" if families else "no installed font has them"
            )
            raise InvalidRequest("font", f"{font.face.name} has no glyph for {_shown(lacking)}; {hint}")
        return font

    def _nearest(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The font that lacks the fewest characters of the text, and those."""
        lacking = ((face.name, _loaded_or_missing(face, text)) for face in self.faces if face.outlines)
        return min(lacking, key=lambda found: len(found[1]), default=("none", tuple(text)))


def shaping() -> bool:
    """Whether Pillow can shape text here (Raqm: right-to-left scripts, joined letters, placed marks)."""
    return bool(features.check("raqm"))


def load(face: Face) -> Font:
    """Read a face's file; `FileProblem` where that fails."""
    if face.path is None:
        return Font(face, _inside_pillow().font_bytes)
    return Font(face, read_bytes(face.path, MAX_FONT_BYTES))


def faces_of(path: Path) -> tuple[Face, ...]:
    """The faces in a font file; `FileProblem` if it cannot be read or is no TrueType or OpenType font."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = sfnt.names(data, str(path))
    except OSError as error:
        raise FileProblem(f"cannot read the font {path}: {reason(error)}") from error
    except ValueError:
        raise FileProblem(f"{path} is empty") from None
    return tuple(Face(each.family, each.style, path, each.index, each.aliases, each.outlines) for each in found)


@lru_cache(maxsize=64)
def _sized(font: Font, size: float) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(io.BytesIO(font.data), size, font.face.index)
    except OSError as error:
        raise FileProblem(f"{font.face.place} cannot be used as a font: {error}") from None


def _from_fontconfig() -> list[Path]:
    """The files that fontconfig knows; nothing where it is not installed."""
    try:
        done = subprocess.run(
            ["fc-list", "--format", "%{file}\n"], capture_output=True, timeout=_FC_SECONDS, check=False, text=True
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted(path for line in set(done.stdout.splitlines()) if (path := Path(line)).suffix.lower() in SUFFIXES)


def _font_files(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        if folder.is_dir():
            yield from sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def _matplotlib_folder() -> list[Path]:
    """Where matplotlib, if it is installed, keeps its fonts; it is not imported for that."""
    spec = find_spec("matplotlib")
    return [Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"] if spec and spec.origin else []


def _faces_or_none(path: Path) -> tuple[Face, ...]:
    try:
        return faces_of(path)
    except FileProblem:
        return ()


def _bundled() -> list[Face]:
    family, style = _inside_pillow().getname()
    return [Face(family or "Pillow", style or "Regular", None)]


def _inside_pillow() -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(10)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise FileProblem("this Pillow was built without FreeType, so it cannot draw letters")
    return font


def _loaded_or_missing(face: Face, text: str) -> tuple[str, ...]:
    """What `face` lacks; all of the text for a file that cannot be read, so that one bad file stops nothing."""
    try:
        return load(face).missing(text)
    except FileProblem:
        return tuple(text)


def _is_invisible(char: str) -> bool:
    """Characters that steer layout and have no picture: joiners, direction marks, soft hyphens, variation selectors."""
    return unicodedata.category(char) == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _keys(face: Face) -> set[str]:
    families = (face.family, *face.aliases)
    return {_key(family) for family in families} | {_key(family + face.style) for family in families}


def _plainness(face: Face, wanted: str) -> tuple[bool, int]:
    """Sorts what a name may mean: exactly this face, then the plain styles of the family."""
    style = _key(face.style)
    rank = _PLAIN_STYLES.index(style) if style in _PLAIN_STYLES else len(_PLAIN_STYLES)
    return wanted != _key(face.name), rank


def _shown(characters: tuple[str, ...], most: int = 8) -> str:
    named = [f"{char!r} (U+{ord(char):04X} {unicodedata.name(char, 'unnamed')})" for char in characters[:most]]
    more = f" and {len(characters) - most} more" if len(characters) > most else ""
    return ", ".join(named) + more
