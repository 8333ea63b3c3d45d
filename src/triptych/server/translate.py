"""From OpenAI's parameters to ours: each is taken, translated with a note, or refused; none is silently ignored.

Pure functions: nothing here waits or reads a file. What the model itself refuses is said by `core.contract`, before
anything is queued.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from triptych.core import contract
from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.events import Note
from triptych.core.inputs import Reference
from triptych.core.request import Quality, Request
from triptych.editing import masks
from triptych.server.schemas import EditParameters, EditRequest, GenerationParameters, ImageParameters

DEFAULT_MODEL = "flow"
OUTPUTS = ("png", "jpeg", "webp")
LEGACY_SIZES = frozenset({"256x256", "512x512", "1024x1024", "1536x1024", "1024x1536", "1792x1024", "1024x1792"})
"""Sizes that unchanged clients of OpenAI send without asking the model for them first."""
_WORDS = re.compile(r"[\w', -]+")
"""What a mask in words is made of; nothing that could name a file with a folder or a suffix."""
_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")
_QUALITY: dict[str, Quality] = {
    "low": "low",
    "medium": "medium",
    "high": "high",
    "auto": "medium",
    "standard": "medium",
    "hd": "high",
    "xhigh": "high",
    "max": "high",
}
_THEIR_NAMES = {
    "width": "size",
    "height": "size",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
    "negative": "negative_prompt",
    "references": "image",
}
_TAKEN_AS_OURS = ("low", "medium", "high", "auto")


@dataclass(frozen=True)
class Output:
    """How the answer is written. partials: small pictures on the way, for a stream."""

    format: Literal["png", "jpeg", "webp"] = "png"
    compression: int = 100
    as_url: bool = False
    stream: bool = False
    partials: int = 0
    quality: Quality = "medium"
    identifier: str | None = None


def output_of(given: ImageParameters) -> tuple[Output, list[Note]]:
    """How the answer shall be written; `InvalidRequest` for what we do not write."""
    format = given.output_format or "png"
    if format not in OUTPUTS:
        raise InvalidRequest("output_format", f"{format!r} is not allowed: {', '.join(OUTPUTS)}")
    for name in ("frame_count", "frame_duration_ms", "svg"):
        if getattr(given, name) is not None:
            raise InvalidRequest(name, "is not allowed: animations and drawings (gif, svg) are not made here")
    if given.background == "transparent":
        raise InvalidRequest("background", "'transparent' is not allowed: the models paint opaque pictures")
    compression = 100 if given.output_compression is None else given.output_compression
    if format == "png" and compression != 100:
        raise InvalidRequest("output_compression", f"{compression} is not allowed with png, which loses nothing")
    if given.partial_images and not given.stream:
        raise InvalidRequest("partial_images", "is for streams: set stream to true as well")
    if given.stream and given.response_format == "url":
        raise InvalidRequest("response_format", "'url' is not allowed with stream: events carry the picture itself")
    quality = _QUALITY[given.quality or "auto"]
    output = Output(
        format=format,
        compression=compression,
        as_url=given.response_format == "url",
        stream=bool(given.stream),
        partials=given.partial_images or 0,
        quality=quality,
        identifier=given.safety_identifier or given.user or None,
    )
    return output, _notes_of_words(given, quality)


def _notes_of_words(given: ImageParameters, quality: Quality) -> list[Note]:
    """What becomes of parameters that have no meaning for the models here."""
    notes: list[Note] = []
    if given.quality is not None and given.quality not in _TAKEN_AS_OURS:
        notes.append(Note("quality", "translated", f"{given.quality!r} is {quality!r} here"))
    if given.complexity is not None:
        notes.append(Note("complexity", "ignored", "the plan of a picture takes the same work at every setting"))
    if getattr(given, "moderation", None) is not None:
        notes.append(Note("moderation", "ignored", "the local models know a small, drawn world; nothing is filtered"))
    if getattr(given, "style", None) is not None:
        notes.append(Note("style", "ignored", "say in the prompt how it shall be drawn"))
    if getattr(given, "input_fidelity", None) is not None:
        notes.append(Note("input_fidelity", "ignored", "what shall stay is kept exactly at every setting; see lock"))
    return notes


def generation(given: GenerationParameters, capabilities: Capabilities) -> tuple[Request, list[Note]]:
    """The request of a generation, held against the model's contract. Raises `InvalidRequest`."""
    return _painted(given, capabilities, ())


def referring(
    given: EditParameters, capabilities: Capabilities, pictures: Sequence[Asset]
) -> tuple[Request, list[Note]]:
    """A new picture that takes who and what is in it from several others."""
    if given.strength is not None:
        raise InvalidRequest("strength", "needs a mask or lock: several pictures without either make a new one")
    request, notes = _painted(given, capabilities, pictures)
    told = f"without a mask, {len(pictures)} pictures are references of a new one; with one, the first is edited"
    return request, [*notes, Note("image", "translated", told)]


def _painted(
    given: ImageParameters, capabilities: Capabilities, references: Sequence[Asset]
) -> tuple[Request, list[Note]]:
    """A picture from words, and from what is taken from other pictures. Its size is resolved."""
    model = given.model or DEFAULT_MODEL
    size, notes = size_of(given.size, capabilities, model)
    fields: dict[str, Any] = {**_shared(given), "n": given.n or 1, **size}
    with _in_their_words():
        request = Request.make(model=model, references=tuple(Reference(asset=one) for one in references), **fields)
        resolved, _ = contract.resolve(request, capabilities, name=model)  # its notes come with the job's result
    return request.model_copy(update={"width": resolved.width, "height": resolved.height}), notes


def edit(
    given: EditParameters, capabilities: Capabilities, picture: Asset, mask: Asset | None, references: Sequence[Asset]
) -> tuple[dict[str, Any], list[Note]]:
    """The payload of one edit, without its seed's number; held against the contract as far as that can be known."""
    model = given.model or DEFAULT_MODEL
    own = f"{picture.width}x{picture.height}"
    if given.size not in (None, "auto", own):
        raise InvalidRequest("size", f"{given.size!r} is not allowed for an edit: the picture keeps its {own}")
    if mask is not None and (mask.width, mask.height) != (picture.width, picture.height):
        raise InvalidRequest("mask", f"is {mask.width}x{mask.height}; it has to be as large as the picture, {own}")
    shared = _shared(given)
    with _in_their_words():
        whole = Request.make(model=model, references=tuple(Reference(asset=one) for one in references), **shared)
        contract.resolve(whole, capabilities, name=model)
    notes: list[Note] = []
    if mask is None and given.lock is None:
        if given.strength is not None:
            raise InvalidRequest("strength", "needs a mask or lock: without them the instruction says what changes")
        notes.append(Note("mask", "note", "none is given, so the instruction itself says what changes"))
    payload = {
        "picture": picture.model_dump(mode="json"),
        "instruction": shared.pop("prompt"),
        "mask": mask.model_dump(mode="json") if mask else None,
        "lock": given.lock,
        "model": model,
        "strength": given.strength,
        "references": [one.model_dump(mode="json") for one in whole.references] or None,
        **shared,
    }
    return {name: value for name, value in payload.items() if value is not None}, notes


def check_edit(given: EditRequest, capabilities: Capabilities) -> None:
    """Hold an edit of the own API against the contract. Raises `InvalidRequest`; a mask never names a file here."""
    if isinstance(given.mask, str) and not (masks.looks_like_box(given.mask) or _WORDS.fullmatch(given.mask)):
        raise InvalidRequest("mask", "is a picture by hash, a box x,y,w,h, or words such as: the left fox")
    shared = ("seed", "quality", "steps", "guidance", "negative", "plan", "use_plan", "references")
    fields = {name: value for name in shared if (value := getattr(given, name)) is not None}
    request = Request.make(prompt=given.instruction, model=given.model, **fields)
    contract.resolve(request, capabilities, name=given.model)


def size_of(given: str | None, capabilities: Capabilities, model: str) -> tuple[dict[str, int], list[Note]]:
    """Width and height as fields of a request; none for the model's own size.

    One of OpenAI's sizes that the model cannot paint becomes the model's size of that shape: a client that sends
    `1024x1024` with every request means "the usual". Any other size was chosen, and is taken or refused as it is.
    """
    if given in (None, "auto"):
        return {}, []
    found = _SIZE.fullmatch(given)
    if not found:
        raise InvalidRequest("size", f"{given!r} is not allowed: WIDTHxHEIGHT such as 128x128, or auto")
    width, height = int(found[1]), int(found[2])
    if given not in LEGACY_SIZES or _paints(width, height, capabilities, model):
        return {"width": width, "height": height}, []
    width, height = contract.size_for_aspect(f"{width}:{height}", capabilities)
    told = f"{model} does not paint {given}; it is {width}x{height}, the model's own size of that shape"
    return {"width": width, "height": height}, [Note("size", "translated", told)]


@contextmanager
def _in_their_words() -> Generator[None]:
    """Refusals of the contract name our fields; a client of OpenAI knows the ones that it has sent."""
    try:
        yield
    except InvalidRequest as error:
        theirs = _THEIR_NAMES.get(error.parameter, error.parameter)
        raise InvalidRequest(theirs, str(error).removeprefix(f"{error.parameter}: ")) from None


def _paints(width: int, height: int, capabilities: Capabilities, model: str) -> bool:
    try:
        contract.resolve(Request.make(prompt="a", model=model, width=width, height=height), capabilities, name=model)
    except InvalidRequest:
        return False
    return True


def _shared(given: ImageParameters) -> dict[str, Any]:
    """The fields that a painting and an edit share, under our names."""
    fields = {
        "prompt": given.prompt,
        "quality": _QUALITY[given.quality or "auto"],
        "seed": given.seed,
        "negative": given.negative_prompt,
        "steps": given.num_inference_steps,
        "guidance": given.guidance_scale,
    }
    return {name: value for name, value in fields.items() if value is not None}
