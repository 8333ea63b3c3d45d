"""Where lines may end, and which way they run."""

from __future__ import annotations

import pytest

from triptych.typography.breaking import line_text, needs_shaping, strong_way, way_of, words_of


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("one two", ["one", "two"]),
        ("well-known fact", ["well-", "known", "fact"]),
        ("minus -5 to 3-4", ["minus", "-5", "to", "3-4"]),
        ("a\u00a0b c", ["a\u00a0b", "c"]),
        ("so – and—so", ["so", "–", "and—", "so"]),
        ("extra\u00adordinary", ["extra", "ordinary"]),
        ("no\u200bwhere", ["no", "where"]),
        ("日本語。", ["日", "本", "語。"]),
        ("「日本」ok", ["「日", "本」", "ok"]),
        ("한국어 글", ["한국어", "글"]),
    ],
)
def test_breaks(text: str, pieces: list[str]) -> None:
    assert [word.text for word in words_of(text)] == pieces


@pytest.mark.parametrize("text", ["a  b", "  indented words", "x y z", "日本 go", "", "end "])
def test_a_whole_line_is_the_text_itself(text: str) -> None:
    assert line_text(words_of(text)) == text.rstrip(" ") or not text.strip()


def test_a_soft_hyphen_shows_only_at_the_end_of_a_line() -> None:
    words = words_of("extra\u00adordinary day")
    assert line_text(words) == "extraordinary day"
    assert line_text(words[:1]) == "extra-"


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("hello", "ltr"),
        ("שלום", "rtl"),
        ("123 مرحبا", "rtl"),
        ("12:30", "ltr"),
        ("\u2067שלום\u2069 hello", "ltr"),
        ("", "ltr"),
    ],
)
def test_the_first_strong_letter_gives_the_direction(text: str, way: str) -> None:
    assert way_of(text) == way


def test_words_of_marks_alone_have_no_direction() -> None:
    assert (strong_way("12,"), strong_way("ab"), strong_way("אב")) == (None, "ltr", "rtl")


@pytest.mark.parametrize(
    ("text", "first"), [("abc é ü 漢字", None), ("abc שלום", "ש"), ("नमस्ते", "न"), ("x\u0323", "\u0323")]
)
def test_what_needs_a_shaper(text: str, first: str | None) -> None:
    assert needs_shaping(text) == first
