"""A part of a picture changed by a hosted model, and the rest kept to the byte: the pixel lock, made here.

No provider holds a mask to the pixel. A window around the selection is sent; what comes back is scaled, laid over what
was sent (shift and colour, `editing.align`), and only the selection of it goes into the original, by the same lock that
holds for models that paint here. How far the answer was from what was asked stands in the report.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import size_for_aspect
from triptych.core.errors import InvalidRequest
from triptych.core.events import Note, Pixels, Started
from triptych.core.inputs import Reference
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.editing import masks, verify
from triptych.editing.align import Returned, aligned
from triptych.editing.crop import Window, window_for
from triptych.editing.dial import Dial
from triptych.editing.distance import Bits
from triptych.editing.lock import Edit, Patch, composed
from triptych.editing.result import EditResult
from triptych.hosted import catalogue
from triptych.hosted.account import Account
from triptych.hosted.orders import OnEvent, Order, check_cost, cost_note, cost_of, deliver, image_of, order

WHOLE = 0.5
"""The position of the dial for an instruction without a mask: the picture goes in, nothing of it is put back."""


def edit(
    pixels: Pixels,
    instruction: str,
    *,
    mask: Bits,
    lock: float,
    model: str,
    account: Account,
    name: str = "",
    profile: bytes | None = None,
    feather: int | None = None,
    max_cost: float | None = None,
    told: Sequence[Note] = (),
    on_event: OnEvent | None = None,
    tag: str = "",
    **fields: Any,
) -> EditResult:
    """Have a hosted model do what the instruction says, in the selected part of a picture.

    pixels: uint8 (H, W, 3 or 4); mask: (H, W), True where it may change. lock: as in `editing.dial`; above 1/2 old
    pixels are put back, at 1 all outside of the mask, byte by byte. told: notes about picture and mask. tag: see
    `generate`. Raises `InvalidRequest`, `ProviderError` or `ContentRefused`.
    """
    started = time.perf_counter()
    laid_out, patch = plan_edit(pixels, instruction, mask=mask, lock=lock, model=model, **fields)
    check_cost(laid_out.estimate, max_cost)
    tell = on_event or (lambda event: None)
    tell(Started(0, laid_out.request, laid_out.notes))
    deliveries, _ = deliver(laid_out, account, on_event=tell, tag=tag)
    task = laid_out.tasks[0]
    asked = patch.window.to_model(_rgb(patch.window.cut(pixels)))
    answer, returned = aligned(asked, deliveries[0].pictures[0], _kept(mask, patch.window))
    settings = Edit(Dial(lock), _feather(feather, mask, patch.window))
    result = composed(pixels, mask, [patch], [answer], settings)
    report = verify.compared(pixels, result, mask)
    step = Step(
        op="edit",
        source=Asset.of(pixels, name),
        inputs=(Asset.of(mask.astype(np.uint8) * np.uint8(255), "mask"),),
        settings={"instruction": instruction, "lock": lock, "feather": settings.feather, "windows": [patch.as_json()]},
        report={**report.as_json(), "returned": returned.as_json()},
    )
    image = image_of(laid_out.request, result, 0, step=step)
    notes = (*told, *laid_out.notes, *deliveries[0].notes, *_distance(returned, task.model.name), cost_note(deliveries))
    return EditResult(
        image=type(image)(image.pixels, image.seed, 0, image.recipe, None, profile),
        report=report,
        lock=lock,
        source=pixels,
        mask=mask,
        notes=tuple(dict.fromkeys(notes)),
        seconds={"total": round(time.perf_counter() - started, 4)},
        request=laid_out.request,
        model=model,
        family="hosted",
        returned=returned,
        cost=cost_of(deliveries),
    )


def plan_edit(
    pixels: Pixels, instruction: str, *, mask: Bits, lock: float, model: str, **fields: Any
) -> tuple[Order, Patch]:
    """What would be sent, held against the model's contract, and the window that it is about. Sends nothing."""
    dial = Dial(lock)
    if not instruction.strip():
        raise InvalidRequest("instruction", "is empty; say what shall be done")
    if fields.get("n", 1) != 1:
        raise InvalidRequest("n", f"{fields['n']} is not allowed: an edit makes one picture")
    if fields.get("width") is not None:
        raise InvalidRequest("size", "not allowed for an edit: the picture keeps its size")
    _, found = catalogue.find(model)
    takes = found.capabilities
    if not found.inputs:
        raise InvalidRequest("model", f"{model} takes no picture, so it cannot edit one")
    height, width = mask.shape
    native = native_size((width, height), takes)
    box = masks.box_of(mask)
    # One window, so that there is one bill, whatever the selection looks like.
    window = window_for(box if dial.pastes else (0, 0, width, height), (width, height), native)
    shown = window.to_model(_rgb(window.cut(pixels)))
    seen = window.seen(window.cut(mask))
    request = Request.make(
        prompt=instruction, model=model, width=native[0], height=native[1], **{**fields, "use_plan": False}
    )
    if dial.refers:
        role = next(iter(takes.reference_roles), None)
        if role is None:
            raise InvalidRequest("lock", f"0 is not allowed for {model}: it takes no references")
        own = Reference.model_validate({"asset": Asset.of(shown, "the old picture"), "role": role})
        request = request.model_copy(update={"references": (own, *request.references)})
        pictures_in: dict[str, Any] = {}
    else:
        pictures_in = {"picture": shown, "mask": seen}
    count = len(request.references) + (0 if dial.refers else 1)
    if count > found.inputs:
        raise InvalidRequest("references", f"{count} pictures are not allowed for {model}: at most {found.inputs}")
    return order(request, pictures_in=pictures_in), Patch(window, box)


def native_size(picture: tuple[int, int], takes: Capabilities) -> tuple[int, int]:
    """Of the sizes that the model makes the one of the picture's shape, as far as the model's limits let it."""
    width, height = picture
    most = min(takes.max_ratio or 10.0, 10.0)
    ratio = min(max(width / height, 1 / most), most)
    return size_for_aspect(f"{ratio:.6f}:1", takes)


def _kept(mask: Bits, window: Window) -> Bits:
    """What of the window was to stay, at the size that was sent; the mirrored border counts for nothing."""
    part = window.cut(mask)
    return window.seen(np.ones_like(part)) & ~window.seen(part)


def _feather(given: int | None, mask: Bits, window: Window) -> int:
    """As given, or two pixels of the model's, but no more than a quarter of the selection's shorter side."""
    if given is not None:
        masks.check_feather(given)
        return given
    x0, y0, x1, y1 = masks.box_of(mask)
    return max(min(round(2 * window.scale), min(x1 - x0, y1 - y0) // 4, masks.MAX_FEATHER), 0)


def _distance(returned: Returned, model: str) -> tuple[Note, ...]:
    """What a person should know of how far the answer was from what was asked."""
    if not returned.kept:
        return ()
    moved = ", ".join(f"{side:+.2f}" for side in returned.shift)
    text = (
        f"{model} changed {returned.changed:.1%} of what was to stay (mean difference {returned.before:.1f} grey "
        f"levels as it came, {returned.after:.1f} after a shift of {moved} pixels and its colours were taken back)"
    )
    return (Note("lock", "note", text),)


def _rgb(pixels: Pixels) -> Pixels:
    return Asset.of(np.ascontiguousarray(pixels)).rgb
