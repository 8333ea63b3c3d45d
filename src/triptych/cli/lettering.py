"""From words typed at the command line to the parts of a lettering. Raises `InvalidRequest` that names the option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from triptych.core.errors import InvalidRequest
from triptych.typography.settings import Outline, Shadow

NUMBER = re.compile(r"-?\d{1,6}(?:\.\d+)?")
Part = TypeVar("Part", bound=BaseModel)


def numbers(parameter: str, text: str, count: int) -> tuple[float, ...]:
    """So many numbers with commas between them; `InvalidRequest` names the parameter."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != count or not all(NUMBER.fullmatch("0" + part if part.startswith(".") else part) for part in parts):
        raise InvalidRequest(parameter, f"{text!r} is not allowed: {count} numbers with commas between them")
    return tuple(float(part) for part in parts)


def parse_outline(text: str | None) -> Outline | None:
    """`WIDTH:COLOUR`; `InvalidRequest` for anything else."""
    if text is None:
        return None
    width, _, colour = text.partition(":")
    if not NUMBER.fullmatch(width.strip()):
        raise InvalidRequest("outline", f"{text!r} is not allowed: WIDTH:COLOUR, such as 3:black")
    return _made(Outline, "outline", width=float(width), colour=colour.strip() or "black")


def parse_shadow(text: str | None) -> Shadow | Literal["soft"] | None:
    """`soft`, or `DX,DY[,BLUR][:COLOUR]`; `InvalidRequest` for anything else."""
    if text is None:
        return None
    if text == "soft":
        return "soft"
    places, _, colour = text.partition(":")
    parts = [part.strip() for part in places.split(",")]
    if not 2 <= len(parts) <= 3 or not all(NUMBER.fullmatch(part) for part in parts):
        raise InvalidRequest("shadow", f"{text!r} is not allowed: soft, or DX,DY,BLUR:COLOUR, such as 3,3,4:black")
    fields: dict[str, Any] = dict(zip(("dx", "dy", "blur"), map(float, parts), strict=False))
    return _made(Shadow, "shadow", **fields, **({"colour": colour.strip()} if colour else {}))


def _made(kind: type[Part], parameter: str, **fields: Any) -> Part:
    """A part of the lettering; what it complains of is told under the option's name."""
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        what = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(parameter, f"{first['loc'][0]}: {what[0].lower()}{what[1:]}") from None


def pairs(values: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """x, y, x, y ... as points."""
    return tuple(zip(values[0::2], values[1::2], strict=True))
