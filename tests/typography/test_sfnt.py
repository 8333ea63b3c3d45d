"""Font files: read as fontTools reads them, and safely."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

from triptych.core.errors import FileProblem
from triptych.typography import sfnt
from triptych.typography.fonts import FontBook, load


def test_characters_and_names_are_those_that_fonttools_reads(book: FontBook) -> None:
    faces = [face for face in book.faces if face.path]
    assert len(faces) > 20
    for face in faces:
        assert face.path is not None
        other = TTFont(face.path, fontNumber=face.index, lazy=True)
        best = other.getBestCmap() or {}
        assert load(face).characters == {code for code, glyph in best.items() if glyph != ".notdef"}, face.name
        assert face.family == other["name"].getBestFamilyName(), face.path
        assert face.style == other["name"].getBestSubFamilyName(), face.path


ALL = {65, 66, 0x3B1}


def made(*formats: int, codes: tuple[int, ...] = (65, 66, 0x3B1), family: str = "Made") -> bytes:
    """A font of square letters with one cmap subtable per format."""
    builder = FontBuilder(1000, isTTF=True)
    glyphs = [".notdef", *(f"g{code}" for code in codes)]
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({65: "g65"})
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 500), (500, 500), (500, 0)):
        pen.lineTo(point)
    pen.closePath()
    builder.setupGlyf(dict.fromkeys(glyphs, pen.glyph()))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    tables = []
    for format in formats:
        table = CmapSubtable.newSubtable(format)
        table.platformID, table.platEncID, table.language = (3, 10, 0) if format > 6 else (0, 3, 0)
        table.cmap = {code: f"g{code}" for code in codes if code < {0: 256, 12: 0x110000}.get(format, 0x10000)}
        if format == 13:
            table.cmap = dict.fromkeys(range(0x4E00, 0x4E10), "g65")
        tables.append(table)
    builder.font["cmap"].tables = tables
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("format", "found"),
    [
        (0, {65, 66}),
        (4, {65, 66, 0x3B1}),
        (6, {65, 66, 0x3B1}),
        (12, {65, 66, 0x3B1}),
        (13, set(range(0x4E00, 0x4E10))),
    ],
)
def test_every_kind_of_character_map(format: int, found: set[int]) -> None:
    assert sfnt.characters(made(format), 0, "made") == found


def test_the_map_beyond_16_bits_is_preferred() -> None:
    data = made(4, 12, codes=(65, 0x1F600))
    assert 0x1F600 in sfnt.characters(data, 0, "made")


def test_a_collection_has_several_faces() -> None:
    collection = TTCollection()
    collection.fonts = [TTFont(io.BytesIO(made(4, family=name))) for name in ("One", "Two")]
    file = io.BytesIO()
    collection.save(file)
    assert [face.family for face in sfnt.names(file.getvalue(), "c")] == ["One", "Two"]
    assert sfnt.characters(file.getvalue(), 1, "c") == {65, 66, 0x3B1}
    with pytest.raises(FileProblem, match="there is no face 2"):
        sfnt.characters(file.getvalue(), 2, "c")


def test_a_map_that_claims_too_much_is_damage_and_not_work_for_ever() -> None:
    data = bytearray(made(12))
    at = data.index(b"\x00\x0c\x00\x00")
    for group in range(3):
        data[at + 16 + 12 * group : at + 24 + 12 * group] = (0).to_bytes(4, "big") + (0x10FFFF).to_bytes(4, "big")
    with pytest.raises(FileProblem, match="damaged character map"):
        sfnt.characters(bytes(data), 0, "made")


@pytest.mark.parametrize(
    "data", [b"", b"\0\1", b"%PDF-1.7 and so on", b"ttcf\0\1\0\0\xff\xff\xff\xff", b"wOF2" + bytes(64)]
)
def test_what_is_no_font_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(FileProblem, match=r"letters\.ttf"):
        sfnt.names(data, "letters.ttf")


def test_damage_anywhere_is_a_sentence_and_never_a_crash(book: FontBook) -> None:
    whole = Path(str(book.find("DejaVu Sans Mono").path)).read_bytes()
    for length in (11, 12, 40, 200, 1000, 20000, len(whole) // 2):
        with pytest.raises(FileProblem):
            both(whole[:length])
    small = made(4, 12)
    for at in range(0, len(small), 3):
        broken = small[:at] + bytes([small[at] ^ 0xFF]) + small[at + 1 :]
        with contextlib.suppress(FileProblem):
            both(broken)


def both(data: bytes) -> None:
    sfnt.names(data, "damaged")
    sfnt.characters(data, 0, "damaged")
