from __future__ import annotations

import time

from hypothesis import assume, given
from hypothesis import strategies as st

from triptych.core import infotext

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
KEYS = st.from_regex(r"\A[A-Za-z][A-Za-z \-]{0,20}[A-Za-z]\Z")


@given(prompt=TEXT, negative=TEXT, pairs=st.dictionaries(KEYS, TEXT, min_size=3, max_size=8))
def test_what_is_written_is_read(prompt: str, negative: str, pairs: dict[str, str]) -> None:
    # The scheme has no way to quote its own marker at the start of a line of the prompt.
    assume(not any(line.startswith(infotext.NEGATIVE) for line in prompt.split("\n")))
    found = infotext.parse(infotext.write(prompt, negative, pairs))
    assert (found.prompt, found.negative, found.pairs) == (prompt, negative, pairs)


def test_values_with_separators_are_json_quoted() -> None:
    text = infotext.write("a fox", "", {"Steps": 3, "Seed": 7, "Lora hashes": 'a: b, "c"'})
    assert text == 'a fox\nSteps: 3, Seed: 7, Lora hashes: "a: b, \\"c\\""'


def test_text_of_another_program_is_read() -> None:
    found = infotext.parse(
        "masterpiece, (a fox:1.2), <lora:x:0.8>\nin snow\n"
        "Negative prompt: lowres, bad hands\nugly\n"
        "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x768, "
        'Model hash: 6ce0161689, Model: v1-5, Lora hashes: "x: 0a1b2c", Hashes: {"model": "6ce0", "lora:x": "ab"}, '
        "Version: v1.10.1"
    )
    assert found.prompt == "masterpiece, (a fox:1.2), <lora:x:0.8>\nin snow"
    assert found.negative == "lowres, bad hands\nugly"
    assert found.pairs["Sampler"] == "DPM++ 2M"
    assert found.pairs["Lora hashes"] == "x: 0a1b2c"
    assert found.pairs["Hashes"] == '{"model": "6ce0", "lora:x": "ab"}'
    assert found.pairs["Version"] == "v1.10.1"


def test_fewer_than_three_pairs_are_prompt() -> None:
    assert infotext.parse("a fox\nmood: calm, light: soft").prompt == "a fox\nmood: calm, light: soft"
    assert infotext.parse("a fox").pairs == {}


def test_settings_without_a_prompt() -> None:
    found = infotext.parse("Steps: 1, Seed: 2, Size: 8x8")
    assert found.prompt == ""
    assert found.pairs["Size"] == "8x8"


def test_hostile_text_is_read_in_linear_time() -> None:
    start = time.perf_counter()
    for text in ("a" * 60_000, "a " * 30_000, 'a:"' * 20_000, 'a: "\\' * 15_000, "{" * 60_000, "a:{" * 20_000):
        infotext.parse(text)
    assert time.perf_counter() - start < 5
