"""Which font a name means, and which fonts can write a text."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import features

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.typography import fonts
from triptych.typography.fonts import Face, Font, FontBook, load
from triptych.typography.settings import FontName


@pytest.mark.parametrize(
    ("name", "style"),
    [
        ("DejaVu Sans", "Book"),
        ("dejavu sans", "Book"),
        ("DejaVuSans-Bold", "Bold"),
        ("DejaVu Sans:Bold", "Bold"),
        ("DejaVu Sans Bold Oblique", "Bold Oblique"),
    ],
)
def test_names_as_people_write_them(book: FontBook, name: str, style: str) -> None:
    face = book.find(name)
    assert (face.family, face.style) == ("DejaVu Sans", style)


def test_a_file_is_a_font_too(book: FontBook) -> None:
    path = book.find("DejaVu Serif").path
    assert path is not None
    assert book.find(str(path)).family == "DejaVu Serif"


def test_a_name_that_is_not_installed_is_told_with_close_ones(book: FontBook) -> None:
    with pytest.raises(InvalidRequest, match=r"'Dejavu San' is not installed; close to it: DejaVu Sans"):
        book.find("Dejavu San")


def test_missing_letters_are_named_with_fonts_that_have_them(book: FontBook) -> None:
    with pytest.raises(InvalidRequest) as refused:
        book.choose("Aileron", "Hi שלום")
    message = str(refused.value)
    assert "'ש' (U+05E9 HEBREW LETTER SHIN)" in message
    assert "DejaVu Sans" in message
    assert "'H'" not in message


def test_letters_that_no_font_has_are_named(book: FontBook) -> None:
    with pytest.raises(InvalidRequest, match=r"Aileron Regular, the nearest, lacks .* \(U\+13000 EGYPTIAN H"):
        FontBook([book.find("Aileron")]).choose(None, "a\U00013000")
    with pytest.raises(InvalidRequest, match="no installed font has them"):
        FontBook([book.find("Aileron")]).choose("Aileron", "ж")


def test_without_a_name_a_font_is_taken_that_has_the_letters(book: FontBook) -> None:
    only = FontBook([book.find("Aileron"), book.find("DejaVu Serif"), book.find("DejaVu Sans Mono")])
    assert only.choose(None, "hello").face.family == "Aileron"
    assert only.choose(None, "Привет").face.family == "DejaVu Serif"
    assert not only.choose(None, "مرحبا").missing("مرحبا")


def test_a_font_of_pictures_is_refused(book: FontBook) -> None:
    path = book.find("DejaVu Sans").path
    pictures = FontBook([Face("Pictures", "Regular", path, outlines=False)])
    with pytest.raises(InvalidRequest, match="pictures of glyphs"):
        pictures.choose("Pictures", "a")
    assert list(pictures.that_write("a")) == []


def test_fonts_that_claim_every_letter_are_left_out(book: FontBook) -> None:
    assert not [face for face in book.faces if face.family.startswith("Last Resort")]


def test_accents_and_invisible_characters_need_no_glyph_of_their_own(sans: Font) -> None:
    assert sans.missing("e\u0301 a\u00adb \u200d\u200f\n\u200b") == ()
    assert sans.missing("\u4e00\u4e8c\u4e00") == ("\u4e00", "\u4e8c")


def test_the_font_of_a_recipe_is_the_same_to_the_byte(book: FontBook, sans: Font, tmp_path: Path) -> None:
    assert sans.sha256 == hashlib.sha256(sans.data).hexdigest()
    assert book.same(sans.name).sha256 == sans.sha256
    with pytest.raises(FileProblem, match=r"No Such Font Bold.* is not installed here"):
        book.same(FontName(family="No Such Font", style="Bold", sha256=sans.sha256))
    changed = tmp_path / "changed.ttf"
    changed.write_bytes(sans.data + b"\0")
    with pytest.raises(FileProblem, match="in another version"):
        FontBook(fonts.faces_of(changed)).same(sans.name)


def test_files_that_are_no_fonts_do_not_stop_the_list(tmp_path: Path, sans: Font) -> None:
    (tmp_path / "bad.ttf").write_text("not a font")
    (tmp_path / "empty.otf").touch()
    (tmp_path / "good.ttf").write_bytes(sans.data)
    found = [face for face in FontBook.installed([tmp_path]).faces if face.path and face.path.parent == tmp_path]
    assert [face.path.name for face in found if face.path] == ["good.ttf"]


def test_without_fontconfig_folders_are_searched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sans: Font) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "mine.ttf").write_bytes(sans.data)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(fonts, "FOLDERS", (str(tmp_path),))
    book = FontBook.installed()
    assert tmp_path / "deep" / "er" / "mine.ttf" in [face.path for face in book.faces]
    assert book.find("Aileron").path is None


def test_a_file_that_freetype_refuses_is_told(sans: Font) -> None:
    broken = Font(Face("Broken", "Regular", Path("broken.ttf")), b"\0\1\0\0" + bytes(100))
    with pytest.raises(FileProblem, match=r"broken\.ttf cannot be used"):
        broken.at(10)


def test_shaping_is_asked_of_pillow(monkeypatch: pytest.MonkeyPatch, book: FontBook) -> None:
    assert fonts.shaping() == features.check("raqm")
    font = load(book.find("Aileron"))
    composed = next(char for char in "ǖǘậ" if ord(char) not in font.characters)
    monkeypatch.setattr(features, "check", lambda name: False)
    assert font.missing(composed) == (composed,)
