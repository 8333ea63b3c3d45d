from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.text.synonyms import SYNONYMS, nearest, resolve

WORDS = """
    a an the and with on at two three says cat cats rabbit rabbits car cars dog house houses mouse mice
    butterfly butterflies fox foxes red blue beach umbrella sign apple guitar
"""
KNOWN = frozenset(WORDS.split())


@pytest.mark.parametrize(
    ("word", "close"),
    [
        ("kitten", "cat"),
        ("kittens", "cats"),
        ("bunny", "rabbit"),
        ("bunnies", "rabbits"),
        ("automobile", "car"),
        ("lorry", "car"),
        ("moths", "butterflies"),
        ("rats", "mice"),
        ("wolves", "foxes"),
        ("crimson", "red"),
        ("seaside", "beach"),
        ("umbrela", "umbrella"),
        ("guiatr", "guitar"),
        ("haouse", "house"),
        ("2", "two"),
    ],
)
def test_close_known_word(word: str, close: str) -> None:
    assert nearest(word, KNOWN) == close


@pytest.mark.parametrize("word", ["horse", "mouth", "xylophone", "cra", "quixotic", "12", "goat"])
def test_words_that_are_left_alone(word: str) -> None:
    assert nearest(word, KNOWN) is None


def test_a_plural_falls_back_to_the_singular() -> None:
    assert nearest("hounds", KNOWN) == "dog"
    assert nearest("apples", KNOWN) == "apple"


def test_prompt_is_rewritten_with_a_note_each() -> None:
    prompt, notes = resolve("An automobile and two Kittens at the seaside", KNOWN)
    assert prompt == "A car and two cats at the beach"
    assert [note.text for note in notes] == [
        "'automobile' is read as 'car'",
        "'kittens' is read as 'cats'",
        "'seaside' is read as 'beach'",
    ]
    assert {(note.parameter, note.action) for note in notes} == {("prompt", "translated")}


def test_articles_follow() -> None:
    assert resolve("a parasol", KNOWN)[0] == "an umbrella"
    assert resolve("banana hound", KNOWN)[0] == "banana dog"


def test_quotes_and_known_words_stay() -> None:
    prompt = 'The  RED fox says "kitten", ‘bunny’'
    assert resolve(prompt, KNOWN) == (prompt, [])


def test_possessives_and_numbers() -> None:
    assert resolve("the bunny’s 3 12 house", KNOWN)[0] == "the rabbit’s three 12 house"


def test_repeated_words_get_one_note() -> None:
    prompt, notes = resolve("kitten kitten", KNOWN)
    assert prompt == "cat cat"
    assert len(notes) == 1


def test_a_table_in_a_circle_ends() -> None:
    assert nearest("here", {"x"}, {"here": "there", "there": "here"}) is None


def test_table_is_large_and_leads_away_from_its_words() -> None:
    assert len(SYNONYMS) >= 150
    assert all(word != known for word, known in SYNONYMS.items())


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
def test_any_text_passes_and_what_has_no_note_is_unchanged(prompt: str) -> None:
    resolved, notes = resolve(prompt, KNOWN)
    assert notes or resolved == prompt
