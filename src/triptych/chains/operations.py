"""What each kind of step calls. Every one gives pictures with recipes; the model's name decides where it is painted.

Modules that need torch are imported when a step is carried out, so that a chain is checked and priced at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych.core.asset import Asset
from triptych.core.contract import resolve
from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.core.inputs import Reference
from triptych.core.pictures import open_map, open_picture
from triptych.core.registry import Registry
from triptych.core.request import Request
from triptych.core.results import Image
from triptych.editing import masks
from triptych.hosted import catalogue
from triptych.hosted.account import Account
from triptych.hosted.edits import WHOLE, native_size, plan_edit
from triptych.hosted.edits import edit as hosted_edit
from triptych.hosted.orders import generate as hosted_generate
from triptych.hosted.orders import order
from triptych.typography.settings import Lettering

Kind = Literal["generate", "edit", "outpaint", "typeset", "upscale"]

PAINTING = ("model", "seed", "quality", "steps", "guidance", "negative", "sampler", "schedule")
EDITING = ("picture", "instruction", "mask", "lock", "feather", "references", *PAINTING)
LETTERING = ("box", "corners", "font", "size", "align", "valign", "colour", "outline", "shadow", "rotate")


@dataclass(frozen=True)
class KindOf:
    """options: what may stand in such a step. required: what has to. model: the usual one, "" where none paints."""

    options: tuple[str, ...]
    required: tuple[str, ...] = ()
    model: str = ""


KINDS: dict[Kind, KindOf] = {
    "generate": KindOf(("prompt", "n", "width", "height", "references", *PAINTING), ("prompt",), "flow"),
    "edit": KindOf(EDITING, ("picture", "instruction"), "flow"),
    "outpaint": KindOf(("picture", "extend", "prompt", *PAINTING), ("picture", "extend"), "flow"),
    "typeset": KindOf(
        (
            "picture",
            "text",
            "box",
            "corners",
            "font",
            "size",
            "align",
            "valign",
            "colour",
            "outline",
            "shadow",
            "rotate",
        ),
        ("picture", "text"),
    ),
    "upscale": KindOf(("picture", "to", "scale"), ("picture",)),
}


@dataclass(frozen=True)
class Made:
    """What a step gave. cost: US dollars, 0 for what is painted here."""

    images: tuple[Image, ...]
    notes: tuple[Note, ...]
    cost: float = 0.0


@dataclass(frozen=True)
class Inputs:
    """The pictures of a step, opened: picture and mask are what the file or the earlier step holds."""

    picture: Path | None = None
    mask: Path | None = None
    references: tuple[Reference, ...] = ()


Operation = Callable[[dict[str, Any], Inputs, Account, str], Made]
"""Settings, pictures, the account, and the tag that a paid call is known again by."""


def check(do: Kind, settings: dict[str, Any], references: int, registry: Registry) -> float:
    """Hold a step against its model's contract, as far as that can be known before its pictures are there. Returns the
    estimate in US dollars. Raises `InvalidRequest` or `FileProblem`.
    """
    if do == "typeset":
        placed = {"box": (0, 0, 100, 100)}  # where is known once the picture is
        Lettering.make(**{**{key: settings[key] for key in settings if key not in ("box", "corners")}, **placed})
    if do in ("typeset", "upscale"):
        return 0.0
    request = _request(settings, _stand_ins(references), KINDS[do].model, words=str(_words(settings)))
    takes = registry.capabilities(request.model)
    if not catalogue.is_hosted(request.model):
        resolve(request, takes, name=request.model)
        return 0.0
    if do == "outpaint":
        raise InvalidRequest("model", f"{request.model} is hosted; outpainting needs a model that paints here")
    if do == "generate":
        return order(request).estimate
    width, height = native_size((1024, 1024), takes)
    shown = np.zeros((height, width, 3), np.uint8)
    fields = {key: value for key, value in _fields(settings).items() if key != "model"}
    whole = np.ones((height, width), np.bool_)
    lock = float(settings.get("lock", WHOLE))
    return plan_edit(
        shown, request.prompt, mask=whole, lock=lock, model=request.model, references=request.references, **fields
    )[0].estimate


def carry_out(do: Kind, settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    """One step. Raises what its kind raises."""
    return _OPERATIONS[do](settings, inputs, account, tag)


def _generate(settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    fields = _fields(settings)
    model = fields.pop("model", KINDS["generate"].model)
    given = {"references": inputs.references} if inputs.references else {}
    if catalogue.is_hosted(model):
        result = hosted_generate(settings["prompt"], model=model, account=account, tag=tag, **given, **fields)
        return Made(result.images, result.notes, result.cost)
    from triptych.api import generate

    result = generate(settings["prompt"], model=model, **given, **fields)
    return Made(result.images, result.notes)


def _edit(settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    fields = _fields(settings)
    model = fields.pop("model", KINDS["edit"].model)
    instruction = settings["instruction"]
    mask: Any = inputs.mask or settings.get("mask")
    lock = settings.get("lock")
    feather = settings.get("feather")
    given = {"references": inputs.references} if inputs.references else {}
    if catalogue.is_hosted(model):
        opened = open_picture(_picture(inputs))
        bits, told = _mask(mask, opened.pixels.shape[1::-1])
        position = float(lock if lock is not None else WHOLE if mask is None else 1.0)
        result = hosted_edit(
            opened.pixels,
            instruction,
            mask=bits,
            lock=position,
            model=model,
            account=account,
            name=opened.name,
            profile=opened.profile,
            feather=feather,
            told=(*opened.notes, *told),
            tag=tag,
            **given,
            **fields,
        )
        return Made((result.image,), result.notes, result.cost)
    if mask is None and lock is None:
        from triptych.api.instruct import edit as instructed

        result = instructed(_picture(inputs), instruction, model=model, feather=feather, **fields)
    else:
        from triptych.api.edit import edit

        position = 1.0 if lock is None else float(lock)
        result = edit(
            _picture(inputs), instruction, mask=mask, lock=position, model=model, feather=feather, **given, **fields
        )
    return Made((result.image,), result.notes)


def _outpaint(settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    from triptych.api.outpaint import outpaint

    result = outpaint(_picture(inputs), settings["extend"], settings.get("prompt", ""), **_fields(settings))
    return Made((result.image,), result.notes)


def _typeset(settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    from triptych.api.typeset import typeset

    fields = {key: value for key, value in settings.items() if key != "text"}
    for name in ("box", "corners"):
        if name in fields:
            fields[name] = tuple(tuple(one) if isinstance(one, list) else one for one in fields[name])
    result = typeset(_picture(inputs), settings["text"], **fields)
    return Made((result.image,), result.notes)


def _upscale(settings: dict[str, Any], inputs: Inputs, account: Account, tag: str) -> Made:
    from triptych.api.upscale import upscale

    result = upscale(_picture(inputs), **settings)
    return Made((result.image,), result.notes)


_OPERATIONS: dict[Kind, Operation] = {
    "generate": _generate,
    "edit": _edit,
    "outpaint": _outpaint,
    "typeset": _typeset,
    "upscale": _upscale,
}


def _fields(settings: dict[str, Any]) -> dict[str, Any]:
    """What of the settings is a field of the request."""
    return {key: settings[key] for key in (*PAINTING, "n", "width", "height") if key in settings}


def _request(settings: dict[str, Any], references: Sequence[Reference], model: str, *, words: str) -> Request:
    fields = {"model": model, **_fields(settings)}
    return Request.make(prompt=words, references=tuple(references), **fields)


def _words(settings: dict[str, Any]) -> Any:
    return settings.get("prompt", settings.get("instruction", ""))


def _stand_ins(count: int) -> list[Reference]:
    """References whose pictures are not there yet, for the contract and the price."""
    asset = Asset.of(np.zeros((1024, 1024, 3), np.uint8), "a picture to come")
    return [Reference(asset=asset) for _ in range(count)]


def _picture(inputs: Inputs) -> Path:
    assert inputs.picture is not None, "the plan has seen to it"
    return inputs.picture


def _mask(mask: Any, size: tuple[int, int]) -> tuple[masks.Bits, tuple[Note, ...]]:
    """All of the picture, a file, a box; words need the readers, and are looked up by them."""
    if mask is None:
        return np.ones((size[1], size[0]), np.bool_), ()
    if isinstance(mask, Path):
        opened = open_map(mask, parameter="mask")
        found = masks.finished(masks.from_picture(opened.pixels, size), invert=False, grow=0)
        return found.mask, (*opened.notes, *found.notes)
    if masks.looks_like_box(str(mask)):
        found = masks.finished(masks.from_box(str(mask), size), invert=False, grow=0)
        return found.mask, found.notes
    raise InvalidRequest("mask", f"{mask!r} is not allowed for a hosted model in a chain: a file or a box x,y,w,h")
