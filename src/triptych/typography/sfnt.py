"""What a TrueType or OpenType file says about itself: its names, and for which characters it has a glyph.

Two tables are read, `name` and `cmap` (OpenType 1.9); nothing is drawn. Pillow draws an empty box for a character that
a font lacks and cannot be asked beforehand, so this module can. A font file is untrusted: every offset is checked. It
does not know woff, Type 1 or bitmap fonts, nor what shaping makes of the glyphs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from mmap import mmap

import numpy as np

from triptych.core.errors import FileProblem

FontData = bytes | mmap

MAX_FACES = 256
_VERSIONS = (b"\0\1\0\0", b"OTTO", b"true")
_COLLECTION = b"ttcf"
_OUTLINES = ("glyf", "CFF ", "CFF2")
_FAMILY, _STYLE, _TYPOGRAPHIC_FAMILY, _TYPOGRAPHIC_STYLE = 1, 2, 16, 17
# (platform, encoding) of the cmap subtables that speak Unicode, the best first; (3, 0) is a symbol font's.
_SUBTABLES = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3), (0, 2), (0, 1), (0, 0), (3, 0))
_SYMBOL = (3, 0)
_SYMBOL_BASE = 0xF000
_LAST_POINT = 0x10FFFF


@dataclass(frozen=True)
class FaceNames:
    """One face of a file. aliases: further family names it goes by. outlines: False where glyphs are only pictures."""

    index: int
    family: str
    style: str
    aliases: tuple[str, ...]
    outlines: bool


def names(data: FontData, source: str) -> tuple[FaceNames, ...]:
    """The faces in a font file (a collection has several); `FileProblem` names `source` and what is wrong."""
    found: list[FaceNames] = []
    for index, start in enumerate(_faces(data, source)):
        tables = _tables(data, start, source)
        texts = _texts(_table(data, tables, "name", source))
        family = texts.get(_TYPOGRAPHIC_FAMILY) or texts.get(_FAMILY) or source
        style = texts.get(_TYPOGRAPHIC_STYLE) or texts.get(_STYLE) or "Regular"
        plain = texts.get(_FAMILY)
        aliases = (plain,) if plain and plain != family else ()
        found.append(FaceNames(index, family, style, aliases, any(name in tables for name in _OUTLINES)))
    return tuple(found)


def characters(data: FontData, index: int, source: str) -> frozenset[int]:
    """The code points for which face `index` has a glyph; empty if its character map is of a kind not read here."""
    starts = _faces(data, source)
    if index >= len(starts):
        raise FileProblem(f"{source} has {len(starts)} faces, so there is no face {index}")
    cmap = _table(data, _tables(data, starts[index], source), "cmap", source)
    try:
        offsets = _subtables(cmap)
        for kind in _SUBTABLES:
            if kind in offsets:
                points = _points(cmap, offsets[kind])
                return _from_symbols(points) if kind == _SYMBOL else points
    except (struct.error, ValueError, IndexError) as error:
        raise FileProblem(f"{source} has a damaged character map: {error}") from None
    return frozenset()


def _faces(data: FontData, source: str) -> tuple[int, ...]:
    """Where each face begins."""
    if data[:4] in _VERSIONS:
        return (0,)
    if data[:4] != _COLLECTION:
        raise FileProblem(f"{source} is not a TrueType or OpenType font")
    try:
        (count,) = struct.unpack_from(">L", data, 8)
        if not 0 < count <= MAX_FACES:
            raise FileProblem(f"{source} claims {count} faces; at most {MAX_FACES} are read")
        return struct.unpack_from(f">{count}L", data, 12)
    except struct.error:
        raise FileProblem(f"{source} is truncated") from None


def _tables(data: FontData, start: int, source: str) -> dict[str, tuple[int, int]]:
    """Tag to (offset, length)."""
    try:
        (count,) = struct.unpack_from(">H", data, start + 4)
        entries = [struct.unpack_from(">4s4xLL", data, start + 12 + 16 * number) for number in range(count)]
    except struct.error:
        raise FileProblem(f"{source} is truncated") from None
    return {tag.decode("latin-1"): (offset, length) for tag, offset, length in entries}


def _table(data: FontData, tables: dict[str, tuple[int, int]], tag: str, source: str) -> bytes:
    if tag not in tables:
        raise FileProblem(f"{source} has no {tag.strip()!r} table, so it is not a usable font")
    offset, length = tables[tag]
    if offset + length > len(data):
        raise FileProblem(f"{source} is truncated: its {tag.strip()!r} table ends beyond the file")
    return data[offset : offset + length]


def _texts(table: bytes) -> dict[int, str]:
    """Name id to text, in English where the font says so; entries that point outside the table are left out."""
    found: dict[int, tuple[int, str]] = {}
    try:
        _, count, storage = struct.unpack_from(">HHH", table)
        records = [struct.unpack_from(">6H", table, 6 + 12 * number) for number in range(count)]
    except struct.error:
        return {}
    for platform, _, language, name, length, offset in records:
        if name not in (_FAMILY, _STYLE, _TYPOGRAPHIC_FAMILY, _TYPOGRAPHIC_STYLE):
            continue
        raw = table[storage + offset : storage + offset + length]
        text = raw.decode("mac_roman" if platform == 1 else "utf-16-be", "replace").strip("\0 ")
        # 0x409 is English on Windows, language 0 of platforms 0 and 1 is English or none.
        rank = {(3, 0x409): 3, (0, language): 2, (1, 0): 1}.get((platform, language), 0)
        if text and text.isprintable() and rank >= found.get(name, (-1, ""))[0]:
            found[name] = rank, text[:120]
    return {name: text for name, (_, text) in found.items()}


def _subtables(cmap: bytes) -> dict[tuple[int, int], int]:
    (count,) = struct.unpack_from(">H", cmap, 2)
    rows = (struct.unpack_from(">HHL", cmap, 4 + 8 * number) for number in range(count))
    return {(platform, encoding): offset for platform, encoding, offset in rows}


def _points(cmap: bytes, start: int) -> frozenset[int]:
    """The code points of one subtable that lead to a glyph other than number 0, the empty box."""
    (format,) = struct.unpack_from(">H", cmap, start)
    if format == 0:
        return frozenset(code for code, glyph in enumerate(cmap[start + 6 : start + 262]) if glyph)
    if format == 4:
        return _format_4(cmap, start)
    if format == 6:
        first, count = struct.unpack_from(">HH", cmap, start + 6)
        glyphs = np.frombuffer(cmap, ">u2", count, start + 10)
        return frozenset((first + np.flatnonzero(glyphs)).tolist())
    if format in (12, 13):
        return _format_12(cmap, start, format)
    return frozenset()


def _format_4(cmap: bytes, start: int) -> frozenset[int]:
    """Segments of 16-bit codes: a segment adds a number to the code, or looks the glyph up in an array behind it."""
    segments = struct.unpack_from(">H", cmap, start + 6)[0] // 2
    ends = np.frombuffer(cmap, ">u2", segments, start + 14).astype(int)
    begins = np.frombuffer(cmap, ">u2", segments, start + 16 + 2 * segments).astype(int)
    deltas = np.frombuffer(cmap, ">u2", segments, start + 16 + 4 * segments).astype(int)
    at = start + 16 + 6 * segments
    offsets = np.frombuffer(cmap, ">u2", segments, at).astype(int)
    words = np.frombuffer(cmap, ">u2", (len(cmap) - at) // 2, at).astype(int)
    found: set[int] = set()
    for number, (begin, end, delta, offset) in enumerate(zip(begins, ends, deltas, offsets, strict=True)):
        codes = np.arange(begin, min(end, 0xFFFE) + 1)
        if offset:
            places = number + offset // 2 + codes - begin
            codes = codes[places < len(words)]
            glyphs = words[places[places < len(words)]]
            glyphs = np.where(glyphs == 0, 0, (glyphs + delta) & 0xFFFF)
        else:
            glyphs = (codes + delta) & 0xFFFF
        found.update(codes[glyphs != 0].tolist())
    return frozenset(found)


def _format_12(cmap: bytes, start: int, format: int) -> frozenset[int]:
    (groups,) = struct.unpack_from(">L", cmap, start + 12)
    rows = np.frombuffer(cmap, ">u4", 3 * groups, start + 16).reshape(-1, 3).astype(int)
    rows = rows[(rows[:, 0] <= rows[:, 1]) & (rows[:, 1] <= _LAST_POINT)]
    if (rows[:, 1] - rows[:, 0] + 1).sum() > _LAST_POINT + 1:
        raise ValueError("more characters than there are")
    found: set[int] = set()
    for begin, end, glyph in rows.tolist():
        # Format 12 counts glyphs up along the range, format 13 gives one glyph to all of it.
        if glyph or format == 12:
            found.update(range(begin if glyph else begin + 1, end + 1))
    return frozenset(found)


def _from_symbols(points: frozenset[int]) -> frozenset[int]:
    """A symbol font keeps its 256 places at U+F000; text reaches them by their low byte too."""
    return points | {code - _SYMBOL_BASE for code in points if _SYMBOL_BASE <= code <= _SYMBOL_BASE + 0xFF}
