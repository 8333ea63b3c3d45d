"""Making a picture larger: `upscale`, with the built-in network or a public checkpoint. Nothing is painted anew.

What the checkpoint is, how tiles work and what a target may be is `upscale`'s; this file opens pictures, finds weights
and writes recipes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from triptych.api import results
from triptych.api.results import Image, image_of_step
from triptych.api.sources import Source, open_source
from triptych.core.asset import Asset, FileAsset
from triptych.core.errors import FileProblem
from triptych.core.events import Note, Pixels
from triptych.core.recipe import Recipe
from triptych.core.steps import Step
from triptych.training.devices import bf16_pays
from triptych.upscaling import checkpoint
from triptych.upscaling.checkpoint import Model
from triptych.upscaling.enlarge import OnTile, enlarge, passes, seen, target_size

BUILT_IN = "upscaler"
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True)
class Upscaled:
    """What became of it. seconds: wall clock of loading, of enlarging, and in total."""

    image: Image
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    model: str


def upscale(
    picture: Source,
    *,
    to: int | None = None,
    scale: float | None = None,
    model: str | Path = BUILT_IN,
    on_tile: OnTile | None = None,
) -> Upscaled:
    """The picture at a larger size. to: its longer side in pixels; scale: a factor, instead.

    picture: a file, an array uint8 (H, W, 3 or 4), or a picture of ours. model: the built-in one, or a safetensors file
    of ESRGAN, RealESRGAN, SRVGGNetCompact or SPAN. on_tile(done, total) is called as the work goes on. Raises
    `InvalidRequest` or `FileProblem`.
    """
    started = time.perf_counter()
    opened = open_source(picture)
    source, notes = Asset.of(opened.pixels, opened.name), opened.notes
    size = target_size(source.width, source.height, to=to, scale=scale)
    files = () if str(model) == BUILT_IN else (FileAsset.of(Path(model)),)
    loaded = loaded_for(files)
    if loaded.margin > seen(loaded):
        told = f"tiles overlap by {seen(loaded)} of the {loaded.margin} pixels that {loaded.name} sees"
        notes = (*notes, Note("model", "note", told))
    ready = time.perf_counter()
    precision = "bf16" if loaded.fast and bf16_pays() else "fp32"
    step = step_for(source, size, loaded, precision, files)
    image = image_of_step(_enlarged(step, loaded, on_tile), step, model=loaded.name, weights_sha256=_sha(files, loaded))
    image = replace(image, profile=opened.profile)
    done = time.perf_counter()
    seconds = {"start": ready - started, "enlarge": done - ready, "total": done - started}
    return Upscaled(image, notes, {name: round(value, 4) for name, value in seconds.items()}, loaded.name)


def again(recipe: Recipe) -> Image:
    """The enlargement of a recipe once more; its source and weights have to be at hand."""
    step = recipe.step
    if step is None:
        raise FileProblem("the recipe is damaged: it says of no step what was enlarged")
    loaded = loaded_for(step.files)
    return image_of_step(_enlarged(step, loaded), step, model=loaded.name, weights_sha256=_sha(step.files, loaded))


def step_for(
    source: Asset, size: tuple[int, int], model: Model, precision: str, files: tuple[FileAsset, ...] = ()
) -> Step:
    """What a recipe keeps of an enlargement to (width, height)."""
    chain = passes(model.scales, max(size) / max(source.width, source.height))
    settings: dict[str, Any] = {"model": model.name, "width": size[0], "height": size[1], "precision": precision}
    return Step(op="upscale", source=source, files=files, settings=settings, report={"passes": list(chain)})


def size_in(step: Step) -> tuple[int, int]:
    """Width and height that a recipe says; `FileProblem` where it does not."""
    width, height = step.settings.get("width"), step.settings.get("height")
    if not (isinstance(width, int) and isinstance(height, int)):
        raise FileProblem("the recipe is damaged: it does not say in whole pixels to which size")
    return width, height


def loaded_for(files: tuple[FileAsset, ...] = ()) -> Model:
    """The network of the file, or the built-in one, which is checked against its card and kept."""
    return checkpoint.load(files[0].path) if files else _built_in()


def _built_in() -> Model:
    registry = results.library().registry
    entry = registry.find(BUILT_IN)
    registry.check(BUILT_IN)
    if entry.folder is None or not entry.card.files:
        raise FileProblem(f"the weights of {BUILT_IN!r} are not installed")
    return _loaded(entry.folder / next(iter(entry.card.files)))


_loaded = cache(checkpoint.load)


def _enlarged(step: Step, model: Model, on_tile: OnTile | None = None) -> Pixels:
    size, precision = size_in(step), step.settings.get("precision")
    if precision not in PRECISIONS:
        raise FileProblem(f"the recipe is damaged: its precision is {precision!r}, which is none that is known")
    shape = target_size(step.source.width, step.source.height, to=max(size), scale=None)
    if shape != size:
        raise FileProblem(f"the recipe is damaged: {size[0]}x{size[1]} is not the shape of its picture")
    return enlarge(step.source.pixels, model, size, fast=precision == "bf16", on_tile=on_tile)


def _sha(files: tuple[FileAsset, ...], model: Model) -> str:
    """The hash that a recipe keeps of the weights: of the file, or of the built-in part as its card has it."""
    return model.sha256 if files else results.library().registry.weights_sha256(BUILT_IN)
