"""The part of the capability contract about pictures and files: init, references, controls, LoRAs, regions.

Each rule has the form of those in `core.contract`, which calls them. Knows no model by name.
"""

from __future__ import annotations

from typing import Any

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.core.inputs import Control
from triptych.core.request import Request

Resolved = tuple[dict[str, Any], list[Note]]
DEFAULT_STRENGTH = 0.6
INSIDE = 128
"""Grey levels of a region's mask from here up are inside."""
SAME_SHAPE = 0.02
"""By how much the sides' ratio of a map may differ from the picture's and still count as the same."""


def init(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """The picture to start from, how much of it is made anew, and where."""
    if request.init is None:
        return {}, []
    if not capabilities.init:
        instead = "; edit the picture, or give it as a reference" if capabilities.family == "hosted" else ""
        raise InvalidRequest("init", f"not allowed: {name} starts from nothing, never from a picture{instead}")
    if request.strength_map is not None and not capabilities.strength_map:
        raise InvalidRequest("strength_map", f"not allowed: {name} changes all of a picture or nothing")
    width, height = request.width, request.height
    notes: list[Note] = []
    given = (request.init.width, request.init.height)
    if (width, height) != given:
        told = f"the picture of {given[0]}x{given[1]} is scaled to {width}x{height}, which {name} paints"
        notes.append(Note("init", "translated", told))
    mask = request.strength_map
    if mask is not None and (mask.width, mask.height) != given:
        raise InvalidRequest(
            "strength_map", f"is {mask.width}x{mask.height}, the picture is {given[0]}x{given[1]}; they must be equal"
        )
    strength = DEFAULT_STRENGTH if mask is None else 1.0
    return {"strength": strength if request.strength is None else request.strength}, notes


def references(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Pictures to take something from."""
    given = request.references
    if given and not capabilities.max_references:
        raise InvalidRequest("references", f"not allowed: {name} takes no reference pictures")
    if len(given) > capabilities.max_references:
        most = capabilities.max_references
        raise InvalidRequest("references", f"{len(given)} pictures are not allowed for {name}: at most {most}")
    for one in given:
        if one.role not in capabilities.reference_roles:
            allowed = ", ".join(capabilities.reference_roles)
            raise InvalidRequest("references", f"the role {one.role!r} is not allowed for {name} (allowed: {allowed})")
    return {}, []


def controls(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Maps that the picture has to follow."""
    notes: list[Note] = []
    for one in request.controls:
        if one.kind not in capabilities.controls:
            allowed = f"allowed: {', '.join(capabilities.controls)}" if capabilities.controls else "it takes none"
            raise InvalidRequest("controls", f"{one.kind} is not allowed for {name} ({allowed})")
        if one.weight == 0:
            notes.append(Note("controls", "ignored", f"{one.kind}: weight 0 switches it off"))
        else:
            notes += _map_notes(one, request.width or one.map.width, request.height or one.map.height)
    return {"controls": tuple(one for one in request.controls if one.weight)}, notes


def _map_notes(one: Control, width: int, height: int) -> list[Note]:
    """What becomes of a map in another size, and what one without any content says. Blank edges are refused."""
    notes: list[Note] = []
    if one.map.loaded and one.map.rgb.min() == one.map.rgb.max():
        if one.kind == "edges":
            raise InvalidRequest("controls", f"edges: the map {one.map.name!r} is blank; there is no edge to follow")
        notes.append(Note("controls", "note", f"{one.kind}: the map is blank, which asks for an empty picture"))
    given = f"{one.map.width}x{one.map.height}"
    across, down = one.map.width * height, one.map.height * width
    if abs(across - down) > SAME_SHAPE * max(across, down):
        told = f"{one.kind}: the map of {given} has another shape than {width}x{height}; it is put in the middle"
        notes.append(Note("controls", "translated", told))
    elif (one.map.width, one.map.height) != (width, height):
        notes.append(Note("controls", "translated", f"{one.kind}: the map of {given} is scaled to {width}x{height}"))
    return notes


def loras(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Low-rank weights on top of the model's."""
    if request.loras and not capabilities.lora:
        raise InvalidRequest("loras", f"not allowed: {name} has no weights that a LoRA could be added to")
    notes = [
        Note("loras", "ignored", f"{one.file.name}: scale 0 switches it off") for one in request.loras if not one.scale
    ]
    return {"loras": tuple(one for one in request.loras if one.scale)}, notes


def regions(request: Request, capabilities: Capabilities, name: str) -> Resolved:
    """Parts of the picture with prompts of their own."""
    if request.regions and not capabilities.regions:
        raise InvalidRequest("regions", f"not allowed: {name} has one prompt for the whole picture")
    notes: list[Note] = []
    for one in request.regions:
        if one.mask is None:
            continue
        if one.mask.loaded and int(one.mask.pixels.max()) < INSIDE:
            raise InvalidRequest("regions", f"the mask {one.mask.name!r} selects nothing: no pixel of it is white")
        if request.width and request.height and (one.mask.width, one.mask.height) != (request.width, request.height):
            given = f"{one.mask.width}x{one.mask.height}"
            told = f"the mask of {given} is scaled to {request.width}x{request.height}"
            notes.append(Note("regions", "translated", told))
    return {}, notes
