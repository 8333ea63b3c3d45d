"""Each challenge: what it finds, what it leaves alone, and what it makes of it. Labels in numbers: test_measure.py."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.advice import advise
from triptych.advice.adviser import applied
from triptych.advice.challenges import RULES, rules_for
from triptych.advice.grammar import parse
from triptych.core.request import MAX_PROMPT


def rewritten(prompt: str, challenge: str, *, edit: bool = False) -> str:
    """The prompt with the rewrites of one challenge."""
    return applied(prompt, rules_for(edit=edit)[challenge](parse(prompt)))


@pytest.mark.parametrize(
    ("challenge", "prompt", "better"),
    [
        ("negation", "a kitchen with no windows", "a windowless kitchen"),
        ("negation", "portrait of a king without a crown", "portrait of a bareheaded king"),
        ("negation", "a beach with no people on it", "a deserted beach"),
        ("negation", "a boy not wearing shoes", "a barefoot boy"),
        ("negation", "a dog that isn't wearing a collar", "a collar-free dog"),
        ("negation", "an old man, not smiling", "an old man, with a neutral expression"),
        ("left_right", "a cup left of me", "a cup beside me, on the side nearer the left edge of the frame"),
        ("left_right", "a boy looking left", "a boy looking toward the left edge of the frame"),
        ("left_right", "her left hand", "her hand nearer the right edge of the frame"),
        ("left_right", "her left leg, from behind", "her leg nearer the left edge of the frame, from behind"),
        ("scale", "a giant teacup", "a teacup, as tall as a house"),
        ("scale", "a tiny owl", "an owl, no bigger than a matchbox"),
        ("scale", "a tiny house beside a mug", "a house beside a mug ten times its size"),
        ("text", "a sign saying OPEN", 'a sign saying "OPEN" in large plain letters'),
        ("occlusion", "a lollipop in mouth", "lips closed around the stick of a lollipop"),
        ("occlusion", "a girl behind a curtain", "a curtain in front, and past the edge of it only a part of the girl"),
        ("hands", "a child waving at us", "a child waving, one open palm raised, fingers together, at us"),
        ("attribute_mixing", "a red car next to a blue bus", "a car next to a bus. The car is red. The bus is blue"),
        ("attribute_mixing", "man in blue, woman in red", "man, woman. The man is in blue. The woman is in red"),
        (
            "attribute_mixing",
            "a knight in silver armor facing a knight in black armor",
            "a knight facing a knight. One knight wears silver armor. The other knight wears black armor",
        ),
    ],
)  # fmt: skip
def test_rewrites(challenge: str, prompt: str, better: str) -> None:
    assert rewritten(prompt, challenge) == better


@pytest.mark.parametrize("number", [3, 4, 7, 12])
def test_a_number_gets_a_place_for_each(number: int) -> None:
    prompt = f"{number} cats on a mat"
    better = rewritten(prompt, "counting")
    assert better.startswith(f"{number} cats, ")
    assert not list(RULES["counting"](parse(better)))


def test_text_that_is_too_long_is_said_to_be() -> None:
    (short,) = advise('a mug printed with "HELLO"', "hybrid").findings
    (long,) = advise('a mug printed with "HELLO THERE MY DEAR OLD FRIEND FROM LISBON"', "hybrid").findings
    assert (short.severity, long.severity) == ("low", "high")
    assert "7 words" in long.reason or "8 words" in long.reason


def test_the_conflict_of_the_texts_gets_the_cure_of_the_texts() -> None:
    prompt = "Keep this image the same but change the t-shirt to a blue polo."
    advice = advise(prompt, edit=True)
    assert {finding.challenge for finding in advice.findings} == {"keep_change_conflict", "edit_vs_regenerate"}
    assert advice.rewritten.startswith(
        "Keep everything in this image except the t-shirt. Change the t-shirt to a blue polo."
    )
    assert not any(
        finding.challenge == "keep_change_conflict" for finding in advise(advice.rewritten, edit=True).findings
    )


@pytest.mark.parametrize(
    "prompt",
    [
        "keep everything except the mug; replace the mug with a vase",
        "Keep the face unchanged and recolour the curtains",
        "remove the bin, leave the rest alone",
    ],
)
def test_a_named_exception_is_no_conflict(prompt: str) -> None:
    assert not advise(prompt, edit=True).findings


def test_an_instruction_is_known_by_its_form() -> None:
    assert advise("Keep this image the same but make the car red").edit
    assert not advise("a man who keeps bees").edit


def test_words_in_quotes_are_no_description() -> None:
    found = advise('a sign saying "NO LEFT TURN, 3 GIANT HANDS BEHIND THE MIRROR"').findings
    assert [finding.challenge for finding in found] == ["text"]


def test_a_prompt_said_well_is_left_alone() -> None:
    prompt = "a red fox asleep in the snow, soft morning light"
    advice = advise(prompt)
    assert advice.findings == ()
    assert advice.rewritten == prompt


@settings(max_examples=150)
@given(st.text(max_size=120))
def test_any_text_gets_findings_inside_of_it(text: str) -> None:
    for edit in (False, True):
        for finding in advise(text, edit=edit).findings:
            assert 0 <= finding.start < finding.end <= len(text)


PARTS = st.sampled_from(
    [
        "three cats",
        "a red car",
        "a blue bus",
        "no windows",
        "without a hat",
        "her left hand",
        "on the right",
        "a giant mug",
        "a mirror",
        "floating",
        "behind a curtain",
        "a sign saying OPEN",
        "and",
        ",",
        ".",
        "a man in green",
        "a woman in white",
        "waving",
        "keep the image",
        "change the sky",
        "but",
        "5 owls",
        "the reflection in the lake",
        "'HI'",
    ]
)


@settings(max_examples=150)
@given(st.lists(PARTS, min_size=1, max_size=8), st.booleans())
def test_rewriting_ends_and_its_result_can_be_advised_again(parts: list[str], edit: bool) -> None:
    first = advise(" ".join(parts), edit=edit)
    again = advise(first.rewritten, edit=edit)
    assert len(again.rewritten) < 40 * (len(first.prompt) + 40)


@pytest.mark.parametrize(
    "unit",
    ["three red cats left of a blue dog, ", "a ", "'a'b", "red ", "no cats and ", "keep it and change it, ", "-", "('"],
)
def test_the_longest_prompts_are_read_in_a_moment(unit: str) -> None:
    prompt = (unit * MAX_PROMPT)[:MAX_PROMPT]
    before = time.process_time()
    advise(prompt, edit=True)
    assert time.process_time() - before < 4
