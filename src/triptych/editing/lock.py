"""The edit itself: what is asked of the painter for each window, and how its answers go back into the picture.

The painter is whoever turns a request into pixels; this file knows no model and paints nothing. Everything here is a
pure function of pixels, so that an edit is made again from its recipe to the last bit. Work is done in windows: one
copy of the picture is made, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.asset import Asset
from triptych.core.errors import FileProblem, TriptychError
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.editing.blend import harmonised
from triptych.editing.crop import Window
from triptych.editing.dial import Dial, as_map, paste_weights, strength_plane
from triptych.editing.distance import Bits, Floats
from triptych.editing.masks import PixelBox, feathered

Paint = Callable[[Request], Pixels]
"""A request to the pixels of its picture, uint8 (height, width, 3)."""


@dataclass(frozen=True)
class Patch:
    """One window of an edit. place: the box of what is selected in it, in the picture's pixels. plan: of the window."""

    window: Window
    place: PixelBox
    plan: Plan | None = None

    def as_json(self) -> dict[str, Any]:
        """For the settings of a recipe's step; boxes in pixels."""
        return {
            "window": list(self.window.box),
            "pad": list(self.window.pad),
            "size": list(self.window.size),
            "place": list(self.place),
            "plan": self.plan.model_dump(mode="json") if self.plan else None,
        }

    @classmethod
    def parse(cls, data: Any) -> Patch:
        """From the settings of a recipe that anyone may have written; `FileProblem` if it cannot be."""
        try:
            box, pad, place = (_four(data[name]) for name in ("window", "pad", "place"))
            width, height = (int(side) for side in data["size"])
            plan = Plan.parse(data["plan"]) if data["plan"] is not None else None
        except (KeyError, TypeError, ValueError) as error:
            raise FileProblem(f"the recipe is damaged: a window of the edit does not fit: {error}") from None
        except TriptychError as error:
            raise FileProblem(f"the recipe is damaged: {error}") from None
        return cls(Window(box, pad, (width, height)), place, plan)


@dataclass(frozen=True)
class Edit:
    """How an edit is made, apart from what is painted. strength: of the selection, 1 makes it anew."""

    dial: Dial
    feather: int = 0
    strength: float = 1.0


def request_for(base: Request, source: Pixels, mask: Bits, patch: Patch, edit: Edit) -> Request:
    """What the painter is asked for one window: base with the picture to start from, where it is free, and the plan.

    source: uint8 (H, W, 3 or 4); mask: (H, W). At lock 0 no picture goes in.
    """
    fields: dict[str, Any] = {"width": patch.window.size[0], "height": patch.window.size[1], "n": 1}
    fields |= {"plan": patch.plan, "use_plan": patch.plan is not None}
    if edit.dial.position != "references":
        start = patch.window.to_model(_opaque(patch.window.cut(source)))
        free = strength_plane(_seen(mask, patch), edit.dial)
        fields |= {
            "init": Asset.of(start, "what stands there now"),
            "strength_map": Asset.of(as_map(free), "where it may change"),
            "strength": edit.strength,
        }
    return Request.make(**{**dict(base), **fields})


def composed(source: Pixels, mask: Bits, patches: Sequence[Patch], painted: Sequence[Pixels], edit: Edit) -> Pixels:
    """The picture with what was painted put into it; a copy of the source, in its mode, alpha as it was.

    painted: one per patch, at its window's size.
    """
    result = source.copy()
    for patch, picture in zip(patches, painted, strict=True):
        expected = (patch.window.size[1], patch.window.size[0], 3)
        if picture.shape != expected:
            raise TriptychError(f"the painter gave {picture.shape}, not {expected}")
        _put(result, mask, patch, picture, edit)
    return result


def _put(result: Pixels, mask: Bits, patch: Patch, picture: Pixels, edit: Edit) -> None:
    """One window, in place. Only pixels with a weight above 0 are written at all."""
    window = patch.window
    target: Pixels = window.cut(result)[:, :, :3]
    fresh = window.from_model(picture)
    if not edit.dial.pastes:
        target[...] = fresh
        return
    own = _own(mask, patch)
    if edit.dial.position == "lock":
        weights = feathered(own, edit.feather)
    else:
        weights = _reached(mask, patch, edit)
    touched = weights > 0
    fresh = harmonised(np.ascontiguousarray(target), fresh, touched)
    _mix(target, fresh, weights, touched)


def _mix(target: Pixels, fresh: Pixels, weights: Floats, touched: Bits, band: int = 256) -> None:
    """target + weights (fresh - target), rounded, in place where touched; in bands, so that floats stay few."""
    for top in range(0, target.shape[0], band):
        rows = np.s_[top : top + band]
        part = target[rows].astype(np.float32)
        part += weights[rows, :, None] * (fresh[rows].astype(np.float32) - part)
        np.copyto(target[rows], np.rint(part).astype(np.uint8), where=touched[rows, :, None])


def _own(mask: Bits, patch: Patch) -> Bits:
    """What of the window is selected and belongs to this patch: another one's part may reach into the window."""
    x0, y0, x1, y1 = patch.place
    left, top = patch.window.box[:2]
    own = np.zeros(patch.window.shape, np.bool_)
    own[y0 - top : y1 - top, x0 - left : x1 - left] = mask[y0:y1, x0:x1]
    return own


def _seen(mask: Bits, patch: Patch) -> Bits:
    """The patch's selection at the model's size: a pixel is free if anything under it is."""
    return patch.window.seen(_own(mask, patch))


def _reached(mask: Bits, patch: Patch, edit: Edit) -> Floats:
    """The weights of a feathered edit at the window's own pixels: those of the model's size, enlarged smoothly."""
    weights = paste_weights(strength_plane(_seen(mask, patch), edit.dial))
    enlarged = patch.window.spread(weights)
    # What is selected counts in full, whatever the smoothing did to it.
    return np.where(_own(mask, patch), np.float32(1), enlarged).astype(np.float32)


def _opaque(pixels: Any) -> Pixels:
    """(h, w, 3): transparency is laid over white, as painters see it."""
    return Asset.of(np.ascontiguousarray(pixels)).rgb


def _four(values: Any) -> tuple[int, int, int, int]:
    a, b, c, d = (int(value) for value in values)
    return a, b, c, d
