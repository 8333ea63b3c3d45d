"""What may change in a picture: a selection made from a mask file, a box or words, then inverted, grown and feathered.

A selection is a set of pixels, True where the edit may happen. Feathering softens the edit inside the selection only,
so what is not selected stays as it is. Words are looked up by `editing.words`; files are read by `core.pictures`, by
transparency (transparent = edit, as image APIs have it) or by brightness (white = edit). Knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.editing.distance import Bits, Floats, distance

MAX_GROW, MAX_FEATHER = 512, 512
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
HALF = 128
"""Grey levels from here up are selected."""
DARK = 16
"""Within so many levels of black or white a pixel counts as such: compression leaves them a little grey."""

PixelBox = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels; x1 and y1 are the first column and row outside."""


@dataclass(frozen=True)
class Selection:
    """mask: (H, W), True where the picture may change. notes: how the mask was understood."""

    mask: Bits
    notes: tuple[Note, ...] = ()

    @property
    def box(self) -> PixelBox:
        """The smallest box around all that is selected."""
        return box_of(self.mask)


def from_picture(mask: npt.NDArray[Any], size: tuple[int, int]) -> Selection:
    """The selection that a map makes. size: (width, height) of the picture that it is for.

    mask: (H, W), bool, or uint8 as `core.pictures.open_map` reads files. Raises `InvalidRequest` for another size or
    kind.
    """
    if mask.ndim != 2 or mask.dtype not in (np.uint8, np.bool_):
        raise InvalidRequest("mask", f"is an array {mask.shape} of {mask.dtype}; (H, W) of bool or uint8 is needed")
    height, width = mask.shape
    if (width, height) != size:
        raise InvalidRequest(
            "mask", f"is {width}x{height}, but the picture is {size[0]}x{size[1]}; both have to be of one size"
        )
    if mask.dtype == np.bool_:
        return Selection(mask)
    between = float(((mask > DARK) & (mask < 255 - DARK)).mean())
    told = f"has {between:.0%} grey pixels, cut at half; soft edges are what feather is for"
    return Selection(mask >= HALF, (_note(told),) if between > 0.02 else ())


_NUMBER = r"\s*(-?\d+(?:\.\d*)?|-?\.\d+)\s*"
_BOX = re.compile(",".join([_NUMBER] * 4))


def names_file(text: str) -> bool:
    """Whether a mask given as text names a file: one that is there, or what could only be one."""
    if text == "-" or "/" in text or text.lower().endswith(SUFFIXES):
        return True
    try:
        return Path(text).is_file()
    except OSError:  # longer than a name may be
        return False


def looks_like_box(text: str) -> bool:
    """Whether text is meant as a box: numbers and commas, well formed or not."""
    return bool(re.fullmatch(r"[\s\d.,+-]+", text)) and "," in text


def parse_box(text: str, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """x, y, width, height in pixels, from "x,y,w,h" in pixels, or in fractions (all at most 1, with a point)."""
    match = _BOX.fullmatch(text.strip())
    if match is None:
        raise InvalidRequest("mask", f"{text!r} is not a box: x,y,width,height in pixels or in fractions, with commas")
    x, y, w, h = (float(part) for part in match.groups())
    if "." in text and max(x, y, w, h) <= 1:
        x, w, y, h = x * size[0], w * size[0], y * size[1], h * size[1]
    return x, y, w, h


def from_box(text: str, size: tuple[int, int]) -> Selection:
    """The selection of a box "x,y,w,h". size: (width, height). What lies beyond the picture is cut off, and noted."""
    x, y, w, h = parse_box(text, size)
    if w <= 0 or h <= 0:
        raise InvalidRequest("mask", f"the box {text!r} has no area: width and height have to be above 0")
    width, height = size
    x0, y0, x1, y1 = (round(side) for side in (x, y, x + w, y + h))
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    a, b, c, d = max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)
    if a >= c or b >= d:
        raise InvalidRequest("mask", f"the box {text!r} lies outside of the picture, which is {width}x{height}")
    cut = (a, b, c, d) != (x0, y0, x1, y1)
    notes = (_note(f"the box reached beyond the picture ({width}x{height}) and was cut"),) if cut else ()
    return Selection(of_boxes([(a, b, c, d)], size), notes)


def of_boxes(boxes: Sequence[PixelBox], size: tuple[int, int]) -> Bits:
    """True inside any of the boxes. size: (width, height)."""
    mask = np.zeros((size[1], size[0]), np.bool_)
    for x0, y0, x1, y1 in boxes:
        mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = True
    return mask


def finished(selection: Selection, *, invert: bool = False, grow: int = 0) -> Selection:
    """The selection inverted, then grown by so many pixels (negative shrinks).

    Raises `InvalidRequest` if nothing is left of it; all of the picture is allowed, with a note.
    """
    if not -MAX_GROW <= grow <= MAX_GROW:
        raise InvalidRequest("grow", f"{grow} is not allowed: -{MAX_GROW} to {MAX_GROW} pixels")
    mask = ~selection.mask if invert else selection.mask
    if not mask.any():
        why = "selects everything, and inverted nothing" if invert else "selects nothing: no pixel of it is set"
        raise InvalidRequest("mask", f"{why}; there has to be something that may change")
    if grow:
        mask = grown(mask, grow)
        if not mask.any():
            raise InvalidRequest("grow", f"{grow} shrinks the mask to nothing; use a smaller number")
    notes = list(selection.notes)
    if mask.all():
        notes.append(_note("selects the whole picture, so nothing is kept"))
    return Selection(mask, tuple(notes))


def grown(mask: Bits, radius: int) -> Bits:
    """The mask with every pixel within `radius` of it; negative: without those within -radius of what is outside.

    The picture's border is no outside.
    """
    if radius < 0:
        return ~grown(~mask, -radius)
    if radius == 0 or not mask.any():
        return mask
    height, width = mask.shape
    x0, y0, x1, y1 = box_of(mask)
    window = np.s_[max(y0 - radius, 0) : min(y1 + radius, height), max(x0 - radius, 0) : min(x1 + radius, width)]
    result = mask.copy()
    result[window] = distance(mask[window], radius) <= radius
    return result


def feathered(mask: Bits, feather: int) -> Floats:
    """How much of the new picture each pixel takes, 0..1, (H, W): 0 outside, rising to 1 `feather` pixels inside.

    The rise is half a cosine wave over the distance to the nearest pixel outside. Raises `InvalidRequest` for a
    feather that is out of range.
    """
    check_feather(feather)
    if feather == 0:
        return mask.astype(np.float32)
    inside = distance(~mask, feather)
    share = inside / np.float32(feather + 1)
    return (0.5 - 0.5 * np.cos(np.pi * share)).astype(np.float32) * mask


def check_feather(feather: int) -> None:
    if not 0 <= feather <= MAX_FEATHER:
        raise InvalidRequest("feather", f"{feather} is not allowed: 0 to {MAX_FEATHER} pixels")


def box_of(mask: Bits) -> PixelBox:
    """The smallest box around the True pixels. Raises ValueError if there are none."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        raise ValueError("an empty mask has no box")
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _note(text: str) -> Note:
    return Note("mask", "note", text)
