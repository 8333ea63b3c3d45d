"""Sprites: from the font, from the cache file, and a clear word where there is neither."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.scenes import LEVELS, Sprites, sprites
from triptych.scenes.colours import COLOURS, recolour
from triptych.scenes.memo import Memo
from triptych.scenes.nouns import GLYPH_NOUNS, NOUNS


def test_shapes_need_neither_font_nor_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprites, "FONT_PLACES", ())
    assert set(Sprites.shapes().nouns) == set(LEVELS["shapes"].nouns)


def test_without_a_font_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sprites, "FONT_PLACES", ())
    with pytest.raises(FileProblem, match="apt install fonts-noto-color-emoji"):
        Sprites.load(cache=tmp_path / "none.npz")


def test_a_file_that_is_no_such_font_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "font.ttf"
    path.write_bytes(b"not a font")
    with pytest.raises(FileProblem, match=r"font\.ttf"):
        Sprites.load(font=path, cache=tmp_path / "none.npz")
    assert not (tmp_path / "none.npz").exists()


@pytest.mark.font
def test_the_cache_stands_in_for_the_font(glyphs: Sprites, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = tmp_path / "deep" / "sprites.npz"
    first = Sprites.load(cache=cache)
    assert [path.name for path in cache.parent.iterdir()] == ["sprites.npz"]
    monkeypatch.setattr(sprites, "FONT_PLACES", ())
    second = Sprites.load(cache=cache)
    assert all(np.array_equal(first.drawing(noun), second.drawing(noun)) for noun in first.nouns)
    cache.write_bytes(cache.read_bytes()[:1000])
    with pytest.raises(FileProblem):
        Sprites.load(cache=cache)


@pytest.mark.font
def test_a_folder_that_cannot_be_written_is_no_failure(glyphs: Sprites, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "fox" in Sprites.load(cache=tmp_path / "file" / "sprites.npz").nouns


@pytest.mark.font
def test_the_table_knows_the_shape_of_every_drawing(glyphs: Sprites) -> None:
    for noun in GLYPH_NOUNS:
        height, width, _ = glyphs.drawing(noun.name).shape
        assert width / height == pytest.approx(noun.aspect, rel=0.25), noun.name


@pytest.mark.font
@pytest.mark.parametrize("noun", LEVELS["small"].nouns)
def test_a_recoloured_thing_has_much_of_its_colour_and_the_same_outline(noun: str, glyphs: Sprites) -> None:
    plain = glyphs.drawing(noun)
    for colour in LEVELS["small"].colours:
        drawing = glyphs.drawing(noun, colour)
        assert np.array_equal(drawing[..., 3], plain[..., 3])
        if colour == NOUNS[noun].natural:
            assert np.array_equal(drawing, plain)
            continue
        solid = drawing[drawing[..., 3] > 0.5][:, :3]
        target = np.array(COLOURS[colour]) / 255
        # the same hue: little angle between both after the grey is taken out
        a, b = solid - solid.mean(axis=1, keepdims=True), target - target.mean()
        cosine = (a @ b) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b), 1e-6)
        share = float(((cosine > 0.95) & (np.linalg.norm(a, axis=1) > 0.12)).mean())
        assert share > 0.18, (noun, colour, share)


def test_drawings_are_premultiplied_and_fill_their_box(shapes: Sprites) -> None:
    picture = shapes.scaled("circle", "blue", 40, 30)
    assert picture.shape == (30, 40, 4)
    assert (picture[..., :3] <= picture[..., 3:]).all()
    assert picture[15, 20, 3] == 255
    assert picture[0, 0, 3] == 0


def test_a_sprite_with_no_body_of_that_kind_stays_as_it_is() -> None:
    dark = np.zeros((4, 4, 4), dtype=np.float32)
    dark[..., 3] = 1
    assert np.array_equal(recolour(dark, "red", "light"), dark)


def test_an_unknown_noun_is_refused(shapes: Sprites) -> None:
    with pytest.raises(InvalidRequest, match="fox"):
        shapes.drawing("fox")


def test_a_memo_keeps_to_its_bound_and_forgets_the_oldest() -> None:
    made: list[int] = []

    def make(i: int) -> np.ndarray:
        made.append(i)
        return np.full(100, i, dtype=np.uint8)

    memo: Memo[np.ndarray] = Memo(max_bytes=250)
    for i in (0, 1, 0, 2, 0, 1):  # room for two: 2 drives out 1, then 1 drives out 2
        assert memo.get(i, lambda i=i: make(i))[0] == i
    assert made == [0, 1, 2, 1]
    with pytest.raises(ValueError, match="read-only"):
        memo.get(0, lambda: make(0))[0] = 9
