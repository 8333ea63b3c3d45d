"""`--init`, `--reference`, `--control`, `--lora`, `--region`: from words to fields, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.cli.inputs import control, input_fields, keep_inputs, lora, reference, region
from triptych.core.asset import Asset, AssetStore
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.recipe import Recipe
from triptych.core.request import Request


@pytest.fixture
def fox(tmp_path: Path) -> str:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "fox.png")
    return str(tmp_path / "fox.png")


def test_a_reference_has_a_role(fox: str) -> None:
    one, notes = reference(f"{fox}:style")
    assert one.role == "style"
    assert list(notes) == []
    one, notes = reference(fox)
    assert one.role == "identity"
    assert "identity" in notes[0].text
    with pytest.raises(InvalidRequest, match="reference: 'stile' is not known; did you mean 'style'"):
        reference(f"{fox}:stile")


def test_eleven_references_are_refused_before_any_is_opened() -> None:
    with pytest.raises(InvalidRequest, match="reference: 11 are given; at most 10"):
        input_fields(references=["nowhere.png"] * 11)


def test_a_control_has_a_weight_and_a_range(fox: str) -> None:
    one, _ = control(f"edges={fox}:0.5:0.1-0.8")
    assert (one.kind, one.weight, one.start, one.end) == ("edges", 0.5, 0.1, 0.8)
    one, _ = control(f"depth={fox}")
    assert (one.kind, one.weight, one.start, one.end) == ("depth", 1, 0, 1)
    for text, message in (
        (fox, "KIND=FILE"),
        (f"edge={fox}", "did you mean 'edges'"),
        (f"edges={fox}:9", "control: "),
        (f"edges={fox}:1:0.8-0.2", "0.8 to 0.2 is nothing"),
    ):
        with pytest.raises(InvalidRequest, match=message):
            control(text)
    with pytest.raises(FileProblem):
        control("edges=nowhere.png")


def test_a_lora_has_a_scale(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(b"weights")
    assert lora(str(path))[0].scale == 1
    assert lora(f"{path}:-0.5")[0].scale == -0.5
    with pytest.raises(FileProblem):
        lora("nowhere.safetensors:0.5")
    with pytest.raises(InvalidRequest, match="lora"):
        lora(f"{path}:99")


def test_a_region_is_a_box_or_a_mask(fox: str) -> None:
    assert region("0,0,0.5,1=a red fox")[0].box == (0, 0, 0.5, 1)
    masked, _ = region(f"{fox}=a cat")
    assert masked.mask is not None
    assert masked.prompt == "a cat"
    for text in ("a cat", "0,0,1,1=", "0.5,0,0.9,1=a cat"):
        with pytest.raises(InvalidRequest, match="region"):
            region(text)


def test_inputs_are_kept_for_replay(fox: str, tmp_path: Path) -> None:
    fields, _ = input_fields(init=Path(fox), strength=0.5)
    recipe = Recipe(model="flow", family="flow", request=Request(prompt="a", seed=1, **fields), pixels_sha256="0" * 64)
    keep_inputs(recipe, tmp_path / "inputs")
    again = Recipe.parse(recipe.dumps())
    asset = again.request.init if again.request else None
    assert isinstance(asset, Asset)
    AssetStore(tmp_path / "inputs").fill(asset)
    assert np.array_equal(asset.pixels, fields["init"].pixels)
