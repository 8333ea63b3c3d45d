from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import FileProblem
from triptych.text.tokenizer import PAD, START, Tokenizer, fold

WORDS = "a the two red fox cats on beach sign that says ice-cream"
TOKENIZER = Tokenizer(WORDS.split())


def labels(prompt: str, length: int = 64) -> list[str]:
    return list(TOKENIZER.encode(prompt, length).labels)[1:]


def test_known_words_are_one_token_in_any_case() -> None:
    assert labels("The RED fox") == ["the", "red", "fox"]
    assert labels("an Ice-Cream")[-1] == "ice-cream"


def test_quotes_and_unknown_words_are_spelled_between_different_marks() -> None:
    assert labels('sign that says "Open"') == ["sign", "that", "says", "<quote>", *"OPEN", "</quote>"]
    assert labels("sign that says 'go on'")[3:] == ["<quote>", *"GO ON", "</quote>"]
    assert labels("a yak") == ["a", "<spell>", *"YAK", "</spell>"]
    assert labels("red-hot") == ["red", "-", "<spell>", *"HOT", "</spell>"]


def test_apostrophes_of_words_are_no_quotes() -> None:
    assert labels("the fox's beach") == ["the", "fox", "beach"]
    assert "<quote>" not in labels("the cats' beach and the cats' sign")


@pytest.mark.parametrize("quoted", ["“FOX”", "«FOX»", "„FOX“", "‘FOX’", '"FOX"'])
def test_typographic_quotes_are_quotes(quoted: str) -> None:
    assert labels(f"sign {quoted}") == ["sign", "<quote>", *"FOX", "</quote>"]


def test_unicode_is_folded() -> None:
    assert labels("ﬁ ＦＯＸ") == ["<spell>", "F", "I", "</spell>", "fox"]
    assert labels('"CAFÉ ½"') == ["<quote>", *"CAFE 1", "<unknown>", "2", "</quote>"]
    assert labels("a\u200b\x00fox\u00a0red") == ["a", "fox", "red"]
    assert labels("🦊") == ["<unknown>"]


def test_digits_and_punctuation() -> None:
    assert labels("12 cats, red!") == ["1", "2", "cats", ",", "red", "!"]


def test_a_number_may_be_a_word_of_the_world() -> None:
    counting = Tokenizer(["2", "cats"])
    first, second = counting.encode("2 cats", 3).ids[1:], counting.encode("12 cats", 4).ids[1:]
    assert first == (len(counting) - 2, len(counting) - 1)
    assert second[:2] == Tokenizer([]).encode("12", 3).ids[1:]


def test_spans_are_those_of_the_prompt_as_typed() -> None:
    prompt = "Ａ ｒｅｄ  fox’s “Ünï”"
    encoded = TOKENIZER.encode(prompt, 64)
    spans = dict(zip(encoded.labels, encoded.spans, strict=True))
    assert encoded.spans[0] == (0, 0)
    assert prompt[slice(*spans["red"])] == "ｒｅｄ"
    assert prompt[slice(*spans["fox"])] == "fox"
    assert prompt[slice(*spans["U"])] == "Ü"
    assert prompt[slice(*spans["N"])] == "n"


def test_empty_prompt_is_the_start_mark_alone() -> None:
    for prompt in ("", "  \n\t", "\x00"):
        encoded = TOKENIZER.encode(prompt, 8)
        assert encoded.ids == (START, *[PAD] * 7)
        assert not encoded.truncated


def test_length_is_kept_and_cutting_is_told() -> None:
    assert not TOKENIZER.encode("a red fox", 4).truncated
    cut = TOKENIZER.encode("a red fox", 3)
    assert cut.truncated
    assert cut.labels == ("<start>", "a", "red")
    assert len(TOKENIZER.encode("fox " * 2500, 40).ids) == 40


def test_training_may_spell_known_words() -> None:
    encoded = TOKENIZER.encode("a red fox", 16, spell=lambda number: number == 1)
    assert encoded.labels == ("<start>", "a", "<spell>", *"RED", "</spell>", "fox")


def test_json_round_trip() -> None:
    again = Tokenizer.from_json(json.loads(json.dumps(TOKENIZER.as_json())))
    assert again.encode('two RED cats "HI"', 20) == TOKENIZER.encode('two RED cats "HI"', 20)
    assert len(again) == len(TOKENIZER)


@pytest.mark.parametrize("data", [None, {}, [], {"kind": "bpe"}, {"kind": "words-and-characters", "characters": "AB"}])
def test_a_foreign_vocabulary_is_refused(data: object) -> None:
    with pytest.raises(FileProblem):
        Tokenizer.from_json(data)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.integers(1, 50))
def test_no_prompt_is_rejected(prompt: str, length: int) -> None:
    encoded = TOKENIZER.encode(prompt, length)
    assert len(encoded.ids) == length
    assert all(0 <= token < len(TOKENIZER) for token in encoded.ids)
    assert len(encoded.spans) == len(encoded.labels) <= length
    assert all(0 <= start <= end <= len(prompt) for start, end in encoded.spans)


@given(st.text(max_size=60))
def test_every_folded_character_has_an_origin(prompt: str) -> None:
    folded = fold(prompt)
    assert len(folded.text) == len(folded.origin)
    assert list(folded.origin) == sorted(folded.origin)
