"""What a library tells about LoRAs before anything is painted: what does not fit, other weights, words of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from tests.adapters.lora.making import named, pairs_for, peft

from triptych.adapters.lora import write_lora
from triptych.core.asset import FileAsset
from triptych.core.errors import InvalidRequest
from triptych.core.events import Finished
from triptych.core.inputs import Lora
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library

ODD = {"nowhere.lora_A.weight": torch.ones(1, 4), "nowhere.lora_B.weight": torch.ones(4, 1)}


def made(library: Library, folder: Path, words: dict[str, str], extra: dict[str, torch.Tensor] | None = None) -> Lora:
    network = library.family("flow").network  # type: ignore[attr-defined]
    tensors = named(pairs_for(network), peft("transformer.")) | (extra or {})
    path = write_lora(folder / "some.safetensors", tensors, {"triptych": json.dumps(words)})
    return Lora(file=FileAsset.of(path))


def painted(library: Library, request: Request) -> Finished:
    return Engine(library).generate_many([request])[0][0]


def test_what_does_not_fit_is_noted_and_a_whole_match_is_silent(tiny_library: Library, tmp_path: Path) -> None:
    sha = tiny_library.parts.sha("flow")
    whole = made(tiny_library, tmp_path, {"base": "flow", "base_sha256": sha})
    assert painted(tiny_library, Request(prompt="a red circle", seed=1, steps=1, loras=(whole,))).notes == ()
    (tmp_path / "other").mkdir()
    odd = made(tiny_library, tmp_path / "other", {"base": "flow", "base_sha256": "0" * 64}, ODD)
    notes = painted(tiny_library, Request(prompt="a red circle", seed=1, steps=1, loras=(odd,))).notes
    assert [note.parameter for note in notes] == ["loras", "loras"]
    assert "nowhere" in notes[0].text
    assert "other weights of flow" in notes[1].text


def test_a_trigger_is_planned_as_what_it_stands_for(tiny_library: Library, tmp_path: Path) -> None:
    lora = made(tiny_library, tmp_path, {"trigger": "zorp", "stands_for": "circle"})
    plain = painted(tiny_library, Request(prompt="a red circle", seed=5, steps=1))
    spoken = painted(tiny_library, Request(prompt="a red zorp", seed=5, steps=1, loras=(lora,)))
    assert spoken.plan == plain.plan
    assert spoken.notes == ()
    unknown = painted(tiny_library, Request(prompt="a red zorp", seed=5, steps=1))
    assert any("zorp" in note.text for note in unknown.notes)


def test_a_lora_of_another_model_is_refused_before_painting(tiny_library: Library, tmp_path: Path) -> None:
    path = write_lora(tmp_path / "odd.safetensors", ODD, {})
    request = Request(prompt="a red circle", loras=(Lora(file=FileAsset.of(path)),))
    with pytest.raises(InvalidRequest, match="another model"):
        Engine(tiny_library).submit(request)
