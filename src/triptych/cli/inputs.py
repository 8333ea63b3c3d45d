"""From files named at the command line to the inputs of a request: `--init`, `--reference`, `--control`, `--lora`,
`--region`. Raises `InvalidRequest` or `FileProblem` that names the option; imports no torch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.core.asset import Asset, AssetStore, FileAsset, assets_in
from triptych.core.errors import InvalidRequest, one_of
from triptych.core.events import Note
from triptych.core.inputs import CONTROL_KINDS, MAX_REFERENCES, ROLES, Control, Lora, Reference, Region
from triptych.core.pictures import open_map, open_picture
from triptych.core.recipe import Recipe
from triptych.core.request import invalid

NUMBER = r"-?\d+(?:\.\d+)?"


def input_fields(
    *,
    init: Path | None = None,
    strength: float | None = None,
    strength_map: Path | None = None,
    references: Sequence[str] = (),
    controls: Sequence[str] = (),
    loras: Sequence[str] = (),
    regions: Sequence[str] = (),
) -> tuple[dict[str, Any], list[Note]]:
    """The fields of a request, and what there is to tell about the files. Fields that are not given are left out."""
    fields: dict[str, Any] = {}
    notes: list[Note] = []
    if init is not None:
        opened = open_picture(init, parameter="init")
        fields["init"] = opened.asset
        notes += opened.notes
    if strength is not None:
        fields["strength"] = strength
    if strength_map is not None:
        opened = open_map(strength_map, parameter="strength_map")
        fields["strength_map"] = opened.asset
        notes += opened.notes
    if len(references) > MAX_REFERENCES:
        raise InvalidRequest("reference", f"{len(references)} are given; at most {MAX_REFERENCES} are allowed")
    for parameter, given, parse in (
        ("references", references, reference),
        ("controls", controls, control),
        ("loras", loras, lora),
        ("regions", regions, region),
    ):
        if given:
            parsed = [parse(text) for text in given]
            fields[parameter] = tuple(one for one, _ in parsed)
            notes += [note for _, told in parsed for note in told]
    return fields, notes


def reference(text: str) -> tuple[Reference, Sequence[Note]]:
    """FILE or FILE:ROLE."""
    name, colon, role = text.rpartition(":")
    if not colon or Path(text).exists():
        name, role = text, ""
    notes = [] if role else [Note("reference", "note", f"{name}: no role given, so it is taken for its identity")]
    role = one_of("reference", role or "identity", ROLES)
    opened = open_picture(Path(name), parameter="reference")
    return Reference.model_validate({"asset": opened.asset, "role": role}), [*notes, *opened.notes]


def control(text: str) -> tuple[Control, Sequence[Note]]:
    """KIND=FILE, KIND=FILE:WEIGHT or KIND=FILE:WEIGHT:START-END."""
    kind, equals, rest = text.partition("=")
    if not equals:
        raise InvalidRequest("control", f"{text!r} is not allowed: KIND=FILE, for example edges=map.png")
    kind = one_of("control", kind.strip(), CONTROL_KINDS)
    found = re.fullmatch(rf"(?P<file>.*?)(?::(?P<weight>{NUMBER}))?(?::(?P<start>{NUMBER})-(?P<end>{NUMBER}))?", rest)
    if found is None or Path(rest).exists():
        fields: dict[str, str] = {}
        file = rest
    else:
        fields = {key: value for key, value in found.groupdict().items() if value is not None}
        file = fields.pop("file")
    opened = open_picture(Path(file), parameter="control")
    return _checked(Control, "control", {"kind": kind, "map": opened.asset, **fields}), opened.notes


def lora(text: str) -> tuple[Lora, Sequence[Note]]:
    """FILE or FILE:SCALE."""
    found = re.fullmatch(rf"(.*):({NUMBER})", text)
    file, scale = (text, 1.0) if found is None or Path(text).exists() else (found[1], float(found[2]))
    return _checked(Lora, "lora", {"file": FileAsset.of(Path(file)), "scale": scale}), ()


def region(text: str) -> tuple[Region, Sequence[Note]]:
    """x,y,w,h=PROMPT in fractions of the picture, or FILE=PROMPT with a mask."""
    place, equals, prompt = text.partition("=")
    if not equals or not prompt.strip():
        raise InvalidRequest("region", f"{text!r} is not allowed: x,y,w,h=PROMPT in fractions, or MASK.png=PROMPT")
    numbers = re.fullmatch(rf"\s*({NUMBER}),\s*({NUMBER}),\s*({NUMBER}),\s*({NUMBER})\s*", place)
    if numbers is None:
        opened = open_map(Path(place), parameter="region")
        return _checked(Region, "region", {"prompt": prompt.strip(), "mask": opened.asset}), opened.notes
    x, y, w, h = (float(number) for number in numbers.groups())
    return _checked(Region, "region", {"prompt": prompt.strip(), "box": (x, y, x + w, y + h)}), ()


def keep_inputs(recipe: Recipe, inputs: Path) -> None:
    """Keep the pictures that went in, so that `replay` finds them; `FileProblem` where that fails."""
    store = AssetStore(inputs)
    for asset in assets_in(recipe):
        if isinstance(asset, Asset) and asset.loaded:
            store.put(asset)


def _checked(kind: type[Any], parameter: str, fields: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(parameter, str(invalid(error)).partition(": ")[2]) from None
