"""Files that anyone may have written: what is not a whole LoRA of finite floats is refused with a sentence."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from triptych.adapters.lora import Words, read_lora, read_metadata, write_lora
from triptych.core.errors import FileProblem

TENSORS = {"a.lora_A.weight": torch.ones(2, 4), "a.lora_B.weight": torch.ones(4, 2), "a.alpha": torch.tensor(4)}


def test_what_is_written_is_read_back_with_its_words(tmp_path: Path) -> None:
    path = write_lora(tmp_path / "one.safetensors", TENSORS, {"triptych": '{"trigger": "zorp"}'})
    file = read_lora(path)
    assert file.name == "one.safetensors"
    assert torch.equal(file.tensors["a.lora_A.weight"], torch.ones(2, 4))
    assert file.tensors["a.alpha"].is_floating_point()
    assert Words.of(read_metadata(path)) == Words(trigger="zorp")
    again = write_lora(
        tmp_path / "two.safetensors", dict(reversed(TENSORS.items())), {"triptych": '{"trigger": "zorp"}'}
    )
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("words", ["", "[1]", "{", "null", '{"trigger": 3}', '{"trigger": "' + "x" * 200 + '"}'])
def test_odd_words_are_no_words(words: str) -> None:
    assert Words.of({"triptych": words}) == Words()


@pytest.mark.parametrize(
    ("words", "prompt", "plain"),
    [
        (Words("zorp", "fox"), "a Zorp in the snow, zorps", "a fox in the snow, zorps"),
        (Words("zorp style"), "a fox, zorp style, at night", "a fox, at night"),
        (Words("zorp style"), "a fox, zorp style", "a fox"),
        (Words("zorp style"), "zorp style, a fox", "a fox"),
        (Words("(x+", "a\\1b"), "two (x+ here", "two a\\1b here"),
        (Words(" "), "a fox", "a fox"),
    ],
)
def test_a_trigger_is_planned_as_what_it_stands_for(words: Words, prompt: str, plain: str) -> None:
    assert words.plain(prompt) == plain


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.full((2, 4), float("nan")), "not finite"),
        (torch.full((2, 4), float("inf"), dtype=torch.float16), "not finite"),
        (torch.ones(2, 4, dtype=torch.int64), "floating-point"),
        (torch.ones(2, 4, dtype=torch.bool), "floating-point"),
    ],
)
def test_numbers_that_no_lora_holds_are_refused(tmp_path: Path, tensor: torch.Tensor, message: str) -> None:
    path = write_lora(tmp_path / "odd.safetensors", {"x.lora_A.weight": tensor}, {})
    with pytest.raises(FileProblem, match=message):
        read_lora(path)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="no such file"):
        read_lora(tmp_path / "missing.safetensors")
    pickled = tmp_path / "pickled.safetensors"
    pickled.write_bytes(pickle.dumps({"x": 1}))
    whole = write_lora(tmp_path / "whole.safetensors", TENSORS, {})
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(whole.read_bytes()[:-7])
    for path in (pickled, cut):
        with pytest.raises(FileProblem, match=path.name):
            read_lora(path)
        with pytest.raises(FileProblem, match=path.name):
            read_metadata(path)
