"""Jobs of the own API: submit, list, look, cancel, and follow as server-sent events.

| event | id | what |
|---|---|---|
| queued, started, picture, requeued, done, failed, cancelled, unknown | number | on the disk: sent after a break too |
| planned, step, preview | none | passes by: who was not listening has missed it |

A client that comes back with `Last-Event-ID` gets what it missed, in order, and nothing twice.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import JSONResponse, Response

from triptych.core import contract
from triptych.core.asset import Asset, FileAsset, assets_in
from triptych.core.errors import InvalidRequest
from triptych.core.request import Request as Painting
from triptych.jobs.model import JobEvent, NewJob
from triptych.server import translate
from triptych.server.answers import job_body, picture_url
from triptych.server.routes.common import (
    CHANGES,
    NOT_FOUND,
    REFUSALS,
    Before,
    JobId,
    Key,
    PageSize,
    SearchWords,
    Set,
    Used,
    body_sha,
    last_event,
    log_words,
    model_card,
    next_of,
    replay_header,
    seq_of,
    tell,
)
from triptych.server.schemas import JobBody, JobsBody, JobState, Submit, SubmitEdit, SubmitGenerate
from triptych.server.service import NOBODY, Live, Service
from triptych.server.stream import EVENT_CONTENT, HEARTBEAT, EventStream, sse

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=REFUSALS)

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events until the job ends.",
        "content": EVENT_CONTENT,
    },
    204: {"description": "The job has ended, and the client knows it: there is nothing more to come."},
}


@router.post("", status_code=202, response_model=JobBody, responses=CHANGES, summary="Submit a job")
async def submit(request: Request, given: Submit, service: Used, key: Key = None) -> Response:
    """The job is on the disk when this answers. Pictures that go in are named by hash; see `/v1/inputs`."""
    new = _generation(given, service) if isinstance(given, SubmitGenerate) else _edit(given, service)
    for asset in assets_in(given.request if isinstance(given, SubmitGenerate) else given.edit):
        await _need_input(asset, service)
    submitted = await service.submit(new, key=key, body_sha=body_sha("jobs", given.model_dump(mode="json")))
    job = submitted.job
    tell(request, jobs=[job.id])
    log_words(job)
    headers = {"location": f"/v1/jobs/{job.id}", **replay_header(submitted.replayed)}
    return JSONResponse(job_body(job).model_dump(mode="json"), 202, headers)


@router.get("", summary="The newest jobs")
async def jobs(
    service: Used,
    state: Annotated[JobState | None, Query()] = None,
    q: SearchWords = "",
    before: Before = None,
    limit: PageSize = 50,
) -> JobsBody:
    """A page, newest first; `q` searches the prompts."""
    found = list(await service.jobs(state=state, query=q, before=before, limit=limit))
    return JobsBody(data=[job_body(job) for job in found], next=next_of(found, limit, seq_of))


@router.get("/{id}", responses=NOT_FOUND, summary="One job")
async def job(id: JobId, service: Used) -> JobBody:
    """With its pictures when it is done, and the reason when it failed."""
    return job_body(await service.job(id))


@router.post("/{id}/cancel", responses=CHANGES, summary="Cancel a job")
async def cancel(request: Request, id: JobId, service: Used) -> JobBody:
    """At once where it waits, within a step where it runs: `cancel_requested` until then. 409 if it has ended."""
    tell(request, jobs=[id])
    return job_body(await service.cancel(id))


@router.delete("/{id}", responses=CHANGES, summary="Cancel a job (the same)")
async def delete(request: Request, id: JobId, service: Used) -> JobBody:
    """Cancels; the job stays in the list, as everything that was accepted."""
    return await cancel(request, id, service)


@router.get("/{id}/events", response_class=Response, responses={**NOT_FOUND, **_EVENTS}, summary="Follow a job")
async def events(
    id: JobId,
    service: Used,
    settings: Set,
    last_event_id: Annotated[str | None, Header(description="The number of the last event that came.")] = None,
    previews: Annotated[bool, Query(description="Send small pictures on the way, as base64 PNG.")] = False,
) -> Response:
    """Server-sent events until the job has ended; a comment every few seconds keeps the connection open."""
    after = last_event(last_event_id)
    found = await service.job(id)
    if found.ended and after > 0 and not await _any_left(service, id, after):
        return Response(status_code=204)  # EventSource stops coming back only after a 204
    partials = 0 if previews else NOBODY
    return EventStream(_lines(service, id, after, partials, settings.heartbeat))


async def _any_left(service: Service, id: str, after: int) -> bool:
    """Whether a job that has ended has events that the client has not seen."""
    async for event in service.follow(id, after=after):
        if isinstance(event, JobEvent):
            return True
    return False


async def _lines(service: Service, id: str, after: int, partials: int, heartbeat: float) -> AsyncGenerator[bytes, None]:
    yield HEARTBEAT  # something at once, so that the client knows that it is connected
    async for event in service.follow(id, after=after, partials=partials, idle=heartbeat):
        if event is None:
            yield HEARTBEAT
        elif isinstance(event, JobEvent):
            yield sse(_durable(event), name=event.kind, number=event.number)
        else:
            yield sse(_passing(event), name=event.kind)


def _durable(event: JobEvent) -> dict[str, Any]:
    """The event as clients see it: a picture's path on this machine becomes its address, and its worker has no name."""
    data = {name: value for name, value in event.data.items() if name not in ("path", "result", "worker")}
    if event.kind == "picture":
        data["url"] = picture_url(event.job, int(data.get("index", 0)))
    return {"job": event.job, "at": event.at, **data}


def _passing(event: Live) -> dict[str, Any]:
    if event.png is None:
        return event.data
    return {**event.data, "b64_png": base64.b64encode(event.png).decode()}


def _generation(given: SubmitGenerate, service: Service) -> NewJob:
    painting: Painting = given.request
    card = model_card(service, painting.model)
    assert card.capabilities is not None
    contract.resolve(painting, card.capabilities, name=painting.model)
    return NewJob(
        "generate",
        painting.model_dump(mode="json"),
        text=painting.prompt,
        model=painting.model,
        priority=given.priority,
        timeout=given.timeout,
    )


def _edit(given: SubmitEdit, service: Service) -> NewJob:
    card = model_card(service, given.edit.model)
    assert card.capabilities is not None
    translate.check_edit(given.edit, card.capabilities)
    return NewJob(
        "edit",
        given.edit.model_dump(mode="json", exclude_none=True),
        text=given.edit.instruction,
        model=given.edit.model,
        priority=given.priority,
        timeout=given.timeout,
    )


async def _need_input(asset: Asset | FileAsset, service: Service) -> None:
    """Refuse a job whose pictures are not here, before it is queued."""
    if isinstance(asset, FileAsset):
        raise InvalidRequest("loras", "files of weights are not taken over HTTP; use the command line")
    if not await service.has_input(asset.sha256):
        told = f"the picture {asset.sha256[:12]} is not here; send it to /v1/inputs first"
        raise InvalidRequest("request", told)
