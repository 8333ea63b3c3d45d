"""The grammar reads words, phrases, owners and negations of prompts, over any nouns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.advice.grammar import Phrase, parse
from triptych.advice.grammar.tagging import singular, verb_base


def phrases(prompt: str) -> list[Phrase]:
    return list(parse(prompt).phrases)


def tags(prompt: str) -> dict[str, str]:
    return {token.text: token.tag for token in parse(prompt).tokens}


def test_a_phrase_has_its_number_attributes_and_head() -> None:
    (phrase,) = phrases("three very old wooden fishing boats")
    assert phrase.noun == "boat"
    assert phrase.number is not None
    assert phrase.number.text == "three"
    assert {"old", "wooden"} <= {token.text for token in phrase.attributes}
    assert phrase.plural


@pytest.mark.parametrize(
    ("prompt", "heads"),
    [
        ("a zorblax on a glimmering quondle", ["zorblax", "quondle"]),
        ("a small, round wooden table", ["table"]),
        ("a black and white photo of a street", ["photo", "street"]),
        ("nine red, white and blue balloons", ["balloon"]),
        ("the captain's left shoulder", ["captain", "shoulder"]),
        ("a boy walking a dog along the pier", ["boy", "dog", "pier"]),
    ],
)
def test_heads_of_phrases(prompt: str, heads: list[str]) -> None:
    assert [phrase.noun for phrase in phrases(prompt)] == heads


def test_clothes_and_parts_belong_to_whoever_wears_or_has_them() -> None:
    found = phrases("a man in a blue suit and a woman with red hair and a green scarf near a green car")
    owners = {phrase.noun: found[phrase.owner].noun for phrase in found if phrase.owner is not None}
    assert owners == {"suit": "man", "hair": "woman", "scarf": "woman"}


def test_a_colour_that_stands_for_clothes_has_an_owner() -> None:
    found = phrases("striker in orange, goalkeeper in white")
    assert [found[phrase.owner].noun for phrase in found if phrase.owner is not None] == ["striker", "goalkeeper"]


@pytest.mark.parametrize(
    ("prompt", "word", "tag"),
    [
        ("a smiling woman", "smiling", "ADJ"),
        ("a woman smiling at us", "smiling", "VERB"),
        ("a stone building", "building", "NOUN"),
        ("a man carving a spoon", "carving", "VERB"),
        ("a wood carving", "carving", "NOUN"),
        ("the boy looks left", "looks", "VERB"),
        ("street lights", "lights", "NOUN"),
        ("a hidden door", "hidden", "ADJ"),
        ("she is hidden by ivy", "hidden", "VERB"),
        ("he left the room", "left", "VERB"),
        ("her left hand", "left", "ADJ"),
        ("a lovely butterfly", "lovely", "ADJ"),
        ("a quickly drawn sketch", "quickly", "ADV"),
        ("isn't smiling", "isn't", "NEG"),
        ("let her sit", "her", "PRON"),
        ("her seat", "her", "DET"),
    ],
)
def test_words_are_what_their_neighbours_make_them(prompt: str, word: str, tag: str) -> None:
    assert tags(prompt)[word] == tag


def test_quotations_of_every_kind_are_one_token() -> None:
    for quotation in ('"OPEN LATE"', "“Open late”", "'Lindqvist Bakery'", "«Ouvert»"):
        assert tags(f"a sign saying {quotation} at night")[quotation] == "QUOTE"
    assert "QUOTE" not in tags("the dogs' bowls and the cat's bed").values()


@pytest.mark.parametrize(
    ("plural", "one"),
    [("mice", "mouse"), ("boxes", "box"), ("cherries", "cherry"), ("glass", "glass"), ("people", "person"),
     ("shoes", "shoe"), ("movies", "movie"), ("bus", "bus"), ("tomatoes", "tomato"), ("horses", "horse")],
)  # fmt: skip
def test_ground_forms_of_nouns(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize(
    ("form", "base"), [("sitting", "sit"), ("carries", "carry"), ("hidden", "hide"), ("waved", "wave"), ("zorbing", "")]
)
def test_ground_forms_of_verbs(form: str, base: str) -> None:
    assert verb_base(form) == base


@given(st.text(max_size=200))
def test_any_text_is_read_and_every_token_stands_where_it_says(text: str) -> None:
    past = 0
    for token in parse(text).tokens:
        assert text[token.start : token.end] == token.text
        assert token.start >= past
        past = token.end
    assert not text[past:].strip()


WORDS = st.sampled_from(
    [
        "a",
        "the",
        "no",
        "without",
        "two",
        "three",
        "cat",
        "cats",
        "dog",
        "red",
        "left",
        "right",
        "of",
        "in",
        "with",
        "his",
        "hand",
        "holding",
        "not",
        "keep",
        "change",
        ",",
        ".",
        "and",
        "sign",
        "'OPEN'",
        "tiny",
        "behind",
        "mirror",
    ]
)


@given(st.lists(WORDS, max_size=14))
def test_phrases_do_not_overlap_and_owners_come_before(words: list[str]) -> None:
    for sentence in parse(" ".join(words)).sentences:
        past = -1
        for phrase in sentence.phrases:
            assert phrase.first > past
            past = phrase.last
            assert phrase.owner is None or phrase.owner < phrase.index
