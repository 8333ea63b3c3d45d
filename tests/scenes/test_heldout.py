"""The held-out combinations are diagonals: every colour and every count is still learnt with something."""

from __future__ import annotations

from triptych.scenes.colours import COLOURS
from triptych.scenes.heldout import (
    colour_of_count_is_heldout,
    colour_of_noun_is_heldout,
    is_heldout,
    sign_is_heldout,
)
from triptych.scenes.levels import LEVELS
from triptych.scenes.nouns import NOUNS
from triptych.scenes.signs import SIGN_WORDS


def test_each_noun_lacks_at_most_one_colour_and_each_colour_a_few_nouns() -> None:
    for noun in NOUNS:
        assert sum(colour_of_noun_is_heldout(noun, colour) for colour in COLOURS) <= 1
    for colour in COLOURS:
        lacking = sum(colour_of_noun_is_heldout(noun, colour) for noun in NOUNS)
        assert 3 <= lacking <= 25, colour


def test_the_small_level_holds_some_out() -> None:
    small = LEVELS["small"]
    pairs = [(n, c) for n in small.nouns for c in small.colours if colour_of_noun_is_heldout(n, c)]
    assert 8 <= len(pairs) <= 32


def test_each_colour_lacks_exactly_one_count_and_never_one() -> None:
    for colour in COLOURS:
        assert [colour_of_count_is_heldout(colour, count) for count in range(1, 7)].count(True) == 1
        assert not colour_of_count_is_heldout(colour, 1)


def test_natural_colours_are_never_held_out() -> None:
    assert not any(noun.natural and colour_of_noun_is_heldout(noun.name, noun.natural) for noun in NOUNS.values())
    assert not is_heldout("fox", None, 3)


def test_an_eighth_of_the_sign_words_in_any_case() -> None:
    held = [word for word in SIGN_WORDS if sign_is_heldout(word)]
    assert 0.05 < len(held) / len(SIGN_WORDS) < 0.25
    assert all(sign_is_heldout(word.lower()) for word in held)


def test_the_choice_is_fixed() -> None:
    """These are what models were never shown; the list may grow with the world but may not change."""
    small = LEVELS["small"]
    pairs = sorted(f"{c} {n}" for n in small.nouns for c in small.colours if colour_of_noun_is_heldout(n, c))
    assert pairs == [
        "blue fox",
        "blue tree",
        "blue umbrella",
        "green cake",
        "green fish",
        "green mushroom",
        "orange owl",
        "purple bus",
        "purple dog",
        "purple house",
        "red bird",
        "red penguin",
        "red star",
        "yellow balloon",
        "yellow heart",
    ]
