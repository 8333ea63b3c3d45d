"""What several routes need: the service of the app, types of parameters, and the errors that every route may answer."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Annotated, Any, cast

from fastapi import Depends, Header, Path, Query, Request

from triptych.core.errors import InvalidRequest
from triptych.core.logs import FIELDS
from triptych.core.registry import Card
from triptych.jobs.model import Job
from triptych.server.errors import ApiError
from triptych.server.metrics import Metrics
from triptych.server.schemas import ErrorBody
from triptych.server.service import Service
from triptych.server.settings import Settings

log = logging.getLogger(__name__)
JOB_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
MAX_PAGE = 200

JobId = Annotated[str, Path(pattern=JOB_ID, description="A job's id, as submitting it told.")]
Index = Annotated[int, Path(ge=0, le=1000, description="Which picture of the job, from 0.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key and body again give the first job's answer and start nothing new.",
    ),
]
SearchWords = Annotated[str, Query(max_length=500, description="Words of the prompt; beginnings count.")]
Before = Annotated[int | None, Query(ge=0, le=2**53, description="The `next` of the page before.")]
PageSize = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def _answers(**described: str) -> dict[int | str, dict[str, Any]]:
    return {int(name[1:]): {"model": ErrorBody, "description": text} for name, text in described.items()}


REFUSALS = _answers(
    s400="A parameter is not allowed.",
    s401="The token is missing or wrong.",
    s403="This host or page may not ask.",
    s408="The body stopped coming.",
    s431="Too many or too long headers.",
    s500="Something went wrong here.",
    s503="The server is stopping, overloaded, or cannot reach its disk.",
)
"""What every route may answer."""
NOT_FOUND = _answers(s404="There is no such thing.")
CHANGES = _answers(
    s404="There is no such model or thing.",
    s409="It is too late for that, or the job was cancelled.",
    s413="The body is too large.",
    s415="The body is of another type than is taken.",
    s429="The queue is full; try again after `Retry-After` seconds.",
    s504="The job missed its deadline.",
    s507="The disk or the memory is full.",
)
"""What routes that change something may answer besides."""


def service_of(request: Request) -> Service:
    return cast(Service, request.app.state.service)


def settings_of(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def metrics_of(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


Used = Annotated[Service, Depends(service_of)]
Set = Annotated[Settings, Depends(settings_of)]
Counted = Annotated[Metrics, Depends(metrics_of)]


def model_card(service: Service, name: str) -> Card:
    """The card of a model that makes pictures; 404 in OpenAI's words if there is none."""
    cards = {card.name: card for card in service.models() if card.capabilities is not None}
    if name not in cards:
        message = f"The model {name!r} does not exist (there are: {', '.join(sorted(cards))})"
        raise ApiError(404, message, code="model_not_found", param="model")
    return cards[name]


def tell(request: Request, **fields: Any) -> None:
    """Put ids into the request's line of the log."""
    request.scope.setdefault("state", {}).setdefault("told", {}).update(fields)


def log_words(job: Job) -> None:
    """What was asked, at the level `debug` alone: the log of every day holds nothing that a person wrote."""
    log.debug("submitted", extra={FIELDS: {"job": job.id, "text": job.text}})


def body_sha(route: str, *parts: Any) -> str:
    """What an idempotency key stands for: the route and everything that was asked there."""
    text = json.dumps([route, *parts], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def replay_header(replayed: bool) -> dict[str, str]:
    return {"idempotent-replayed": "true"} if replayed else {}


def next_of(rows: list[Any], limit: int, number: Any) -> int | None:
    """Where the next page begins: None after a page that was not full."""
    return number(rows[-1]) if len(rows) == limit else None


def last_event(given: str | None) -> int:
    """The number in a `Last-Event-ID` header, 0 without one."""
    if given is None:
        return 0
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise InvalidRequest("Last-Event-ID", f"{given[:40]!r} is not the number of an event")
    return int(given)


def seq_of(job: Job) -> int:
    return job.seq
