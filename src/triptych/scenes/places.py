"""Which place of the world words name, if any: "a fox in the woods" names the forest, "a fox" none."""

from __future__ import annotations

import re

from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.nouns import NOUNS
from triptych.scenes.wording import BACKGROUND_PHRASES, BACKGROUND_SYNONYMS

_THINGS = {word for noun in NOUNS.values() for word in (noun.name, noun.plural)}
"""Words that name a thing before a place: "three stars" are not the night."""


def place_named(words: str) -> str | None:
    """The background that the words name, by a caption's phrase, its own name or a synonym; None if they name none.

    A phrase counts more than a single word, since "the sea" is part of "on the sand by the sea".
    """
    said = " ".join(re.findall(r"[a-z]+", words.lower()))
    padded = f" {said} "
    phrases = [(phrase, name) for name, options in BACKGROUND_PHRASES.items() for phrase in options]
    for phrase, name in sorted(phrases, key=lambda pair: -len(pair[0])):
        if f" {phrase} " in padded:
            return name
    for word in said.split():
        if word in _THINGS:
            continue
        if word in BACKGROUNDS:
            return word
        if word in BACKGROUND_SYNONYMS:
            return BACKGROUND_SYNONYMS[word]
    return None


def words_for(place: str) -> str:
    """How a caption would name a background; nothing for an unknown one."""
    return BACKGROUND_PHRASES[place][0] if place in BACKGROUND_PHRASES else ""
