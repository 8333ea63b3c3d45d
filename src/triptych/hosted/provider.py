"""The port of a provider: what a file in this folder has to say so that the rest works.

A provider is pure: it turns a `Task` into one `Call` and an `Answer` into a `Reply`. It opens no connection, reads no
file and remembers nothing, so its whole behaviour is a table of examples in the tests.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, Protocol

import numpy as np
from PIL import Image

from triptych.core.capabilities import Capabilities
from triptych.core.errors import ProviderError
from triptych.core.events import Note, Pixels
from triptych.core.inputs import Reference
from triptych.editing.distance import Bits
from triptych.hosted.errors import Busy, Moderated, NotRun, Spoilt
from triptych.hosted.messages import Answer, Call
from triptych.hosted.reach import Reach

MAX_MESSAGE = 300
"""So many characters of a provider's own words are shown."""


@dataclass(frozen=True)
class Model:
    """name: ours, as in "openai/gpt-image-2". id: the provider's. per_call: most pictures that one call may ask for.

    inputs: most pictures that may go in, the one that is edited included. seeds: how many there are, from 0 up.
    input_pixels: the largest result where pictures go in, None where that makes no difference.
    """

    name: str
    id: str
    description: str
    capabilities: Capabilities
    per_call: int = 1
    inputs: int = 0
    seeds: int = 2**32
    input_pixels: int | None = None


@dataclass(frozen=True)
class Task:
    """What one call asks for. prompt: as a person wrote it. n: at most the model's `per_call`.

    picture: what is edited, at width x height; mask: (height, width), True where it may change; references: pictures to
    take something from. partial: how many pictures to show while it paints.
    """

    model: Model
    prompt: str
    n: int
    width: int
    height: int
    quality: str = "medium"
    seed: int | None = None
    picture: Pixels | None = None
    mask: Bits | None = None
    references: tuple[Reference, ...] = ()
    partial: int = 0

    @property
    def pictures(self) -> list[Pixels]:
        """All that goes in, the edited one first."""
        return [*([] if self.picture is None else [self.picture]), *(one.asset.rgb for one in self.references)]


@dataclass(frozen=True)
class Url:
    """A picture that has to be fetched, from a place that forgets it soon."""

    address: str


@dataclass(frozen=True)
class Pictures:
    """The end of a call. cost: in US dollars, where the provider says it. notes: what it made of the request.

    refused: how many pictures its content rules kept back.
    """

    pictures: tuple[bytes | Url, ...]
    cost: float | None = None
    notes: tuple[Note, ...] = ()
    refused: int = 0


@dataclass(frozen=True)
class Waiting:
    """It works on it. ticket: JSON to ask with, in this process or a later one. done: 0..1 where it says."""

    ticket: dict[str, Any]
    cost: float | None = None
    done: float | None = None


Reply = Pictures | Waiting


@dataclass(frozen=True)
class Found:
    """What a provider's own list says of a time. tickets: of all jobs of the model that it took then."""

    tickets: tuple[dict[str, Any], ...] = ()


class Provider(Protocol):
    """auth_header, auth_prefix: how the key travels. usage_page: where a person sees what was billed."""

    name: str
    title: str
    base: str
    key_hosts: tuple[str, ...]
    picture_hosts: tuple[str, ...]
    auth_header: str
    auth_prefix: str
    usage_page: str
    models: tuple[Model, ...]

    def call(self, task: Task, base: str) -> Call:
        """The one request that costs money."""
        ...

    def understand(self, answer: Answer, task: Task) -> Reply:
        """What the answer means. Raises `Moderated`, `NotRun`, `Spoilt` or `ProviderError`."""
        ...

    def ask(self, ticket: dict[str, Any], base: str) -> Call:
        """How to ask about a job that it accepted."""
        ...

    def told(self, answer: Answer) -> Reply:
        """What the answer to `ask` means."""
        ...

    def partial(self, data: dict[str, Any]) -> bytes | None:
        """The picture in one event of a stream, where the event holds one that is not final."""
        ...

    def look_up(self, model: str, since: datetime, until: datetime, base: str) -> Call | None:
        """How to ask which jobs it took between two times; None where it keeps no such list."""
        ...

    def found(self, answer: Answer, since: datetime, until: datetime) -> Found:
        """What the answer to `look_up` says of that time."""
        ...


class Synchronous:
    """The part of the port that a provider has who answers with the pictures at once and keeps no list."""

    def ask(self, ticket: dict[str, Any], base: str) -> Call:
        raise ProviderError("this provider answers at once and cannot be asked about a job later")

    def told(self, answer: Answer) -> Reply:
        raise ProviderError("this provider answers at once and cannot be asked about a job later")

    def partial(self, data: dict[str, Any]) -> bytes | None:
        return None

    def look_up(self, model: str, since: datetime, until: datetime, base: str) -> Call | None:
        return None

    def found(self, answer: Answer, since: datetime, until: datetime) -> Found:
        raise ProviderError("this provider keeps no list of jobs")


def reach_of(provider: Provider, base: str | None) -> Reach:
    """Where the provider may be reached: its own address, or the one that a person configured."""
    if base is None:
        return Reach(provider.base, False, provider.key_hosts, provider.picture_hosts)
    return Reach(base.rstrip("/"), base.rstrip("/") != provider.base, provider.key_hosts, provider.picture_hosts)


def png(pixels: Pixels) -> bytes:
    """A picture as it is sent: lossless, packed quickly, and with nothing about where it came from."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", compress_level=2)
    return buffer.getvalue()


def mask_png(mask: Bits) -> bytes:
    """A mask in the form of the Images API: transparent where the picture may change."""
    plane = np.where(mask, 0, 255).astype(np.uint8)
    return png(np.stack([plane, plane, plane, plane], axis=2))


@dataclass(frozen=True)
class Complaint:
    """An answer that is an error, in the provider's own words."""

    status: int
    code: str = ""
    message: str = ""
    retry_after: float | None = None


@dataclass(frozen=True)
class Codes:
    """A provider's words for what went wrong, in lower case: its content rules, an empty account, a wrong key."""

    title: str
    moderated: tuple[str, ...] = ()
    poor: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def fail(self, complaint: Complaint) -> NoReturn:
        """Raise what the complaint means: content rules, a key, an empty account, too many requests, or a fault."""
        code, said = complaint.code.lower(), (complaint.message or complaint.code or "no reason given")[:MAX_MESSAGE]
        if any(word in code for word in self.moderated):
            raise Moderated(f"{self.title} refused it by its content rules: {said}")
        if complaint.status == 402 or any(word in code for word in self.poor):
            raise NotRun(f"the account with {self.title} is out of credit or quota: {said}")
        if complaint.status in (401, 403) or any(word in code for word in self.keys):
            raise NotRun(f"{self.title} does not take the key: {said}")
        if complaint.status == 429:
            raise Busy(f"{self.title} has too many requests: {said}", complaint.retry_after)
        if 400 <= complaint.status < 500:
            raise NotRun(f"{self.title} refused the request: {said}")
        raise ProviderError(f"{self.title} failed ({complaint.status}) and did not say whether it was billed: {said}")


def text_of(data: Any, *path: str) -> str:
    """The text at a path of nested objects, "" where there is none: nothing of an answer is taken on trust."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data if isinstance(data, str) else "" if data is None else str(data)


def number_of(data: Any, *path: str) -> float | None:
    """The finite number at a path of nested objects, None where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    good = isinstance(data, int | float) and not isinstance(data, bool) and abs(data) < 1e15
    return float(data) if good else None


def items_of(data: Any, *path: str) -> Sequence[dict[str, Any]]:
    """The objects of the list at a path of nested objects, none where there is none."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def decoded(text: str, title: str) -> bytes:
    """Base64 to bytes, with or without `data:image/...;base64,` in front; `Spoilt` for anything else."""
    try:
        return base64.b64decode(text.partition(";base64,")[2] or text, validate=True)
    except ValueError:
        raise Spoilt(f"{title} sent a picture that is not base64") from None
