"""What a job's payload asks for: a request for the engine, or a step of a chain that paints through the engine.

A payload is JSON and names pictures by hash; they are filled from the folder of inputs. It was checked by the server,
and is checked here again: no field may name a file of this machine. A job without a seed gets one that follows from its
id, so that every attempt paints the same picture.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from triptych.core.asset import Asset, AssetStore, assets_in
from triptych.core.errors import InvalidRequest
from triptych.core.request import Request, invalid
from triptych.editing import masks

PICTURE = Path("picture.png")
"""What the results of steps are asked to encode for."""
_NESTED = ("references", "controls", "loras", "regions", "plan", "init", "strength_map")

Step = Callable[..., Any]
"""A function of `api` that makes one picture; its result has `image`, `report`, `notes`, `request` and `encode`."""


def seed_of(job: str) -> int:
    return int.from_bytes(hashlib.sha256(job.encode()).digest()[:4], "big")


def request_of(job: str, payload: dict[str, Any], inputs: AssetStore) -> Request:
    """The request of a `generate` job; `InvalidRequest` or `FileProblem` as everywhere."""
    request = Request.make(**payload)
    if request.seed is None:
        request = request.model_copy(update={"seed": seed_of(job)})
    _fill(request, inputs)
    return request


def step_of(job: str, kind: str, payload: dict[str, Any], inputs: AssetStore) -> Callable[[], Any]:
    """The call that a job of another kind makes, ready but for the painter."""
    steps = _steps()
    if kind not in steps:
        raise InvalidRequest("kind", f"{kind!r} is not known (allowed: generate, {', '.join(steps)})")
    arguments = {name: value for name, value in payload.items() if value is not None}
    arguments["picture"] = _asset("image", arguments.get("picture"), inputs)
    if "mask" in arguments:
        arguments["mask"] = _mask(arguments["mask"], inputs)
    for name in _NESTED:
        if name in arguments:
            arguments[name] = _nested(name, arguments[name], inputs)
    arguments.setdefault("seed", seed_of(job))
    if "on_event" in arguments:
        raise InvalidRequest("on_event", "is not a field of a job; its events are told anyway")
    try:
        inspect.signature(steps[kind]).bind(**arguments)
    except TypeError as error:
        raise InvalidRequest(kind, f"{error}") from None
    return partial(steps[kind], **arguments)


def _steps() -> dict[str, Step]:
    from triptych.api.change import edit
    from triptych.api.outpaint import outpaint

    return {"edit": edit, "outpaint": outpaint}


def _mask(value: Any, inputs: AssetStore) -> Any:
    """A map by hash, a box, or words; never the name of a file."""
    if isinstance(value, str):
        if masks.names_file(value):
            raise InvalidRequest("mask", "is a picture, a box x,y,w,h or words such as 'the left fox', not a file name")
        return value
    return _asset("mask", value, inputs)


def _asset(name: str, value: Any, inputs: AssetStore) -> Asset:
    try:
        asset = Asset.model_validate(value)
    except ValidationError as error:
        raise InvalidRequest(name, f"is not a picture by hash: {error.errors()[0]['msg']}") from None
    inputs.fill(asset)
    return asset


def _nested(name: str, value: Any, inputs: AssetStore) -> Any:
    """A field of `Request` that holds pictures, as the request would have it, with its pictures at hand."""
    try:
        kind: Any = Request.model_fields[name].annotation
        found = TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise InvalidRequest(name, str(invalid(error)).partition(": ")[2]) from None
    _fill(found, inputs)
    return found


def _fill(value: Any, inputs: AssetStore) -> None:
    for asset in assets_in(value):
        if isinstance(asset, Asset):
            inputs.fill(asset)
