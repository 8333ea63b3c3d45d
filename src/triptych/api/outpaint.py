"""A picture continued past its edges: `outpaint`.

The steps: open the picture, see or read from its recipe what is in it, plan what comes beside it, paint the new part of
a canvas, put the picture's own pixels back, prove that they are there, measure the seam. `editing.outpaint` does all
that needs no model; this file wires it to models and readers.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from triptych.api import results
from triptych.api.generate import OnEvent, paint
from triptych.api.results import Image, capabilities_of, image_of
from triptych.api.seeing import see
from triptych.api.sources import Picture, Source, open_source, rgb
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.core.events import Finished, Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import format_of
from triptych.core.plan import MAX_OBJECTS, Plan
from triptych.core.recipe import Recipe
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.editing import verify
from triptych.editing.outpaint import BACKGROUND, Canvas, Extents, extents_from, going_on
from triptych.editing.seam import Seam, seam
from triptych.scenes.places import place_named, words_for


@dataclass(frozen=True)
class OutpaintReport:
    """changed_pixels: of the picture's own, counted in the file or array; source_pixels: how many those are."""

    changed_pixels: int
    source_pixels: int
    seam: Seam

    def as_json(self) -> dict[str, Any]:
        counts = {"source_changed_pixels": self.changed_pixels, "source_pixels": self.source_pixels}
        return {**counts, **self.seam.as_json()}


@dataclass(frozen=True)
class OutpaintResult:
    """What became of it. seconds: of painting, and in total."""

    image: Image
    report: OutpaintReport
    extents: Extents
    source: Pixels
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request
    model: str
    family: str

    def save(self, path: str | Path) -> Path:
        """Write the picture with its recipe, only if the file is proved to hold every pixel of the source.

        `InvalidRequest` for a format that loses pixels, `TriptychError` if the proof fails.
        """
        path = Path(path)
        return write_atomically(path, self.encode(path))

    def encode(self, path: Path) -> bytes:
        """The bytes of the file that `save` writes; the suffix of the path names the format."""
        kind = format_of(path)
        verify.check_lossless(kind, 1.0)
        data = self.image.encode(kind)
        after = verify.decoded(data, self.source.shape[2])
        if changed := _changed(self.source, after, self.extents):
            raise TriptychError(f"{changed} pixels of the picture would not be its own; nothing is written")
        return data


def outpaint(
    picture: Source,
    extend: str | Extents,
    prompt: str = "",
    *,
    model: str = "flow",
    fresh: bool = False,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> OutpaintResult:
    """Move edges of a picture outwards, and paint what is there.

    extend: pixels of each edge, as "left=64,right=64". prompt: what shall stand in the new part; empty continues the
    place alone. fresh: ignore what the picture's recipe says is in it. fields: any field of `Request` (seed, steps,
    ...); a plan is of the whole result. Raises `InvalidRequest` or `FileProblem`.
    """
    started = time.perf_counter()
    extents = Extents.parse(extend) if isinstance(extend, str) else extend
    seed = fields.pop("seed", None)
    seed = secrets.randbelow(2**32) if seed is None else seed
    base = Request.make(prompt=prompt, model=model, seed=seed, **fields)
    for name in ("width", "init", "strength_map"):
        if getattr(base, name) is not None:
            raise InvalidRequest(name, "not allowed for outpainting: the picture and the extents say it")
    if base.n != 1:
        raise InvalidRequest("n", f"{base.n} is not allowed: outpainting makes one picture")
    opened = open_source(picture, fresh=fresh)
    extents.check(opened.size)
    capabilities = capabilities_of(model)
    canvas = canvas_for(extents, opened.size, capabilities, model)
    base, notes = _planned(base, opened, canvas, capabilities)
    request = _request(base, opened.pixels, canvas, anew=capabilities.token_sampling)
    _, told = resolve(request, capabilities, name=model)
    source = Asset.of(opened.pixels, opened.name)
    step = Step(op="outpaint", source=source, settings={"prompt": prompt, **canvas.as_json()})
    image, report, finished = _carried_out(base, step, canvas, on_event)
    seconds = {"paint": sum(finished.seconds.values()), "total": time.perf_counter() - started}
    mute = ("init", "strength_map")  # of the canvas, which is ours
    every = (*opened.notes, *notes, *told, *finished.notes)
    return OutpaintResult(
        image=dataclasses.replace(image, profile=opened.profile),
        report=report,
        extents=extents,
        source=opened.pixels,
        notes=tuple(dict.fromkeys(note for note in every if note.parameter not in mute)),
        seconds={name: round(value, 4) for name, value in seconds.items()},
        request=finished.request,
        model=model,
        family=capabilities.family,
    )


def again(recipe: Recipe) -> Image:
    """The outpainting of a recipe once more; its source has to be at hand."""
    step, base = recipe.step, recipe.request
    if step is None or base is None:
        raise FileProblem("the recipe is damaged: outpainting has a picture and a request")
    extents, size = extents_from(step.settings), (step.source.width, step.source.height)
    extents.check(size)
    canvas = canvas_for(extents, size, capabilities_of(base.model), base.model)
    return _carried_out(base, step, canvas, None)[0]


def canvas_for(extents: Extents, size: tuple[int, int], capabilities: Capabilities, model: str) -> Canvas:
    """The canvas that a model paints for a picture (width, height); `InvalidRequest` where the model cannot."""
    if capabilities.token_sampling and (extents.left or extents.top):
        edge = "left" if extents.left else "top"
        why = f"{model} writes from the top left on and cannot lead up to what is there; right and bottom are allowed"
        raise InvalidRequest("extend", f"{edge} is not allowed: {why}")
    canvas = Canvas.of(extents, size, capabilities.native_size, capabilities.size_multiple)
    width, height = canvas.size
    short = capabilities.short_side
    if short is not None and min(width, height) > short:
        given = f"{model} would have to paint {width}x{height}"
        raise InvalidRequest("extend", f"{given}, and one side can be {short} at most; move the edges of one direction")
    if width * height > capabilities.max_pixels:
        given = f"{model} would have to paint {width}x{height} at once"
        raise InvalidRequest(
            "extend", f"{given}, and {capabilities.max_pixels} pixels are the most; do it in several steps"
        )
    return canvas


def _planned(
    base: Request, picture: Picture, canvas: Canvas, capabilities: Capabilities
) -> tuple[Request, tuple[Note, ...]]:
    """The request with the plan of the whole canvas and its words: what is there, and what shall come beside it."""
    if base.plan is not None:
        return base.model_copy(update={"plan": _of_result(base.plan, canvas)}), ()
    looked = None if picture.plan is not None else see(rgb(picture.pixels), capabilities)
    around = picture.plan or (looked.plan if looked else Plan())
    around = going_on(around, canvas.extents, picture.size[0] / picture.size[1])
    wanted = results.library().plan(base, 0) if base.use_plan and base.prompt.strip() else None
    wanted = results.library().only_named(wanted, base.prompt) if wanted else None
    place = place_named(base.prompt) or around.background or (wanted.background if wanted else "")
    words = base.prompt if base.prompt.strip() else words_for(place)
    base = base.model_copy(update={"prompt": words})
    notes = looked.notes if looked else ()
    if not capabilities.plan or not base.use_plan:
        return base, notes
    kept = canvas.boxes(around).objects
    new = canvas.put(wanted.objects, capabilities.native_size) if wanted else []
    plan = Plan(background=place, light=around.light, objects=(*kept[: MAX_OBJECTS - len(new)], *new))
    return base.model_copy(update={"plan": plan}), notes


def _of_result(plan: Plan, canvas: Canvas) -> Plan:
    """A person's plan of the whole result as one of the canvas, which may reach a little further."""
    x0, y0, x1, y1 = canvas.shown
    objects = [
        item.model_copy(
            update={
                "box": (
                    (x0 + item.box[0] * (x1 - x0)) / canvas.size[0],
                    (y0 + item.box[1] * (y1 - y0)) / canvas.size[1],
                    (x0 + item.box[2] * (x1 - x0)) / canvas.size[0],
                    (y0 + item.box[3] * (y1 - y0)) / canvas.size[1],
                )
            }
        )
        for item in plan.objects
    ]
    return plan.model_copy(update={"objects": tuple(objects)})


def _request(base: Request, source: Pixels, canvas: Canvas, *, anew: bool) -> Request:
    """What the painter is asked. anew: drawn out edges are of no use to it, since it keeps a token or does not."""
    things = base.plan.objects if base.plan else ()
    fields: dict[str, Any] = {
        "width": canvas.size[0],
        "height": canvas.size[1],
        "init": canvas.start(rgb(source), things),
        "strength_map": canvas.free(things, 1.0 if anew else BACKGROUND),
        "strength": 1.0,
    }
    return Request.make(**{**dict(base), **fields})


def _carried_out(
    base: Request, step: Step, canvas: Canvas, on_event: OnEvent | None
) -> tuple[Image, OutpaintReport, Finished]:
    source = step.source.pixels
    tokens = capabilities_of(base.model).token_sampling
    finished = paint(_request(base, source, canvas, anew=tokens), on_event=on_event)
    pixels = canvas.result(source, finished.pixels)
    new = canvas.extents.new(canvas.source)
    changed = _changed(source, pixels, canvas.extents)
    report = OutpaintReport(changed, source.shape[0] * source.shape[1], seam(pixels, new, source))
    # The canvas that went in follows from the source and the settings, so the recipe does not hold it again.
    bare = {"init": None, "strength": None, "strength_map": None, "width": None, "height": None}
    kept = finished.request.model_copy(update=bare)
    step = step.model_copy(update={"report": report.as_json()})
    return image_of(dataclasses.replace(finished, request=kept), pixels=pixels, step=step), report, finished


def _changed(source: Pixels, result: Pixels, extents: Extents) -> int:
    """How many pixels of the source are not the same in the result."""
    own = result[extents.place((source.shape[1], source.shape[0]))]
    return int((own != source).any(axis=2).sum()) if own.shape == source.shape else source.shape[0] * source.shape[1]
