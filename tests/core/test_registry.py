from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.registry import Card, Registry, write_card

CAPABILITIES = Capabilities(family="flow", native_size=(64, 64))


def build(
    root: Path, name: str, *, capabilities: Capabilities | None = CAPABILITIES, parts: tuple[str, ...] = ()
) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    save_file({"a": np.arange(len(name), dtype=np.float32)}, folder / "model.safetensors")
    write_card(folder, Card(name=name, description=f"the {name}", capabilities=capabilities, parts=parts))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    build(tmp_path, "flow", parts=("text",))
    build(tmp_path, "tiny")
    build(tmp_path, "text", capabilities=None)
    return tmp_path


@pytest.fixture
def registry(root: Path) -> Registry:
    return Registry().add_folder(root)


def test_lists_models_without_parts(registry: Registry) -> None:
    assert [card.name for card in registry.models()] == ["flow", "tiny"]
    assert registry.find("text").card.family == "part"
    with pytest.raises(FileProblem, match="a part of other models"):
        registry.capabilities("text")


def test_an_unknown_model_names_close_ones(registry: Registry) -> None:
    with pytest.raises(
        FileProblem, match=r"there is no model 'flwo'; did you mean 'flow'\? \(known: flow, tiny\)"
    ) as caught:
        registry.find("flwo")
    assert caught.value.exit_code == 3
    with pytest.raises(FileProblem, match="no model is installed"):
        Registry().find("flow")


@pytest.mark.parametrize("part", ["flow", "text"])
def test_missing_truncated_and_altered_weights(registry: Registry, root: Path, part: str) -> None:
    path = root / part / "model.safetensors"
    whole = path.read_bytes()
    altered = bytearray(whole)
    altered[-1] ^= 1
    for damage, message in ((whole[:-2], "truncated"), (bytes(altered), "was altered"), (None, "missing")):
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
        with pytest.raises(FileProblem, match=message):
            registry.check("flow")
        path.write_bytes(whole)
    registry.check("flow")


def test_the_hash_of_a_model_covers_its_parts(registry: Registry, root: Path) -> None:
    before = registry.weights_sha256("flow"), registry.weights_sha256("tiny")
    assert before[0] != before[1]
    save_file({"a": np.ones(9, np.float32)}, root / "text" / "model.safetensors")
    write_card(root / "text", Card.read(root / "text"))
    again = Registry().add_folder(root)
    assert again.weights_sha256("flow") != before[0]
    assert again.weights_sha256("tiny") == before[1]


def test_a_missing_part_is_named(registry: Registry, root: Path) -> None:
    registry.register(Card(name="odd", capabilities=CAPABILITIES, parts=("nothing",)))
    with pytest.raises(FileProblem, match="'nothing'"):
        registry.check("odd")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "at name"),
        ('{"name": "../up"}', "at name"),
        ('{"name": "a", "surprise": 1}', "at surprise"),
    ],
)
def test_cards_that_are_none(tmp_path: Path, data: str, message: str) -> None:
    (tmp_path / "card.json").write_text(data)
    with pytest.raises(FileProblem, match=message):
        Card.read(tmp_path)


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "a/../../model.safetensors", "model.ckpt"])
def test_a_card_cannot_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    folder = build(tmp_path, "flow")
    card: dict[str, Any] = json.loads((folder / "card.json").read_text())
    card["files"] = {name: card["files"]["model.safetensors"]}
    (folder / "card.json").write_text(json.dumps(card))
    with pytest.raises(FileProblem, match="own folder"):
        Registry().add_folder(tmp_path).check("flow")


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert Registry().add_folder(tmp_path / "nothing").models() == []
