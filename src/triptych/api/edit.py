"""Changing a part of a picture: `edit` with a mask, at any position of the dial between pixel lock and fresh scene.

The steps: open the picture, understand the mask, cut windows, see what stands around, plan, paint each window, compose,
prove. `editing` does all that needs no model; this file wires it to the models and the readers. A locked edit that
changed a pixel outside of its mask is never written.
"""

from __future__ import annotations

import dataclasses
import secrets
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych.api import results
from triptych.api.generate import OnEvent, paint
from triptych.api.results import Image, capabilities_of, image_of
from triptych.api.seeing import Seen, see
from triptych.api.sources import MaskSource, Picture, Source, open_source, rgb, select
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Finished, Note
from triptych.core.inputs import Reference
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.editing import masks, verify
from triptych.editing.crop import Window, parts_of, window_for
from triptych.editing.dial import Dial
from triptych.editing.instruct.describe import caption_of
from triptych.editing.lock import Edit, Patch, composed, request_for
from triptych.editing.masks import Bits, Selection
from triptych.editing.plans import asks_for_nothing, plan_for, seen_through
from triptych.editing.result import EditResult
from triptych.editing.verify import LockReport

REFERENCE_ROLES = ("identity", "style")
"""As what the old picture goes in at lock 0: the first of these that the model takes."""


def edit(
    picture: Source,
    instruction: str,
    *,
    mask: MaskSource | None = None,
    lock: float = 1.0,
    model: str = "flow",
    feather: int | None = None,
    grow: int = 0,
    invert: bool = False,
    strength: float = 1.0,
    fresh: bool = False,
    on_event: OnEvent | None = None,
    **fields: Any,
) -> EditResult:
    """Put what the instruction says into the selected part of a picture.

    mask: a file, a box "x,y,w,h", words such as "the left fox", an array (H, W), or None for all of it. lock: see
    `editing.dial`. feather: soft pixels inside the mask; None chooses by the scale. fresh: ignore what the picture's
    recipe says is in it. fields: any field of `Request` (seed, steps, ...). Raises `InvalidRequest` or `FileProblem`.
    """
    started = time.perf_counter()
    dial = Dial(lock)
    if not instruction.strip():
        raise InvalidRequest("instruction", "is empty; say what shall stand in the mask")
    # Drawn here, since the plan is written from it before the engine sees the request.
    seed = fields.pop("seed", None)
    seed = secrets.randbelow(2**32) if seed is None else seed
    nothing = asks_for_nothing(instruction)
    base = Request.make(prompt="" if nothing else instruction, model=model, seed=seed, **fields)
    capabilities = capabilities_of(model)
    opened = open_source(picture, fresh=fresh)
    selection = select(mask, opened, invert=invert, grow=grow)
    settings = Edit(dial, _feather(feather, opened, selection, capabilities), strength)
    resolved, notes = checked(base, opened, selection.mask, settings, capabilities)
    patches, seen_notes = plan_patches(resolved, opened, selection.mask, dial, capabilities)
    if nothing:
        resolved = resolved.model_copy(update={"prompt": _around_in_words(patches)})
    step = Step(
        op="edit",
        source=Asset.of(opened.pixels, opened.name),
        inputs=(Asset.of(selection.mask.astype(np.uint8) * np.uint8(255), "mask"),),
        settings={
            "instruction": instruction,
            "mask": mask if isinstance(mask, str) else "",
            "lock": dial.lock,
            "feather": settings.feather,
            "strength": settings.strength,
            "windows": [patch.as_json() for patch in patches],
        },
    )
    image, report, finished = _carried_out(resolved, step, patches, selection.mask, settings, on_event)
    empty = (Note("instruction", "translated", "nothing new: what stands around goes on"),) if nothing else ()
    told = (*opened.notes, *selection.notes, *empty, *notes, *seen_notes, *_told(finished[0].notes))
    seconds = {"paint": sum(sum(event.seconds.values()) for event in finished), "total": time.perf_counter() - started}
    return EditResult(
        image=dataclasses.replace(image, profile=opened.profile),
        report=report,
        lock=dial.lock,
        source=opened.pixels,
        mask=selection.mask,
        notes=tuple(dict.fromkeys(told)),
        seconds={name: round(value, 4) for name, value in seconds.items()},
        request=finished[0].request,
        model=model,
        family=capabilities.family,
    )


def again(recipe: Recipe) -> Image:
    """The edit of a recipe once more; its inputs have to be at hand."""
    step, base = recipe.step, recipe.request
    if step is None or base is None or not step.inputs:
        raise FileProblem("the recipe is damaged: an edit has a picture, a mask and a request")
    try:
        found = step.settings
        settings = Edit(Dial(float(found["lock"])), int(found["feather"]), float(found["strength"]))
        patches = [Patch.parse(data) for data in found["windows"]]
    except (KeyError, TypeError, ValueError) as error:
        raise FileProblem(f"the recipe is damaged: {error} is missing or wrong in the settings of the edit") from None
    mask = step.inputs[0].pixels >= masks.HALF
    return _carried_out(base, step, patches, mask, settings, None)[0]


def checked(
    base: Request, picture: Picture, mask: Bits, settings: Edit, capabilities: Capabilities
) -> tuple[Request, tuple[Note, ...]]:
    """The request that all windows share, with the references that this position of the dial takes.

    What the model refuses is refused here, before anything is painted.
    """
    notes: list[Note] = []
    dial = settings.dial
    if settings.strength <= 0 or settings.strength > 1:
        raise InvalidRequest("strength", f"{settings.strength} is not allowed: above 0 and at most 1")
    if base.width is not None:
        raise InvalidRequest("size", "not allowed for an edit: the picture keeps its size")
    if base.n != 1:
        raise InvalidRequest("n", f"{base.n} is not allowed: an edit makes one picture")
    if dial.refers:
        role = next((role for role in REFERENCE_ROLES if role in capabilities.reference_roles), None)
        if role is not None and len(base.references) < capabilities.max_references:
            whole = window_for((0, 0, *picture.size), picture.size, capabilities.native_size)
            seen = Asset.of(whole.to_model(rgb(picture.pixels)), picture.name)
            own = Reference.model_validate({"asset": seen, "role": role})
            base = base.model_copy(update={"references": (own, *base.references)})
        else:
            told = f"{base.model} takes nobody's identity or style from a picture; it paints from what is seen in it"
            notes.append(Note("lock", "translated", told))
    if picture.pixels.shape[2] == 4 and bool((picture.pixels[:, :, 3][mask] == 0).any()):
        notes.append(Note("image", "note", "is transparent where it is edited, and stays so"))
    patch = Patch(window_for((0, 0, 1, 1), picture.size, capabilities.native_size), (0, 0, 1, 1))
    resolve(request_for(base, picture.pixels, mask, patch, settings), capabilities, name=base.model)
    return base, tuple(notes)


def plan_patches(
    base: Request, picture: Picture, mask: Bits, dial: Dial, capabilities: Capabilities
) -> tuple[list[Patch], tuple[Note, ...]]:
    """The windows of an edit with their plans, from the recipe or what is seen, and from the words."""
    native = capabilities.native_size
    if dial.pastes:
        found = parts_of(mask, native)
    else:
        box = masks.box_of(mask)
        found = [(window_for((0, 0, *picture.size), picture.size, native), box)]
    notes = _scales(found, dial)
    if not capabilities.plan or not base.use_plan:
        return [Patch(window, place) for window, place in found], notes
    if base.plan is not None:  # a person's own plan is of the whole picture
        plans = [seen_through(base.plan, _fractions(window, picture)) for window, _ in found]
        return [Patch(*part, plan) for part, plan in zip(found, plans, strict=True)], notes
    wanted = results.library().plan(base, 0) or Plan()
    patches: list[Patch] = []
    for window, place in found:
        if mask.all():
            patches.append(Patch(window, place, wanted if wanted.objects or wanted.background else None))
            continue
        around = _around(window, picture, capabilities)
        notes += around.notes
        plan = plan_for(around.plan, wanted, window.fraction(place), most=capabilities.max_objects)
        patches.append(Patch(window, place, plan))
    return patches, notes


def _carried_out(
    base: Request, step: Step, patches: Sequence[Patch], mask: Bits, settings: Edit, on_event: OnEvent | None
) -> tuple[Image, LockReport, list[Finished]]:
    """Paint every window and put the answers together. Window k is painted with the seed + k."""
    source = step.source.pixels
    finished: list[Finished] = []
    for number, patch in enumerate(patches):
        request = request_for(base, source, mask, patch, settings)
        if finished:
            request = request.model_copy(update={"seed": ((finished[0].request.seed or 0) + number) % 2**63})
        finished.append(paint(request, on_event=on_event))
    pixels = composed(source, mask, patches, [event.pixels for event in finished], settings)
    report = verify.compared(source, pixels, mask)
    step = step.model_copy(update={"report": report.as_json()})
    first = finished[0]
    # The window that went in follows from the source and the settings, so the recipe does not hold it again.
    kept = first.request.model_copy(update={"init": None, "strength": None, "strength_map": None})
    image = image_of(dataclasses.replace(first, request=kept), pixels=pixels, step=step)
    return image, report, finished


def _around_in_words(patches: Sequence[Patch]) -> str:
    """What goes on where nothing new is asked for; of several windows, which differ, only the place that all share."""
    plan = patches[0].plan or Plan()
    return caption_of(plan if len(patches) == 1 else Plan(background=plan.background, light=plan.light))


def _around(window: Window, picture: Picture, capabilities: Capabilities) -> Seen:
    if picture.plan is not None:
        return Seen(plan=seen_through(picture.plan, _fractions(window, picture)))
    return see(window.to_model(rgb(window.cut(picture.pixels))), capabilities)


def _fractions(window: Window, picture: Picture) -> tuple[float, float, float, float]:
    """What the model sees, mirrored border included, in fractions of the picture."""
    (x0, y0, x1, y1), (left, top, right, bottom), (width, height) = window.box, window.pad, picture.size
    return (x0 - left) / width, (y0 - top) / height, (x1 + right) / width, (y1 + bottom) / height


def _scales(found: Sequence[tuple[Window, masks.PixelBox]], dial: Dial) -> tuple[Note, ...]:
    notes: list[Note] = []
    largest = max((window for window, _ in found), key=lambda window: window.scale)
    if largest.scale > 1:
        size = f"{largest.size[0]}x{largest.size[1]}"
        told = f"what is painted is painted at {size} and enlarged {largest.scale:.1f} times"
        notes.append(Note("image", "note", told))
    if len(found) > 1:
        notes.append(Note("mask", "note", f"falls into {len(found)} parts, which are painted one by one"))
    return tuple(notes)


def _feather(given: int | None, picture: Picture, selection: Selection, capabilities: Capabilities) -> int:
    """As given, or two pixels of the model's, but no more than a quarter of the selection's shorter side."""
    if given is not None:
        masks.check_feather(given)
        return given
    x0, y0, x1, y1 = selection.box
    scale = window_for(selection.box, picture.size, capabilities.native_size).scale
    return max(min(round(2 * scale), min(x1 - x0, y1 - y0) // 4, masks.MAX_FEATHER), 0)


def _told(notes: Sequence[Note]) -> list[Note]:
    """The painter's notes, without those about the window that was made for it."""
    return [note for note in notes if note.parameter not in ("init", "strength_map")]
