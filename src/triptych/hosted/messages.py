"""What goes to a provider and what comes back, as plain data. Opens no connection; `hosted.http` does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from triptych.hosted.errors import Spoilt

MAX_ANSWER = 192 * 2**20
MAX_PICTURE = 64 * 2**20
EVENTS = "text/event-stream"

Part = tuple[str, tuple[str | None, bytes, str] | tuple[None, str]]
"""One field of a multipart form: name, and (file name, bytes, type) or (None, text)."""


@dataclass(frozen=True)
class Call:
    """One request. json or form: the body. seconds: until the whole answer has to be here. auth: send the key along."""

    method: str
    url: str
    json: Any = None
    form: Sequence[Part] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    auth: bool = True
    seconds: float = 300.0
    limit: int = MAX_ANSWER


@dataclass(frozen=True)
class Answer:
    """What came back, whole. host: who said it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str

    def json(self) -> Any:
        """The decoded body; `Spoilt` for anything that is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no type").partition(";")[0][:40]
            raise Spoilt(
                f"{self.host} answered {self.status} with {kind}, which is not the JSON that was due"
            ) from None

    @property
    def retry_after(self) -> float | None:
        """Seconds of the Retry-After header, None where it has none in seconds."""
        try:
            seconds = float(self.headers.get("retry-after", ""))
        except ValueError:
            return None
        return seconds if 0 <= seconds < 86_400 else None


def events(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of the `data:` lines of an event stream; what is none is left out, as `[DONE]` is."""
    found: list[dict[str, Any]] = []
    for line in body.splitlines():
        if not line.startswith(b"data:"):
            continue
        try:
            data = json.loads(line[5:])
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict):
            found.append(data)
    return found
