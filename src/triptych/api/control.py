"""Control maps of pictures: `control_map`, what `triptych control` writes and `generate --control` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from triptych.api.seeing import readers
from triptych.control import canny, photos
from triptych.control.canny import HIGH, LOW, SIGMA
from triptych.control.things import Colour, nearest_nouns
from triptych.core.errors import FileProblem, InvalidRequest, one_of
from triptych.core.events import Note, Pixels
from triptych.core.pictures import open_picture
from triptych.core.pixels import pixels_sha256
from triptych.core.plan import Plan
from triptych.core.readers import read_settings
from triptych.evals.scene_maps import KINDS, edges, of_plan, plan_of_reading, world_legend

Source = Literal["pixels", "plan", "readers", "weights"]


@dataclass(frozen=True)
class ControlMap:
    """pixels: uint8 (H, W, 3), of the picture's size. source: what it was made from. legend: noun -> colour of those
    in a segmentation.
    """

    pixels: Pixels
    kind: str
    source: Source
    notes: tuple[Note, ...] = ()
    legend: dict[str, Colour] | None = None


def control_map(
    kind: str,
    path: str | Path,
    *,
    weights: str | Path | None = None,
    sigma: float = SIGMA,
    low: float = LOW,
    high: float = HIGH,
) -> ControlMap:
    """The map of a picture: edges, segmentation, depth or pose.

    Edges come from the pixels (sigma, low, high: see `control.canny`). The others come from the plan, where the picture
    was made by Triptych and is unaltered; else from what the readers find of the built-in world; or, depth and pose of
    photographs, from a network in the local folder `weights`. Raises `InvalidRequest` for an unknown kind, and
    `FileProblem` that says what is needed where nothing is found to make a map of.
    """
    kind = one_of("kind", kind, KINDS)
    opened = open_picture(Path(path))
    pixels = np.ascontiguousarray(opened.asset.rgb)
    if weights is not None:
        made = _of_photo(kind, pixels, Path(weights))
        return ControlMap(made, kind, "weights", opened.notes)
    if kind == "edges":
        return _edges(pixels, opened.notes, sigma, low, high)
    size = (pixels.shape[1], pixels.shape[0])
    plan = _plan_in(Path(path), pixels)
    if plan is not None:
        made = of_plan(kind, plan, size)
        told = Note("image", "note", "made from the plan in its recipe; what the painter did otherwise is not in it")
        return ControlMap(made, kind, "plan", (*opened.notes, told), _legend(kind, made))
    seen = plan_of_reading(readers().read([pixels])[0])
    if not seen.objects:
        raise FileProblem(_needed(kind, Path(path)))
    made = of_plan(kind, seen, size)
    names = ", ".join(thing.noun for thing in seen.objects)
    told = Note("image", "note", f"made from what the readers found: {names}")
    return ControlMap(made, kind, "readers", (*opened.notes, told), _legend(kind, made))


def _edges(pixels: Pixels, notes: tuple[Note, ...], sigma: float, low: float, high: float) -> ControlMap:
    if not 0 <= sigma <= 20:
        raise InvalidRequest("sigma", f"{sigma} is not allowed: 0 to 20 pixels")
    if not 0 < low <= high:
        raise InvalidRequest("low", f"{low:g} and {high:g} are not allowed: more than 0, and --low at most --high")
    made = edges(canny(pixels, sigma=sigma, low=low, high=high))
    if not made.any():
        told = Note("image", "note", "no edge is strong enough, so the map is blank; try a lower --high")
        notes = (*notes, told)
    return ControlMap(made, "edges", "pixels", notes)


def _of_photo(kind: str, pixels: Pixels, folder: Path) -> Pixels:
    if kind == "depth":
        return photos.depth_of_photo(pixels, folder)
    if kind == "pose":
        return photos.pose_of_photo(pixels, folder)
    raise InvalidRequest("weights", f"not allowed with {kind}: only depth and pose are made by networks from a folder")


def _plan_in(path: Path, pixels: Pixels) -> Plan | None:
    """The plan that the picture was painted from, if it carries one and nothing was done to it since."""
    if str(path) == "-":
        return None
    settings = read_settings(path)
    recipe = settings.recipe if settings else None
    if recipe is None or recipe.request is None or recipe.step is not None or recipe.request.init is not None:
        return None
    if recipe.pixels_sha256 != pixels_sha256(pixels):
        return None
    return recipe.request.plan


def _legend(kind: str, made: Pixels) -> dict[str, Colour] | None:
    if kind != "segmentation":
        return None
    numbers = set(np.unique(nearest_nouns(made, world_legend())).tolist())
    return {noun: colour for number, (noun, colour) in enumerate(world_legend().items(), 1) if number in numbers}


def _needed(kind: str, path: Path) -> str:
    found = f"no thing of the built-in world was found in {path}"
    if kind == "segmentation":
        return f"{found}; segmentation of other pictures is not possible here, edges are"
    return f"{found}; {kind} of a photograph needs {photos.NEEDS[kind]} in a local folder, given with --weights"
