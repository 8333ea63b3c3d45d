"""What may be asked of a lettering, and the sentence for what may not."""

from __future__ import annotations

from typing import Any

import pytest

from triptych.core.errors import InvalidRequest
from triptych.typography.settings import Lettering, Outline, rgba

BOX = (0, 0, 50, 50)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": ""}, "text: is empty"),
        ({"text": " \u200f\n"}, "text: is empty"),
        ({"text": "a\tb"}, r"text: has the character U\+0009"),
        ({"text": "x" * 2001}, "text: has 2001 characters; at most 2000"),
        ({"colour": "blurple"}, "colour: 'blurple' is not a colour"),
        ({"outline": {"width": -1}}, "outline: .*greater than 0"),
        ({"size": 2}, "size: 2 is not allowed: .*greater than or equal to 6"),
        ({"align": "centre"}, "align: 'centre' is not allowed"),
        ({"harmonise": 2}, "harmonise: 2 is not allowed"),
        ({"rotate": float("nan")}, "rotate: nan is not allowed"),
        ({"box": None}, "box: a text needs a box, or four corners"),
        ({"box": (0, 0, 0, 5)}, "box: a box is at least one pixel"),
        ({"corners": ((0, 0), (0, 9), (9, 9), (9, 0))}, "perspective: the corners go around"),
        ({"corners": ((0, 0), (9, 0), (2, 2), (0, 9))}, "perspective: the corners go around"),
        ({"corners": ((0, 0), (9, 0), (9, 9), (0, 9)), "rotate": 3}, "perspective: rotate and perspective do not go"),
        ({"fontt": 1}, "fontt"),
    ],
)
def test_bad_settings_are_named(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        Lettering.make(**{"text": "a", "box": BOX, **fields})


def test_line_ends_of_every_kind() -> None:
    assert Lettering.make(text="a\r\nb\rc", box=BOX).text == "a\nb\nc"


def test_colours_as_in_css() -> None:
    assert rgba("white") == (255, 255, 255, 255)
    assert rgba("#0f08") == (0, 255, 0, 136)
    assert rgba("#11223344") == (17, 34, 51, 68)
    assert rgba("rgb(1, 2, 3)") == (1, 2, 3, 255)


def test_settings_survive_json() -> None:
    made = Lettering.make(text="a\nb", box=BOX, outline=Outline(width=2), shadow="soft", rotate=4)
    assert Lettering.make(**made.model_dump(mode="json", exclude_none=True)) == made
