"""Draft small, render large: the picture of a draft once more, with the same plan and seed, at full quality and size.

A draft is a picture of `generate`, most often with `--quality low`; its recipe has everything. The painter walks again
with the settings of a better tier, from the same noise; at another size, or with a strength, it starts from the draft
itself, enlarged. Then the upscaler makes the size that is wanted. How far the result's composition is the draft's, the
readers say, in the report.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as PillowImage

from triptych.api.generate import OnEvent, paint
from triptych.api.results import Image, capabilities_of, image_of
from triptych.api.seeing import see
from triptych.api.upscale import loaded_for, size_in
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Finished, Note, Pixels
from triptych.core.readers import read_pixels, read_recipe
from triptych.core.recipe import Recipe
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.evals.composition import Agreement, agreement
from triptych.training.devices import bf16_pays
from triptych.upscaling.enlarge import OnTile, enlarge, target_size

DEFAULT_SCALE = 4.0
GUIDED = 0.6
"""The strength with which a larger size than the draft's is painted: the noise differs there, so the draft leads."""
TIERED = (
    "steps",
    "guidance",
    "guidance_interval",
    "guidance_rescale",
    "sampler",
    "schedule",
    "temperature",
    "top_k",
    "top_p",
)
"""What a quality tier decides."""


@dataclass(frozen=True)
class Rendered:
    """What became of a draft. painted: what the painter made, before it was enlarged. composition: against the draft.

    seconds: of painting, of enlarging, in total.
    """

    image: Image
    painted: Pixels
    composition: Agreement
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request


def render(
    draft: str | Path | Image,
    *,
    to: int | None = None,
    scale: float | None = None,
    quality: str = "high",
    size: tuple[int, int] | None = None,
    strength: float | None = None,
    on_event: OnEvent | None = None,
    on_tile: OnTile | None = None,
) -> Rendered:
    """The draft's picture at full quality and size.

    to, scale: the size in the end, as `upscale` takes it, measured on what is painted; 4 times without either, and not
    enlarged at all with scale=1. size: (width, height) to paint at, the draft's without. strength: how much of the
    draft is painted anew, in (0, 1]; without it, all at the draft's size, and `GUIDED` at another. Raises
    `InvalidRequest` or `FileProblem`.
    """
    started = time.perf_counter()
    source, recipe = _draft(draft)
    base = recipe.request
    assert base is not None
    capabilities = capabilities_of(base.model)
    request = request_for(base, quality, size, capabilities)
    if strength is None and (request.width, request.height) != (source.width, source.height):
        strength = GUIDED
    notes: list[Note] = []
    if strength is not None and not capabilities.init:
        notes.append(Note("strength", "ignored", f"{base.model} starts from nothing; plan and seed alone lead"))
        strength = None
    width, height = request.width or source.width, request.height or source.height
    if to is None and scale is None:
        scale = DEFAULT_SCALE
    final = (width, height) if scale == 1 else target_size(width, height, to=to, scale=scale)
    step = Step(
        op="render",
        source=source,
        settings={
            "strength": strength,
            "width": final[0],
            "height": final[1],
            "precision": "bf16" if bf16_pays() else "fp32",
        },
    )
    resolve(_with_draft(request, source, strength, step), capabilities, name=base.model)
    finished, image, found, seconds = _carried_out(request, recipe.index, step, on_event, on_tile)
    seconds["total"] = time.perf_counter() - started
    told = [note for note in finished.notes if note.parameter != "init"]
    return Rendered(
        image=image,
        painted=finished.pixels,
        composition=found,
        notes=tuple(dict.fromkeys([*notes, *told])),
        seconds={name: round(value, 4) for name, value in seconds.items()},
        request=finished.request,
    )


def again(recipe: Recipe) -> Image:
    """The render of a recipe once more; its draft has to be at hand."""
    step, request = recipe.step, recipe.request
    if step is None or request is None:
        raise FileProblem("the recipe is damaged: a render has a draft and a request")
    return _carried_out(request, recipe.index, step, None, None)[1]


def request_for(base: Request, quality: str, size: tuple[int, int] | None, capabilities: Capabilities) -> Request:
    """The draft's request at another quality and size. What its own tier had decided, the new one decides.

    A setting that the person had chosen, such as steps, is not the tier's and stays.
    """
    bare = Request(prompt=base.prompt, model=base.model, negative=base.negative, quality=base.quality)
    decided, _ = resolve(bare, capabilities, name=base.model)
    freed = {name: None for name in TIERED if getattr(base, name) == getattr(decided, name)}
    fields: dict[str, Any] = {name: getattr(base, name) for name in type(base).model_fields} | freed
    fields |= {"quality": quality, "init": None, "strength": None, "strength_map": None}
    fields["use_plan"] = base.use_plan and (base.plan is not None)
    if size is not None:
        fields["width"], fields["height"] = size
    return Request.make(**fields)


def _draft(draft: str | Path | Image) -> tuple[Asset, Recipe]:
    """The draft's pixels and recipe; `FileProblem` or `InvalidRequest` for what is no picture of a painter."""
    if isinstance(draft, Image):
        source, recipe = Asset.of(draft.pixels), draft.recipe
    else:
        path = Path(draft)
        recipe = read_recipe(path)
        if path.suffix.lower() == ".json":
            raise InvalidRequest("file", f"{path} is a recipe without its picture; name the picture")
        source = Asset.of(read_pixels(path), path.name)
    if recipe.step is not None or recipe.request is None:
        done = recipe.step.op if recipe.step else "made"
        raise InvalidRequest(
            "file", f"the picture is not as it was painted (last step: {done}); `triptych upscale` enlarges it as it is"
        )
    if recipe.request.init is not None:
        raise InvalidRequest("file", "the picture was itself painted over another one; `triptych upscale` enlarges it")
    return source, recipe


def _with_draft(request: Request, source: Asset, strength: float | None, step: Step) -> Request:
    """The request that paints: with the draft, enlarged to the size that is painted, where it leads."""
    if strength is None:
        return request
    size = request.width or source.width, request.height or source.height
    pixels = source.rgb
    if size[0] > source.width and size[1] > source.height:
        fast = step.settings.get("precision") == "bf16"
        pixels = enlarge(pixels, loaded_for(), size, fast=fast)
    elif size != (source.width, source.height):
        pixels = np.asarray(PillowImage.fromarray(pixels).resize(size, PillowImage.Resampling.LANCZOS))
    fields = {name: getattr(request, name) for name in type(request).model_fields}
    return Request.make(**(fields | {"init": Asset.of(pixels, source.name), "strength": strength}))


def _carried_out(
    request: Request, index: int, step: Step, on_event: OnEvent | None, on_tile: OnTile | None
) -> tuple[Finished, Image, Agreement, dict[str, float]]:
    """Paint, enlarge, look."""
    found = step.settings
    strength, size = found.get("strength"), size_in(step)
    if not isinstance(strength, int | float | None):
        raise FileProblem("the recipe is damaged: the strength of the render is no number")
    began = time.perf_counter()
    finished = paint(_with_draft(request, step.source, strength, step), index=index, on_event=on_event)
    painted = time.perf_counter()
    pixels = finished.pixels
    if size != (pixels.shape[1], pixels.shape[0]):
        fast = found.get("precision") == "bf16"
        pixels = enlarge(pixels, loaded_for(), size, fast=fast, on_tile=on_tile)
    seconds = {"paint": painted - began, "enlarge": time.perf_counter() - painted}
    same = compared(step.source.rgb, finished.pixels)
    step = step.model_copy(update={"report": {"composition": same.as_json()}})
    # The draft is in the recipe as the source; as init it would stand there twice.
    kept = finished.request.model_copy(update={"init": None, "strength": None})
    return finished, image_of(replace(finished, request=kept), pixels=pixels, step=step), same, seconds


def compared(draft: Pixels, painted: Pixels) -> Agreement:
    """What the readers see in both, at the size of the draft."""
    size = draft.shape[1], draft.shape[0]
    if size != (painted.shape[1], painted.shape[0]):
        painted = np.asarray(PillowImage.fromarray(painted).resize(size, PillowImage.Resampling.LANCZOS))
    before, after = ([(thing.noun, thing.box) for thing in see(pixels).things] for pixels in (draft, painted))
    return agreement(before, after)
