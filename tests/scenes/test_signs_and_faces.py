"""What is drawn for each scene anew: sign boards from a word, faces from an identity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from triptych.scenes.draw import Draw
from triptych.scenes.faces import draw_face
from triptych.scenes.heldout import sign_is_heldout
from triptych.scenes.identity import Face, draw_identity
from triptych.scenes.signs import SIGN_WORDS, draw_sign, draw_word, sign_aspect

PLAIN = Face(*([0.5] * 18))


def drawn(face: Face) -> np.ndarray:
    return draw_face(face, 60, 70).astype(int)


def test_an_identity_is_eighteen_numbers_there_and_back() -> None:
    face = draw_identity(Draw(0, 0))
    assert len(face.vector()) == 18
    assert Face.from_vector(face.vector()) == face
    assert Face.from_vector((2.0,) * 18).skin == 1.0


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Face)])
def test_every_number_shows_in_the_face(field: str) -> None:
    low, high = (dataclasses.replace(PLAIN, **{field: value}) for value in (0.05, 0.95))
    assert np.abs(drawn(low) - drawn(high)).max() > 30, field


def test_traits_say_what_is_drawn() -> None:
    face = dataclasses.replace(PLAIN, hair_style=0.0, glasses=0.9, freckles=0.9, scar=0.95, mood=0.9)
    traits = face.traits()
    assert traits["hair"] == "bald"
    assert "hair colour" not in traits
    assert traits["glasses"] == "square"
    assert traits["scar"] == "left"
    assert traits["mood"] == "smiling"
    assert "scar" not in PLAIN.traits()
    bare = dataclasses.replace(face, scar=0.0)
    where = np.abs(drawn(face) - drawn(bare)).max(axis=(0, 2))
    assert where[:30].max() > 30  # the left cheek as the viewer sees it
    assert where[30:].max() == 0


def test_a_face_without_asymmetry_is_its_own_mirror() -> None:
    face = dataclasses.replace(PLAIN, hair_style=0.0, scar=0.0)
    picture = drawn(face)
    assert np.abs(picture - picture[:, ::-1]).mean() < 2.5
    skewed = drawn(dataclasses.replace(face, asymmetry=1.0))
    assert np.abs(skewed - skewed[:, ::-1]).mean() > 2 * np.abs(picture - picture[:, ::-1]).mean()


@pytest.mark.parametrize("text", ["A", "OPEN", "TRIPTYCH", "MWMWMWMWMW"])
@pytest.mark.parametrize("colour", [None, "yellow", "black", "white"])
def test_the_word_stands_inside_its_board_and_reads(text: str, colour: str | None) -> None:
    width = 120
    height = round(width / sign_aspect(text))
    sign, blank = (draw_sign(word, colour, width, height).astype(int) for word in (text, ""))
    ink = np.abs(sign - blank).max(axis=-1) > 60
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    assert columns.size >= 0.15 * width
    assert columns[0] > 4
    assert columns[-1] < width - 5
    assert rows[0] > 3
    assert rows[-1] < 0.74 * height - 3
    assert np.abs(sign - blank).max() > 120, "the word stands out from its field"


def test_words_are_one_to_ten_letters_and_keep_to_their_split() -> None:
    for heldout in (False, True):
        words = [draw_word(Draw(0, i), heldout=heldout) for i in range(300)]
        assert {len(word) for word in words} == set(range(1, 11))
        assert all(word.isascii() and word.isupper() and sign_is_heldout(word) == heldout for word in words)
    assert all(1 <= len(word) <= 10 for word in SIGN_WORDS)
    assert len(set(SIGN_WORDS)) == len(SIGN_WORDS)
