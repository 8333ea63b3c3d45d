"""Words of a mask: which of the things that were found they name."""

from __future__ import annotations

import pytest

from triptych.core.errors import InvalidRequest
from triptych.editing.words import Thing, chosen, from_words

LEFT_CAR = Thing("car", (0.05, 0.6, 0.3, 0.8), "red")
MIDDLE_CAR = Thing("car", (0.4, 0.6, 0.6, 0.8), "blue")
RIGHT_CAR = Thing("car", (0.65, 0.1, 0.95, 0.35), "red")
FOX = Thing("fox", (0.1, 0.1, 0.3, 0.4), "orange")
SCENE = [LEFT_CAR, FOX, MIDDLE_CAR, RIGHT_CAR]


@pytest.mark.parametrize(
    ("words", "things"),
    [
        ("the fox", [FOX]),
        ("Fox", [FOX]),
        ("the vixen", [FOX]),
        ("the left car", [LEFT_CAR]),
        ("the car on the left side", [LEFT_CAR]),
        ("the rightmost automobile", [RIGHT_CAR]),
        ("the blue car", [MIDDLE_CAR]),
        ("the right red car", [RIGHT_CAR]),
        ("the second car from the left", [MIDDLE_CAR]),
        ("the last car", [RIGHT_CAR]),
        ("the upper red car", [RIGHT_CAR]),
        ("the largest car", [RIGHT_CAR]),
        ("the smallest car", [MIDDLE_CAR]),
        ("the bottom left car", [LEFT_CAR]),
        ("all cars", [LEFT_CAR, MIDDLE_CAR, RIGHT_CAR]),
        ("the cars", [LEFT_CAR, MIDDLE_CAR, RIGHT_CAR]),
        ("both red cars", [LEFT_CAR, RIGHT_CAR]),
        ("all red things", [LEFT_CAR, RIGHT_CAR]),
        ("the middle thing", [MIDDLE_CAR]),
    ],
)
def test_words_choose(words: str, things: list[Thing]) -> None:
    assert chosen(words, SCENE) == things


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("the car", "may be any of a red car .* say which: left"),
        ("the dog", "'the dog' is not found in the picture; what is seen there: a red car"),
        ("the green fox", "is not found"),
        ("the shiny fox", "not understood at 'shiny'"),
        ("the fourth car", "only a red car"),
        ("the", "is not found"),
        ("", "0 letters"),
    ],
)
def test_what_is_not_clear_is_refused_with_what_is_seen(words: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        from_words(words, SCENE, (100, 100))


def test_nothing_seen_is_said() -> None:
    with pytest.raises(InvalidRequest, match="no thing that is known is seen there"):
        from_words("the fox", [], (100, 100))


def test_the_box_is_padded_in_pixels_and_kept_inside() -> None:
    found = from_words("the fox", [FOX], (200, 100))
    x0, y0, x1, y1 = found.box
    assert x0 <= 20 <= 60 <= x1 <= 66
    assert y0 <= 10 <= 40 <= y1 <= 44
    edge = from_words("the fox", [Thing("fox", (-0.1, 0.5, 0.5, 1.2))], (200, 100))
    assert edge.box[0] == 0
    assert edge.box[3] == 100


@pytest.mark.parametrize("words", ["the background", "everything but the fox", "all except the fox"])
def test_the_rest_is_what_is_not_named(words: str) -> None:
    named = from_words("the fox", [FOX], (100, 100)).mask
    assert ((from_words(words, [FOX], (100, 100)).mask) == ~named).all()
