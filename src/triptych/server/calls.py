"""A call of the Images API from its jobs to its answer: submit, wait or stream, and stop if the client hangs up.

A call is one job of `n` pictures, or `n` jobs of one (edits make one picture each). A replayed call (idempotency key)
finds its jobs again and gets the same answer, whether they have ended or not.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request
from starlette.responses import JSONResponse, Response

from triptych.core.errors import TriptychError
from triptych.core.events import Note
from triptych.core.request import MAX_SEED
from triptych.core.request import Request as Painting
from triptych.jobs.model import Job, NewJob, Submitted
from triptych.server import answers
from triptych.server.errors import ApiError, of_ours
from triptych.server.routes.common import log_words, replay_header, settings_of, tell
from triptych.server.safety import signed
from triptych.server.schemas import ImageBody
from triptych.server.service import NOBODY, Live, Service
from triptych.server.settings import Settings
from triptych.server.stream import EVENT_CONTENT, HEARTBEAT, ClientGone, EventStream, sse, unless_gone
from triptych.server.translate import Output

STREAMED: dict[str, Any] = {
    "responses": {
        "200": {"content": EVENT_CONTENT},
    }
}
"""That a 200 may also be a stream, for `/openapi.json`."""


@dataclass(frozen=True)
class Call:
    """news: the jobs to submit. notes: what became of OpenAI's parameters. inputs: sizes of the pictures that went in.
    size: of the pictures that come out. base: how the client called the server, for links. key, body_sha: the
    idempotency key of the client and what it stands for.
    """

    kind: Literal["image_generation", "image_edit"]
    news: tuple[NewJob, ...]
    output: Output
    notes: tuple[Note, ...]
    prompt: str
    inputs: tuple[tuple[int, int], ...]
    size: tuple[int, int]
    base: str
    key: str | None
    body_sha: str


def generation(painted: Painting, output: Output) -> NewJob:
    """The job of a request of any number of pictures."""
    return NewJob(
        "generate",
        painted.model_dump(mode="json"),
        text=painted.prompt,
        model=painted.model,
        client=output.identifier or "",
    )


def edits(payload: dict[str, Any], n: int, output: Output) -> list[NewJob]:
    """The jobs of `n` variants of an edit: with the seeds s, s + 1, ..., where s is the given one or drawn."""
    seed = payload.get("seed")
    if n > 1 and seed is None:
        seed = secrets.randbelow(2**32)
    news: list[NewJob] = []
    for number in range(n):
        own = payload if seed is None else payload | {"seed": (seed + number) % (MAX_SEED + 1)}
        news.append(
            NewJob("edit", own, text=payload["instruction"], model=payload["model"], client=output.identifier or "")
        )
    return news


async def answer(request: Request, service: Service, call: Call) -> Response:
    """Submit the call's jobs, and answer when they are done: whole, or as a stream."""
    submitted = await _submit(service, call)
    ids = [one.job.id for one in submitted]
    replayed = all(one.replayed for one in submitted)
    tell(request, jobs=ids)
    for one in submitted:
        log_words(one.job)
    headers = {**replay_header(replayed), "x-triptych-job": ids[0]}
    settings = settings_of(request)

    async def abandon() -> None:
        await _abandon(service, call, ids)

    if call.output.stream:
        return EventStream(_events(service, call, ids, settings), headers=headers, on_gone=abandon)
    try:
        body = await unless_gone(_whole(service, call, ids, settings), request.receive)
    except ClientGone:
        await abandon()
        return Response(status_code=499)  # nobody reads it; the log shows it
    except (ApiError, TriptychError):
        await abandon()
        raise
    return JSONResponse(body, headers=headers)


async def _abandon(service: Service, call: Call, ids: Sequence[str]) -> None:
    """Cancel what is left of a call that nobody waits for any more, or that has failed in a part.

    With a key its jobs go on: the client may ask again and get them. Without one it can only begin anew.
    """
    if call.key is None:
        await _cancel(service, ids)


async def _submit(service: Service, call: Call) -> list[Submitted]:
    """All jobs or none: what was taken before one is refused is cancelled."""
    taken: list[Submitted] = []
    try:
        for number, new in enumerate(call.news):
            taken.append(await service.submit(new, key=_key(call.key, number), body_sha=call.body_sha))
    except TriptychError:
        await _cancel(service, [one.job.id for one in taken if not one.replayed])
        raise
    return taken


def _key(key: str | None, number: int) -> str | None:
    """The key of a call's further jobs follows from the client's."""
    if key is None or number == 0:
        return key
    return f"{hashlib.sha256(key.encode('utf-8', 'surrogateescape')).hexdigest()}-{number}"


async def _cancel(service: Service, ids: Sequence[str]) -> None:
    for id in ids:
        with suppress(TriptychError):  # it may have ended in the meantime
            await service.cancel(id)


async def ended(service: Service, id: str) -> Job:
    """The job when it has ended; 503 if the server stops before. With a key it then goes on at the next start."""
    async for _ in service.follow(id):
        pass
    job = await service.job(id)
    if not job.ended:
        raise _stopping(id)
    return job


async def _whole(service: Service, call: Call, ids: Sequence[str], settings: Settings) -> dict[str, Any]:
    jobs = [_done(await ended(service, id)) for id in ids]
    data: list[ImageBody] = []
    for job in jobs:
        for number, _ in enumerate(answers.made_of(job)):
            if call.output.as_url:
                data.append(ImageBody(url=_link(call, job.id, number, settings)))
            else:
                picture = await _picture(service, job.id, number, call.output)
                data.append(ImageBody(b64_json=answers.base64_of(picture)))
    return _body(call, jobs, data).model_dump(mode="json", exclude_none=True)


async def _events(service: Service, call: Call, ids: Sequence[str], settings: Settings) -> AsyncGenerator[bytes, None]:
    """Small pictures as they pass by, then each picture with its figures; an error as the last event."""
    try:
        for id in ids:
            async for event in _partials(service, call, id, settings):
                yield event
            job = _done(await service.job(id))
            body = _body(call, [job], [])
            for number, _ in enumerate(answers.made_of(job)):
                picture = await _picture(service, id, number, call.output)
                data = answers.completed(call.kind, picture, body, number)
                yield sse(data, name=data["type"])
    except (ApiError, TriptychError) as error:
        await _abandon(service, call, ids)
        told = error if isinstance(error, ApiError) else of_ours(error)
        yield sse(told.body(), name="error")


async def _partials(service: Service, call: Call, id: str, settings: Settings) -> AsyncGenerator[bytes, None]:
    """At most `partials` small pictures of each picture of a job, spread over its steps; ends with the job."""
    wanted = call.output.partials
    told: dict[int, int] = {}
    async for event in service.follow(id, partials=wanted if wanted else NOBODY, idle=settings.heartbeat):
        if event is None:
            yield HEARTBEAT
        if not isinstance(event, Live) or event.kind != "preview" or event.png is None:
            continue
        index, step, total = event.data["index"], event.data["step"], event.data["total"]
        number = told.get(index, 0)
        if number >= wanted or step * (wanted + 1) < (number + 1) * total:
            continue
        told[index] = number + 1
        small = await asyncio.to_thread(answers.enlarged, event.png, call.size, call.output)
        data = {
            "type": f"{call.kind}.partial_image",
            "b64_json": answers.base64_of(small),
            "partial_image_index": number,
            "created_at": answers.unix((await service.job(id)).created),
            "size": f"{call.size[0]}x{call.size[1]}",
            "quality": call.output.quality,
            "background": "opaque",
            "output_format": call.output.format,
            "triptych": {"job": id, "index": index, "step": step, "total": total},
        }
        yield sse(data, name=data["type"])
    if not (await service.job(id)).ended:
        raise _stopping(id)


async def _picture(service: Service, id: str, index: int, output: Output) -> bytes:
    png = await service.picture(id, index)
    if png is None:
        raise ApiError(500, f"picture {index} of job {id} is not there any more", code="picture_missing")
    return await asyncio.to_thread(answers.in_format, png, output)


def _body(call: Call, jobs: Sequence[Job], data: Sequence[ImageBody]) -> Any:
    return answers.images_body(jobs, data, output=call.output, notes=call.notes, prompt=call.prompt, inputs=call.inputs)


def _link(call: Call, id: str, index: int, settings: Settings) -> str:
    """A whole address, as clients expect: by the name that this client called us by, which is on the allow-list."""
    output = call.output
    path = call.base + signed(answers.picture_url(id, index), settings.token.value, time.time())
    return path if output.format == "png" else f"{path}&format={output.format}&compression={output.compression}"


def _done(job: Job) -> Job:
    if job.state != "done":
        raise answers.failure(job)
    return job


def _stopping(id: str) -> ApiError:
    message = (
        f"the server stops before job {id} is done; ask again when it is back, with the same Idempotency-Key if any"
    )
    return ApiError(503, message, code="stopping", headers={"retry-after": "5"})
