"""Places that words name."""

from __future__ import annotations

import pytest

from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.places import place_named, words_for
from triptych.scenes.wording import BACKGROUND_PHRASES


@pytest.mark.parametrize(("name", "phrase"), [(n, p) for n, phrases in BACKGROUND_PHRASES.items() for p in phrases])
def test_every_phrase_of_a_caption_names_its_place(name: str, phrase: str) -> None:
    assert place_named(f"Two red foxes {phrase}.") == name


def test_words_without_a_place_name_none() -> None:
    assert place_named("a red fox and three stars") == place_named("") is None
    assert place_named("a car in town") == "street"


def test_every_place_has_words() -> None:
    for name in BACKGROUNDS:
        assert place_named(words_for(name)) == name
    assert words_for("atlantis") == ""
