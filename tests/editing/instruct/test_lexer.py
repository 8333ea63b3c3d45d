"""Instructions as words of the editor: plurals, other words, numbers, quotes, and what is not known."""

from __future__ import annotations

import pytest

from triptych.editing.instruct import phrases
from triptych.editing.instruct.lexer import VERBS, lex, tokens_of
from triptych.scenes.levels import LEVELS

TOKENS = tokens_of(LEVELS["full"])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Make the kittens crimson!", "make the cat +s red"),
        ("remove 2 of the foxes", "remove two of the fox +s"),
        ("the fox's colour", "the fox colour"),
        ("nudge the wolf left", "move the fox left"),
        ("add a red-hot fox; then a moth.", "add a red <?> fox , then a butterfly"),
        ("put it under the stars", "put it under the star +s"),
        ("make it night", "make it night"),
    ],
)
def test_words_become_those_that_the_editor_knows(text: str, names: str) -> None:
    assert lex(text, TOKENS).names == tuple(names.split())


def test_quotes_are_handed_out_and_unknown_words_named() -> None:
    found = lex('make the sign say "Open 24" and brighter', TOKENS)
    assert found.quotes == ("Open 24",)
    assert found.names.count("<quote>") == 1
    assert found.unknown == ("brighter",)


def test_what_is_read_as_another_word_is_told() -> None:
    assert ("wolf", "fox") in lex("make the wolf blue", TOKENS).mapped
    assert lex("make 2 foxes blue", TOKENS).mapped == ()


def test_every_verb_of_the_table_leads_to_a_word_that_is_learned() -> None:
    assert all(known in TOKENS for known in VERBS.values())
    assert not any(word in TOKENS for word in VERBS)


def test_every_wording_to_learn_from_is_known_word_by_word() -> None:
    blanks = dict.fromkeys(("the", "new", "more", "many", "fewer", "counted", "other", "what", "odd"), "the fox")
    blanks |= dict.fromkeys(("spot", "to", "way", "place", "at", "before", "from", "lit", "n"), "")
    blanks |= {"c": "red", "quote": '"A"'}
    for table in phrases.TRAIN.values():
        for wording in table:
            assert lex(wording.format(**blanks), TOKENS).unknown == (), wording


def test_no_held_out_wording_is_learned_from() -> None:
    assert set(phrases.HELD_OUT) <= set(phrases.TRAIN)
    for op, wordings in phrases.HELD_OUT.items():
        assert not set(wordings) & set(phrases.TRAIN[op]), op
