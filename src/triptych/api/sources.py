"""What an edit is told: the picture with what its recipe says, and what of it is selected.

Files, arrays and pictures that were just made are all taken. Words of a mask are looked up by the readers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.api.results import Image
from triptych.api.seeing import see
from triptych.core.asset import Asset
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Note, Pixels
from triptych.core.pictures import open_map, open_picture
from triptych.core.plan import Plan
from triptych.core.readers import read_recipe
from triptych.core.recipe import pixels_sha256
from triptych.editing import masks
from triptych.editing.masks import Selection
from triptych.editing.words import from_words


@dataclass(frozen=True)
class Picture:
    """What is edited. pixels: uint8 (H, W, 3 or 4). plan: what its recipe says is in it, None where it says nothing.

    profile: the ICC profile that the pixels are meant in, None for sRGB.
    """

    pixels: Pixels
    name: str = ""
    plan: Plan | None = None
    notes: tuple[Note, ...] = ()
    profile: bytes | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]


Source = str | Path | Pixels | Asset | Image | Picture
MaskSource = str | Path | npt.NDArray[Any] | Asset


def open_source(picture: Source, *, fresh: bool = False) -> Picture:
    """The picture with what its recipe says, where that is there and about these very pixels."""
    if isinstance(picture, Picture):
        return dataclasses.replace(picture, plan=None) if fresh else picture
    if isinstance(picture, Image):
        plan = picture.plan if picture.recipe.step is None and not fresh else None
        return Picture(picture.pixels, "", plan, profile=picture.profile)
    if isinstance(picture, Asset):
        return Picture(picture.pixels if picture.channels >= 3 else picture.rgb, picture.name)
    if isinstance(picture, np.ndarray):
        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] not in (3, 4) or 0 in picture.shape:
            found = f"{picture.shape} of {picture.dtype}"
            raise InvalidRequest("image", f"is an array {found}; uint8 (H, W, 3 or 4) is needed")
        return Picture(picture)
    opened = open_picture(Path(picture))
    plan = None if fresh else _plan_inside(Path(picture), opened.pixels)
    return Picture(opened.pixels, opened.name, plan, opened.notes, opened.profile)


def select(mask: MaskSource | None, picture: Picture, *, invert: bool = False, grow: int = 0) -> Selection:
    """What of the picture is selected, inverted and grown. Raises `InvalidRequest` for nothing."""
    if mask is None:
        found = Selection(np.ones(picture.size[::-1], np.bool_))
        return masks.finished(found, invert=invert, grow=grow) if invert or grow else found
    return masks.finished(_found(mask, picture), invert=invert, grow=grow)


def _found(mask: MaskSource, picture: Picture) -> Selection:
    if isinstance(mask, np.ndarray):
        return masks.from_picture(mask, picture.size)
    if isinstance(mask, Asset):
        return masks.from_picture(mask.rgb.max(axis=2), picture.size)
    if isinstance(mask, Path) or masks.names_file(mask):
        opened = open_map(Path(mask), parameter="mask")
        found = masks.from_picture(opened.pixels, picture.size)
        return dataclasses.replace(found, notes=(*opened.notes, *found.notes))
    if masks.looks_like_box(mask):
        return masks.from_box(mask, picture.size)
    looked = see(rgb(picture.pixels))
    if looked.notes:
        raise InvalidRequest("mask", f"words need somebody who looks, and {looked.notes[0].text}")
    return from_words(mask, looked.things, picture.size)


def _plan_inside(path: Path, pixels: Pixels) -> Plan | None:
    """The plan that the picture was painted from, if its recipe is about these pixels."""
    try:
        recipe = read_recipe(path)
    except FileProblem:
        return None
    if recipe.step is not None or recipe.request is None or recipe.pixels_sha256 != pixels_sha256(pixels):
        return None
    return recipe.request.plan


def rgb(pixels: Pixels) -> Pixels:
    return Asset.of(np.ascontiguousarray(pixels)).rgb
