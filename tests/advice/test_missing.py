"""What a task leaves to chance is offered, and what is said is not offered again."""

from __future__ import annotations

import pytest

from triptych.advice import advise


def offers(prompt: str) -> set[str]:
    return {one.what for one in advise(prompt).missing}


@pytest.mark.parametrize(
    ("prompt", "what"),
    [
        ("portrait of an old man", {"light", "composition"}),
        ("portrait of an old man, window light", {"composition"}),
        ("close-up portrait of an old man, window light", set()),
        ('YouTube thumbnail with the text "WOW"', {"composition", "contrast", "placement"}),
        ("thumbnail of a cat, close-up, bright yellow background", set()),
        ("infographic about bees", {"composition", "placement"}),
        ("infographic about bees, four steps in a row, the title at the top", set()),
        ("a cat on a mat", set()),
        ("a room with a portrait on the wall", set()),
    ],
)
def test_offers(prompt: str, what: set[str]) -> None:
    assert offers(prompt) == what


def test_an_instruction_is_offered_nothing() -> None:
    assert advise("make the portrait brighter", edit=True).missing == ()


def test_offers_never_change_the_prompt() -> None:
    advice = advise("portrait of an old man")
    assert advice.missing
    assert advice.rewritten == advice.prompt
