"""The grammar of edits: every symbol it allows keeps the edit well formed, and pointers point at what was said."""

from __future__ import annotations

import json
import random

import pytest

from triptych.core.errors import FileProblem
from triptych.core.plan import Plan, PlanObject
from triptych.planning.edit_tokens import ALL, ANY, NONE, THING, WHICH, EditTokens, Seen, follows, walk

TOKENS = EditTokens(
    ("fox", "car"), ("red", "blue"), ("snow", "night"), ("left",), ("top",), {"fox": "red"}, ("make", "the")
)
THINGS = (Seen("fox", "red"), Seen("fox", "blue"), Seen("car", None))


@pytest.mark.parametrize("seed", range(60))
def test_any_walk_along_the_grammar_is_an_edit_and_no_part_of_it_is(seed: int) -> None:
    chance, symbols = random.Random(seed), []
    grammar = walk(TOKENS, THINGS)
    allowed = next(grammar)
    while True:
        symbols.append(chance.choice(allowed))
        try:
            allowed = grammar.send(symbols[-1])
        except StopIteration:
            break
    assert follows(TOKENS, THINGS, symbols)
    assert not any(follows(TOKENS, THINGS, symbols[:length]) for length in range(len(symbols)))
    assert not follows(TOKENS, THINGS, [*symbols, ANY])
    assert all(isinstance(symbol, int) or symbol in TOKENS for symbol in symbols)


@pytest.mark.parametrize(
    ("noun", "colour", "allowed"),
    [
        ("fox", "blue", (1,)),
        ("fox", ANY, (WHICH, ALL, 0, 1)),
        ("car", "red", (NONE,)),
        ("car", ANY, (2,)),
        (THING, ANY, (WHICH, ALL, 0, 1, 2)),
        (THING, "red", (0,)),
    ],
)
def test_a_pointer_names_only_what_the_words_before_it_fit(
    noun: str, colour: str, allowed: tuple[str | int, ...]
) -> None:
    grammar = walk(TOKENS, THINGS)
    next(grammar)
    for symbol in ("op:remove", noun):
        grammar.send(symbol)
    assert grammar.send(colour) == allowed


def test_a_thing_shows_its_own_colour_or_its_nouns() -> None:
    box = (0.0, 0.0, 0.5, 0.5)
    plan = Plan(objects=(PlanObject(noun="fox", box=box), PlanObject(noun="car", colour="blue", box=box)))
    assert TOKENS.seen(plan) == (Seen("fox", "red"), Seen("car", "blue"))


def test_a_noun_as_word_and_as_symbol_is_one_and_unknown_names_are_unknown() -> None:
    assert len(TOKENS.names) == len(set(TOKENS.names)) == len(TOKENS)
    assert TOKENS.id("zebra") == TOKENS.id("<?>") != TOKENS.id("fox")
    assert TOKENS.id(None) == TOKENS.id(ANY)


def test_what_is_stored_is_read_again_and_nothing_else() -> None:
    again = EditTokens.from_json(json.loads(json.dumps(TOKENS.as_json())))
    assert again.names == TOKENS.names
    assert again.natural == TOKENS.natural
    with pytest.raises(FileProblem, match="editor"):
        EditTokens.from_json({"kind": "plan-tokens"})
