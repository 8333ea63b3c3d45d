"""From words typed at the command line to fields of a request. Raises `InvalidRequest` that names the option."""

from __future__ import annotations

import re
from typing import Any

from triptych.core.errors import InvalidRequest


def size_fields(size: str | None, aspect: str | None, model: str) -> dict[str, Any]:
    """`width` and `height` for --size or --aspect; nothing where neither is given."""
    if size and aspect:
        raise InvalidRequest("aspect", "given together with --size; only one of the two is allowed")
    if size:
        width, height = parse_size(size)
        return {"width": width, "height": height}
    if aspect:
        from triptych.cli.catalogue import registry
        from triptych.core.contract import size_for_aspect

        width, height = size_for_aspect(aspect, registry(hosted=True).capabilities(model))
        return {"width": width, "height": height}
    return {}


def parse_size(size: str) -> tuple[int, int]:
    """Width and height in pixels of "256x256"; a single number is a square."""
    match = re.fullmatch(r"(\d{1,5})(?:[xX×](\d{1,5}))?", size.strip())
    if match is None:
        raise InvalidRequest("size", f"{size!r} is not allowed: WIDTHxHEIGHT in pixels, for example 256x256")
    return int(match[1]), int(match[2] or match[1])


def interval(text: str | None) -> tuple[float, float] | None:
    """Two fractions of "0.1,0.8"."""
    if text is None:
        return None
    try:
        start, end = (float(part) for part in text.split(","))
    except ValueError:
        allowed = "two fractions of the steps, for example 0.1,0.8"
        raise InvalidRequest("guidance_interval", f"{text!r} is not allowed: {allowed}") from None
    return start, end
