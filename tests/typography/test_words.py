"""The words are found again where they are, and only there."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter

from triptych.core.errors import FileProblem
from triptych.typography import words
from triptych.typography.compose import Typeset, typeset
from triptych.typography.decoys import alphabet, decoys
from triptych.typography.fonts import Font
from triptych.typography.settings import Lettering, Outline

Pixels = npt.NDArray[np.uint8]
CASES: list[dict[str, Any]] = [
    {"text": "Open daily"},
    {"text": "Two lines\nof words", "outline": {"width": 2, "colour": "black"}},
    {"text": "שלום עולם", "outline": {"width": 2, "colour": "black"}},
    {"text": "مرحبا بكم", "colour": "#ffee00", "outline": {"width": 2, "colour": "black"}},
    {"text": "Turned", "rotate": 20, "box": (80, 90, 160, 60), "outline": {"width": 3, "colour": "navy"}},
    {"text": "FAR", "box": None, "corners": ((60, 40), (280, 90), (260, 190), (40, 220)), "colour": "black"},
    {"text": "Evening", "harmonise": 1.0, "outline": {"width": 3, "colour": "black"}},
    {"text": "A long text of small letters that goes over several lines, as captions do", "colour": "white",
     "outline": {"width": 1, "colour": "black"}},
]  # fmt: skip


def done(scene: Pixels, font: Font, **fields: Any) -> Typeset:
    return typeset(scene, Lettering.make(**{"box": (40, 60, 240, 100), **fields}), font)


@pytest.mark.parametrize("fields", CASES)
def test_words_are_confirmed_where_they_are_and_not_where_they_are_not(
    scene: Pixels, sans: Font, fields: dict[str, Any]
) -> None:
    made = done(scene, sans, **fields)
    found = words.check(made.pixels, made, sans)
    assert found.confirmed, found
    assert found.as_json()["method"] == "template"
    assert not words.check(scene, made, sans).confirmed


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ("Open daily", "Open daiiy"),
        ("Open daily", "Open dally"),
        ("Open daily", "Open dail"),
        ("Open daily", "Opne daily"),
        ("WARSZAWA", "WARSZAVA"),
        ("שלום עולם", "שלום עולס"),
        ("مرحبا بكم", "مرحبا يكم"),
        ("Exit 17", "Exit 11"),
    ],
)
def test_one_wrong_letter_is_noticed(scene: Pixels, sans: Font, meant: str, written: str) -> None:
    size, align = 40.0, "right" if meant[0] > "z" else "left"
    outline = Outline(width=2)
    made, wrong = (done(scene, sans, text=text, size=size, align=align, outline=outline) for text in (meant, written))
    assert words.check(made.pixels, made, sans).confirmed
    found = words.check(wrong.pixels, made, sans)
    assert not found.confirmed, found


def test_blurred_or_vanished_words_are_not_confirmed(scene: Pixels, sans: Font) -> None:
    made = done(scene, sans, text="Legible text", size=14)
    blurred = np.asarray(Image.fromarray(made.pixels).filter(ImageFilter.GaussianBlur(5)))
    assert not words.check(blurred, made, sans).confirmed
    white = np.full_like(scene, 255)
    vanished = done(white, sans, text="White on white")
    found = words.check(vanished.pixels, vanished, sans)
    assert not found.confirmed
    assert found.score == 0


def test_letters_of_any_size_are_looked_at(sans: Font) -> None:
    grey = np.full((900, 2000, 3), 120, np.uint8)
    for size in (8, 39, 41, 300):
        made = done(grey, sans, text="Size", box=(0, 0, 2000, 900), size=size)
        found = words.check(made.pixels, made, sans)
        assert found.confirmed
        assert found.score > 0.99


def test_decoys_differ_and_can_be_written(sans: Font) -> None:
    near = decoys("Hello", 100, sans)
    assert "Hello" not in near
    assert {"HeIlo", "Helo", "eHllo"} <= set(near)
    assert not any(sans.missing(text) for text in near)
    assert len(decoys("Hello", 5, sans)) == 5
    assert set("אבגד") - {"ב"} <= set(alphabet("ב", sans))


def test_readings_are_compared_by_letters() -> None:
    assert words.alike("Open  Daily!", "open daily")
    assert not words.alike("Open", "0pen")


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract: apt install tesseract-ocr")
def test_tesseract_reads_what_was_written(sans: Font) -> None:
    paper = np.full((300, 600, 3), 250, np.uint8)
    for fields in ({"box": (20, 20, 560, 260)}, {"box": (100, 80, 400, 140), "rotate": 12}):
        made = done(paper, sans, text="Fresh bread\nevery morning", colour="black", **fields)
        assert words.alike(words.recognised(made.pixels, made), "Fresh bread every morning")


def test_without_tesseract_that_is_told(scene: Pixels, sans: Font, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileProblem, match="tesseract is not installed"):
        words.recognised(scene, done(scene, sans, text="a"))


def test_a_line_must_pass_every_test() -> None:
    good = words.LineCheck("a", 0.9, 0.9, 90.0, 0.9, "b")
    assert good.confirmed
    assert not replace(good, weakest=0.1).confirmed
    assert not replace(good, duel=0.5).confirmed
    assert not replace(good, depth=2.0).confirmed
    assert not words.WordCheck((good, replace(good, duel=0.2))).confirmed
