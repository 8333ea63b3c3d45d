"""`triptych.edit`: one door for edits by instruction and edits with a mask."""

from __future__ import annotations

from typing import Any

from triptych.api.edit import EditResult
from triptych.api.edit import edit as edit_with_mask
from triptych.api.instruct import edit as edit_as_told
from triptych.api.sources import MaskSource, Source
from triptych.core.errors import InvalidRequest

WITH_MASK_ONLY = ("grow", "invert", "strength", "plan", "use_plan", "references")


def edit(
    picture: Source,
    instruction: str,
    *,
    mask: MaskSource | None = None,
    lock: float | None = None,
    model: str = "flow",
    **options: Any,
) -> EditResult:
    """Change a picture: a file, an array (H, W, 3 or 4), or an `Image` of this package.

    Without mask and lock the instruction says what changes ("make the fox blue"): see `api.instruct.edit`.
    With a mask (a file, a box "x,y,w,h", words such as "the left fox", or an array) or a lock (1 keeps every pixel
    outside of the mask, 0 makes a fresh scene; see `editing.dial`) it says what shall stand there: see `api.edit.edit`.
    options: those of the two, and any field of `Request`. Raises `InvalidRequest` or `FileProblem`.
    """
    if mask is not None or lock is not None:
        return edit_with_mask(
            picture, instruction, mask=mask, lock=1.0 if lock is None else lock, model=model, **options
        )
    for name in WITH_MASK_ONLY:
        if name in options:
            raise InvalidRequest(name, "needs a mask or a lock: without them the instruction itself says what changes")
    return edit_as_told(picture, instruction, model=model, **options)
