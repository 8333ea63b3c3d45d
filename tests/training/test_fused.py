"""Models with LoRAs in their weights: the same pixels as attached, and the original files beside them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.adapters.lora.making import lora_for, named, pairs_for, peft

from triptych.adapters.lora import write_lora
from triptych.core.asset import FileAsset
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.inputs import Lora
from triptych.core.recipe import pixels_sha256
from triptych.core.registry import Card, Registry
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library
from triptych.training.fused import UNFUSED, write_fused

MODELS = ["flow", "diffusion", "tokens"]


@pytest.mark.parametrize("model", MODELS)
def test_a_fused_folder_paints_what_the_attached_loras_paint(tiny_folder: Path, tmp_path: Path, model: str) -> None:
    registry = Registry().add_folder(tiny_folder)
    network = Library(registry).family(model).network  # type: ignore[attr-defined]
    loras = (lora_for(network, tmp_path, seed=1, scale=0.6), lora_for(network, tmp_path, seed=2, scale=-0.2))
    folder = tmp_path / "fused"
    reports = write_fused(registry, model, loras, folder, "with-two")
    assert all(report.whole for report in reports)
    original = registry.find(model).folder
    assert original is not None
    for file in original.iterdir():
        assert (folder / UNFUSED / file.name).read_bytes() == file.read_bytes()
    registry.register(Card.read(folder), folder)
    registry.check("with-two")
    assert "all-1.safetensors at 0.6" in Card.read(folder).description
    requests = [
        Request(prompt="a red circle", model=model, seed=4, loras=loras),
        Request(prompt="a red circle", model="with-two", seed=4),
    ]
    first, second = (pixels_sha256(made[0].pixels) for made in Engine(Library(registry)).generate_many(requests))
    assert first == second


def test_what_cannot_be_fused_is_refused_and_leaves_nothing(tiny_folder: Path, tmp_path: Path) -> None:
    registry = Registry().add_folder(tiny_folder)
    network = Library(registry).family("flow").network  # type: ignore[attr-defined]
    lora, folder = lora_for(network, tmp_path, seed=1), tmp_path / "fused"
    stranger = write_lora(tmp_path / "x.safetensors", named(pairs_for(network.proj_out), peft("far.away.")), {})
    other = Lora(file=FileAsset.of(stranger))
    for loras, name, error, words in (
        ((), "ok", InvalidRequest, "none is given"),
        ((lora,), "No Name", InvalidRequest, "small letters"),
        ((other,), "ok", InvalidRequest, "another model"),
    ):
        with pytest.raises(error, match=words):
            write_fused(registry, "flow", loras, folder, name)
        assert not folder.exists()
    write_fused(registry, "flow", (lora,), folder, "ok")
    with pytest.raises(FileProblem, match="holds a model already"):
        write_fused(registry, "flow", (lora,), folder, "ok")
