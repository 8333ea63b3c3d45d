"""Lines in a box: the largest size, nothing outside, the right ends, the right order."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter, features

from triptych.core.errors import InvalidRequest
from triptych.typography.draw import run_mask
from triptych.typography.fonts import Font, FontBook, load
from triptych.typography.layout import Layout, Run, lay_out
from triptych.typography.settings import Lettering

LONG = "The quick brown fox jumps over the lazy dog, and then it sleeps in the snow until the long winter is over."
ARABIC = "النص العربي يُكتب من اليمين إلى اليسار، وفيه كلمات English words وأرقام ١٢٣ أيضًا."


def laid(font: Font, text: str, width: int = 300, height: int = 120, **fields: Any) -> Layout:
    return lay_out(Lettering.make(text=text, box=(0, 0, width, height), **fields), font, width, height)


@pytest.mark.parametrize("text", ["SALE", "gym", LONG, ARABIC, "שלום", "one\n\nthree"])
@pytest.mark.parametrize("align", ["left", "center", "right", "justify"])
def test_the_largest_size_that_fits_and_no_ink_outside(sans: Font, text: str, align: str) -> None:
    layout = laid(sans, text, align=align)
    x0, y0, x1, y1 = layout.ink
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 300 + 1e-6
    assert y1 <= 120 + 1e-6
    with pytest.raises(InvalidRequest, match=f"too large for the box; the largest that fits is {layout.size:g}"):
        laid(sans, text, align=align, size=layout.size + 0.25)
    assert laid(sans, text, align=align, size=layout.size) == layout


@pytest.mark.parametrize("text", [LONG, ARABIC, "a-b well-known co-op " * 4, "x y z"])
def test_every_character_is_on_some_line(sans: Font, text: str) -> None:
    layout = laid(sans, text, 140, 200, size=12)
    assert "".join("".join(line.text.split()) for line in layout.lines) == "".join(text.split())


def test_line_breaks_that_are_typed_are_kept(sans: Font) -> None:
    assert laid(sans, "one\n\nthree").text == ("one", "", "three")


def test_lines_are_evened_out_but_not_more(sans: Font) -> None:
    greedy_last = "aaa bbb ccc ddd eee fff g"
    centred, left = (laid(sans, greedy_last, 130, 100, size=22, align=align) for align in ("center", "left"))
    assert centred.text == ("aaa bbb", "ccc ddd", "eee fff g")
    assert left.text == ("aaa bbb", "ccc ddd", "eee fff g")
    assert laid(sans, "aaa bbb ccc ddd g", 180, 100, size=22, align="left").text == ("aaa bbb ccc", "ddd g")


def test_alignment(sans: Font) -> None:
    def ends(align: str) -> tuple[float, float]:
        ink = laid(sans, "WHY", size=20, align=align).ink
        return ink[0], 300 - ink[2]

    left, right, middle = ends("left"), ends("right"), ends("center")
    assert left[0] < 1 < 200 < left[1]
    assert right[1] < 1 < 200 < right[0]
    assert abs(middle[0] - middle[1]) <= 1


@pytest.mark.parametrize(("valign", "top"), [("top", 0), ("middle", 52), ("bottom", 105)])
def test_vertical_alignment_goes_by_ink(sans: Font, valign: str, top: float) -> None:
    y0, y1 = laid(sans, "H", size=20, valign=valign).ink[1::2]
    assert y1 - y0 == pytest.approx(14.6, abs=0.5)
    assert y0 == pytest.approx(top, abs=1)


@pytest.mark.parametrize("text", [LONG, ARABIC])
def test_justified_lines_reach_both_sides_except_the_last(sans: Font, text: str) -> None:
    layout = laid(sans, text, 200, 220, size=18, align="justify")
    for line in layout.lines[:-1]:
        assert line.ink is not None
        assert line.ink[0] < 3
        assert line.ink[2] > 197
    last = layout.lines[-1].ink
    assert last is not None
    assert last[2] - last[0] < 190
    at_start = last[0] if text == LONG else 200 - last[2]
    assert at_start < 3


@pytest.mark.parametrize(
    "text",
    [
        "one two three",
        "العربية مع Triptych 2.0 نسخة",
        "العربية 2.0 Triptych نسخة 12 34 نعم",
        "שלום (hello world) & more 12:30 סוף",
        "שלום hello — world סוף",
        "left שלום עולם 12 right 34 done",
        "left שלום - עולם, right",
    ],
)
def test_justified_words_stand_in_the_order_of_the_whole_line(sans: Font, text: str) -> None:
    """With hardly any room to spare the words, set one by one, must be the line as the shaper orders it."""
    (plain,) = laid(sans, text, 900, 60, size=24, align="left").lines
    assert plain.ink is not None
    width = math.ceil(plain.ink[2]) + 2
    filler = ("M" if plain.runs[0].way == "ltr" else "ש") * int(width * 0.75 / 24)
    justified = laid(sans, f"{text} {filler}", width, 90, size=24, align="justify")
    line = justified.lines[0]
    assert line.text == text
    assert len(line.runs) > 1
    window = (0, 0, width, 90)

    def seen(runs: tuple[Run, ...]) -> npt.NDArray[np.float64]:
        mask = Image.fromarray(run_mask(justified, sans, runs, line.baseline, window))
        return np.asarray(mask.filter(ImageFilter.GaussianBlur(2)), np.float64)

    pieces, whole = seen(line.runs), seen((replace(plain.runs[0], x=1.0),))
    assert (whole * pieces).sum() / np.sqrt((whole**2).sum() * (pieces**2).sum()) > 0.93


def test_line_height_is_baseline_to_baseline_in_sizes(sans: Font) -> None:
    one, two = (line.baseline for line in laid(sans, "a\nb", size=20, line_height=1.5).lines)
    assert two - one == pytest.approx(30, abs=0.25)


def test_hebrew_begins_on_the_right(sans: Font) -> None:
    layout = laid(sans, "אב", 100, 60, size=40)
    line = layout.lines[0]
    window = (0, 0, 100, 60)
    whole = run_mask(layout, sans, line.runs, line.baseline, window).astype(float)
    (run,) = line.runs
    first = run_mask(layout, sans, (Run("א", run.x, "rtl"),), line.baseline, window).astype(float)
    columns = np.flatnonzero(whole.sum(axis=0))
    width = np.ptp(np.flatnonzero(first.sum(axis=0))) + 1
    right = whole[:, columns[-1] - width + 1 : columns[-1] + 1]
    left = whole[:, columns[0] : columns[0] + width]
    glyph = first[:, np.flatnonzero(first.sum(axis=0))[0] :][:, :width]
    assert np.abs(right - glyph).mean() < 0.3 * np.abs(left - glyph).mean()


def test_arabic_letters_are_joined(sans: Font) -> None:
    layout = laid(sans, "بب", 200, 100, size=60)
    assert layout.ink[2] - layout.ink[0] < 0.8 * 2 * laid(sans, "ب", 200, 100, size=60).ink[2]
    line = layout.lines[0]
    mask = run_mask(layout, sans, line.runs, line.baseline, (0, 0, 200, 100))
    columns = np.flatnonzero(mask.max(axis=0) > 128)
    assert len(columns) == np.ptp(columns) + 1  # no gap between the two


def test_direction_can_be_given(sans: Font) -> None:
    by_itself, turned = (laid(sans, "abc!", size=30, direction=way) for way in ("auto", "rtl"))
    assert by_itself.lines[0].runs[0].way == "ltr"
    assert turned.lines[0].runs[0].way == "rtl"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Incomprehensibilities", r"'Incomprehensibilities' is \d+ pixels wide even at the smallest size, 6; the box"),
        (LONG, r"do not fit into 50x20 pixels, not even at the smallest size, 6: at that width they are \d+ high"),
    ],
)
def test_what_does_not_fit_is_refused_with_figures(sans: Font, text: str, told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        laid(sans, text, 50, 20)


def test_without_a_shaper_plain_scripts_work_and_others_are_refused(
    monkeypatch: pytest.MonkeyPatch, sans: Font, book: FontBook
) -> None:
    monkeypatch.setattr(features, "check", lambda name: False)
    assert laid(load(book.find("Aileron")), "Grüße, Привет"[:5]).size > 20
    with pytest.raises(InvalidRequest, match=r"'م' \(U\+0645\) belongs to a script that needs shaping"):
        laid(sans, "مرحبا")
