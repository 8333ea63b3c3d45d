"""Make a picture again from the recipe inside it, and say whether it is the same one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

import numpy as np

from triptych.api.generate import paint
from triptych.api.results import Image, image_of
from triptych.core.asset import Asset, AssetStore, assets_in
from triptych.core.errors import FileProblem
from triptych.core.files import reason
from triptych.core.readers import loses_pixels, read_pixels, read_recipe
from triptych.core.recipe import Recipe
from triptych.core.weights import file_sha256

TOLERANCE = 2
"""Grey levels by which a picture may differ between machines and still count as the same (docs/decisions)."""
INPUTS = "inputs"
"""Folder of the data folder where the pictures that went into others are kept (`core.asset.AssetStore`)."""
MAX_CANDIDATES = 2000
STEPS = {
    "edit": "triptych.api.edit",
    "outpaint": "triptych.api.outpaint",
    "render": "triptych.api.render",
    "typeset": "triptych.api.typeset",
    "upscale": "triptych.api.upscale",
    "vary": "triptych.api.vary",
}
"""Where each step is done. Such a module has `again(recipe) -> Image`, handed a recipe whose inputs are at hand."""


@dataclass(frozen=True)
class ReplayReport:
    """verdict: "exact", "within tolerance" or "different". max_difference: in grey levels, None for other sizes."""

    verdict: Literal["exact", "within tolerance", "different"]
    max_difference: int | None
    image: Image


def replay(path: str | Path, *, home: Path | None = None) -> ReplayReport:
    """Make a picture again from the recipe inside it, and compare with the pixels that the file holds.

    home: the data folder, where pictures and LoRAs that went in are looked for; LoRAs also beside the picture.
    A recipe alone (JSON), and a JPEG, whose pixels are only nearly those that were painted, are compared by the hash in
    the recipe. Raises `FileProblem` where something that went in is not at hand.
    """
    path = Path(path)
    recipe = read_recipe(path)
    find_inputs(recipe, home, path.parent)
    image = _again(recipe)
    same_hash = image.recipe.pixels_sha256 == recipe.pixels_sha256
    alone = path.suffix.lower() == ".json"
    if alone or (same_hash and loses_pixels(path)):
        return ReplayReport("exact", 0, image) if same_hash else ReplayReport("different", None, image)
    before, after = read_pixels(path), image.pixels[:, :, :3]
    if before.shape != after.shape:
        return ReplayReport("different", None, image)
    difference = int(np.abs(before.astype(np.int16) - after.astype(np.int16)).max())
    verdict = "exact" if difference == 0 else "within tolerance" if difference <= TOLERANCE else "different"
    return ReplayReport(verdict, difference, image)


def find_inputs(recipe: Recipe, home: Path | None, beside: Path) -> None:
    """Give the recipe's inputs their pixels and files back. `FileProblem` names the first that is missing."""
    for asset in assets_in(recipe):
        if asset.loaded:
            continue
        if isinstance(asset, Asset):
            AssetStore((home or Path()) / INPUTS).fill(asset)
            continue
        folders = [beside, *([home / "models"] if home else [])]
        found = (path for folder in folders for path in _weights(folder) if file_sha256(path) == asset.sha256)
        path = next(found, None)
        if path is None:
            raise FileProblem(
                f"the file {asset.name!r} (SHA-256 {asset.sha256[:12]}) that went in is not in {folders[-1]}; "
                "put it there"
            )
        asset.fill(path)


def _weights(folder: Path) -> list[Path]:
    try:
        return sorted(folder.rglob("*.safetensors"))[:MAX_CANDIDATES] if folder.is_dir() else []
    except OSError as error:
        raise FileProblem(f"cannot look into {folder}: {reason(error)}") from error


def _again(recipe: Recipe) -> Image:
    if recipe.step is not None:
        return import_module(STEPS[recipe.step.op]).again(recipe)
    if recipe.request is None:
        raise FileProblem("the recipe says nothing that could be made again")
    return image_of(paint(recipe.request, index=recipe.index))
