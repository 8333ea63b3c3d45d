"""Enlarging through the Python door: sizes, recipes, the same pixels again, weights of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from safetensors.torch import save_file
from tests.upscaling import reference

from triptych import api
from triptych.api.upscale import upscale
from triptych.core.asset import Asset, AssetStore, assets_in
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.recipe import Recipe
from triptych.library import Library


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The tiny models, the upscaler among them, in the place of the built-in ones."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    return tiny_library


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "models" / "4x.safetensors"
    path.parent.mkdir(parents=True)
    save_file(reference.compact_tensors(), path)
    return path


def picture(width: int = 40, height: int = 30, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, channels), dtype=np.uint8)


def keep(recipe: Recipe, home: Path) -> None:
    store = AssetStore(home / "inputs")
    for asset in assets_in(recipe):
        if isinstance(asset, Asset):
            store.put(asset)


@pytest.mark.parametrize(
    ("given", "size"), [({"scale": 2}, (80, 60)), ({"scale": 4}, (160, 120)), ({"to": 100}, (100, 75))]
)
def test_any_size_with_a_recipe(given: dict[str, Any], size: tuple[int, int]) -> None:
    made = upscale(picture(), **given)
    assert made.image.pixels.shape == (size[1], size[0], 3)
    step = made.image.recipe.step
    assert step is not None
    assert (step.op, step.settings["width"], step.settings["height"]) == ("upscale", *size)
    assert made.image.recipe.request is None


def test_a_small_picture_reaches_2k_in_passes() -> None:
    made = upscale(picture(16, 16), to=256)
    assert made.image.recipe.step is not None
    assert made.image.recipe.step.report["passes"] == [4, 4]


def test_replay_makes_it_again(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    PillowImage.fromarray(picture(channels=4)).save(source)
    made = upscale(source, scale=3)
    path = made.image.save(tmp_path / "out.png")
    keep(made.image.recipe, tmp_path / "home")
    source.unlink()
    assert api.replay(path, home=tmp_path / "home").verdict == "exact"
    with pytest.raises(FileProblem, match=r"'in\.png'.*is not at hand"):
        api.replay(path, home=tmp_path / "nowhere")


def test_a_checkpoint_of_ones_own_and_its_replay(checkpoint: Path, tmp_path: Path) -> None:
    made = upscale(picture(), scale=2, model=checkpoint)
    assert made.model == "SRVGGNetCompact"
    assert made.image.pixels.shape == (60, 80, 3)
    home = tmp_path / "home"
    path = made.image.save(tmp_path / "out.png")
    keep(made.image.recipe, home)
    assert str(tmp_path) not in made.image.recipe.dumps()  # recipes hold hashes, never paths
    assert api.replay(path, home=home).verdict == "exact"
    checkpoint.unlink()
    with pytest.raises(FileProblem, match=r"4x\.safetensors.*put it there"):
        api.replay(path, home=home)


def test_a_deep_network_says_that_its_tiles_see_less(tmp_path: Path) -> None:
    path = tmp_path / "deep.safetensors"
    save_file(reference.rrdb_tensors("new", blocks=4), path)
    made = upscale(picture(8, 8), scale=2, model=path)
    assert any("tiles overlap by 40 of the 65 pixels" in note.text for note in made.notes)


def test_what_went_in_is_not_changed() -> None:
    source = picture()
    before = source.copy()
    upscale(source, scale=2)
    assert (source == before).all()


def test_refusals_name_the_parameter() -> None:
    with pytest.raises(InvalidRequest, match="to: 40 does not enlarge"):
        upscale(picture(), to=40)
    with pytest.raises(InvalidRequest, match="image: is an array"):
        upscale(picture()[:, :, 0], scale=2)
    with pytest.raises(FileProblem, match="no such file"):
        upscale(picture(), scale=2, model="none.safetensors")


def test_a_damaged_recipe_is_told(tmp_path: Path) -> None:
    made = upscale(picture(), scale=2).image
    assert made.recipe.step is not None
    keep(made.recipe, tmp_path)
    for change, words in (
        ({"height": 61}, "not the shape"),
        ({"precision": "fp8"}, "precision"),
        ({"width": "x"}, "whole pixels"),
    ):
        step = made.recipe.step.model_copy(update={"settings": made.recipe.step.settings | change})
        path = tmp_path / "damaged.json"
        path.write_text(made.recipe.model_copy(update={"step": step}).dumps())
        with pytest.raises(FileProblem, match=words):
            api.replay(path, home=tmp_path)
