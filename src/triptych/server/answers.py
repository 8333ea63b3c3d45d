"""From jobs that are done to the answers of the API: JSON bodies, formats, usage figures. Knows no HTTP.

The workers write PNG with the recipe inside; JPEG and WebP are made of that here, recipe and colour profile included.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np
from PIL import Image

from triptych.core.errors import TriptychError
from triptych.core.events import Note
from triptych.core.gallery import Row
from triptych.core.metadata import RECIPE_KEY, Format, encode_picture
from triptych.core.recipe import Recipe
from triptych.core.registry import Card
from triptych.jobs.model import Job
from triptych.server.errors import NOT_AGAIN, ApiError
from triptych.server.schemas import (
    Extras,
    ImageBody,
    ImagesBody,
    JobBody,
    JobError,
    JobResult,
    Made,
    ModelBody,
    NoteBody,
    PictureBody,
    TokenDetails,
    Usage,
)
from triptych.server.translate import Output
from triptych.text.tokenizer import pieces

OWNER = "triptych"
PATCH = 16
_FORMATS: dict[str, Format] = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
_STATUS_OF_CODE = {
    "invalid_request": 400,
    "invalid_value": 400,
    "content_refused": 400,
    "file_problem": 400,
    "cancelled": 409,
    "deadline_exceeded": 504,
    "deadline_missed": 504,
    "provider_error": 502,
    "out_of_memory": 507,
    "storage": 507,
}
"""What a job failed with -> the status of the request that waited for it; everything else is 500."""


def picture_url(job: str, index: int) -> str:
    return f"/v1/pictures/{job}/{index}"


def in_format(png: bytes, output: Output) -> bytes:
    """The picture in the format that was asked for; a PNG is passed on byte by byte."""
    if output.format == "png":
        return png
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        picture.load()
        text = picture.info.get(RECIPE_KEY)
        recipe = Recipe.parse(text, source="the picture") if isinstance(text, str) else None
        profile = picture.info.get("icc_profile")
        shown = _without_alpha(picture) if output.format == "jpeg" else picture
        pixels = np.asarray(shown if shown.mode in ("RGB", "RGBA") else shown.convert("RGB"))
    return encode_picture(pixels, recipe, _FORMATS[output.format], profile=profile, quality=max(output.compression, 1))


def enlarged(png: bytes, size: tuple[int, int], output: Output) -> bytes:
    """A small picture on the way, as large as the one that it becomes, so that clients can put it in its place."""
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        whole = picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
    return encode_picture(np.asarray(whole), None, _FORMATS[output.format], quality=max(output.compression, 1))


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def size_text(job: Job) -> str:
    """`WIDTHxHEIGHT` of a job's first picture."""
    first = _images(job)[0]
    return f"{first['width']}x{first['height']}"


def usage(prompt: str, inputs: Sequence[tuple[int, int]], made: Sequence[tuple[int, int]]) -> Usage:
    """Words and signs of the prompt, and squares of 16 x 16 pixels of the pictures that go in and come out."""
    text = sum(1 for _ in pieces(prompt))
    seen, painted = sum(map(_patches, inputs)), sum(map(_patches, made))
    return Usage(
        input_tokens=text + seen,
        input_tokens_details=TokenDetails(text_tokens=text, image_tokens=seen),
        output_tokens=painted,
        output_tokens_details=TokenDetails(text_tokens=0, image_tokens=painted),
        total_tokens=text + seen + painted,
    )


def images_body(
    jobs: Sequence[Job],
    data: Sequence[ImageBody],
    *,
    output: Output,
    notes: Sequence[Note],
    prompt: str,
    inputs: Sequence[tuple[int, int]],
) -> ImagesBody:
    """The whole answer to a generation or an edit. `jobs` are done; `data` are their pictures in order."""
    made = [one for job in jobs for one in made_of(job)]
    first = jobs[0].result or {}
    return ImagesBody(
        created=unix(jobs[0].created),
        data=list(data),
        background="opaque",
        output_format=output.format,
        quality=output.quality,
        size=size_text(jobs[0]),
        usage=usage(prompt, inputs, [(one.width, one.height) for one in made]),
        safety_identifier=output.identifier,
        triptych=Extras(
            jobs=[job.id for job in jobs],
            model=str(first.get("model", "")),
            family=str(first.get("family", "")),
            images=made,
            notes=notes_of(jobs, notes),
            seconds=_seconds(jobs),
        ),
    )


def notes_of(jobs: Sequence[Job], before: Sequence[Note] = ()) -> list[NoteBody]:
    """The notes of the translation and those of the jobs, each once."""
    found = [note.as_json() for note in before]
    found += [note for job in jobs for note in (job.result or {}).get("notes", ())]
    return [NoteBody.model_validate(note) for note in {str(note): note for note in found}.values()]


def made_of(job: Job) -> list[Made]:
    """The pictures of a job; none where it is not done."""
    return [
        Made(
            url=picture_url(job.id, number),
            index=number,
            seed=one.get("seed"),
            width=one["width"],
            height=one["height"],
            pixels_sha256=one["pixels_sha256"],
        )
        for number, one in enumerate(_images(job))
    ]


def job_body(job: Job) -> JobBody:
    """A job as the own API shows it."""
    result = job.result
    return JobBody(
        id=job.id,
        seq=job.seq,
        kind=job.kind,
        state=job.state,
        model=job.model,
        priority=job.priority,
        attempts=job.attempts,
        cancel_requested=job.cancel_requested,
        created=job.created,
        started=job.started,
        finished=job.finished,
        request=job.payload,
        error=JobError.model_validate(job.error) if job.error else None,
        result=JobResult(
            images=made_of(job),
            notes=notes_of([job]),
            model=str(result.get("model", "")),
            family=str(result.get("family", "")),
            seconds=_seconds([job]),
            plan=result.get("plan"),
        )
        if result
        else None,
        events=f"/v1/jobs/{job.id}/events",
    )


def failure(job: Job) -> ApiError:
    """Why a job that has ended has no pictures, as the answer to who waited for it."""
    if job.state == "cancelled":
        return ApiError(409, f"job {job.id} was cancelled", code="job_cancelled", headers=NOT_AGAIN)
    error = job.error or {"code": "unknown", "message": f"nobody knows how job {job.id} ended"}
    code, message, param = str(error.get("code")), str(error.get("message")), error.get("param")
    status = _STATUS_OF_CODE.get(code, 500)
    headers = NOT_AGAIN if status >= 500 or status == 409 else {}
    return ApiError(status, message.removeprefix(f"{param}: "), code=code, param=param, headers=headers)


def model_body(card: Card, created: int) -> ModelBody:
    """A model as `/v1/models` lists it."""
    if card.capabilities is None:
        raise TriptychError(f"{card.name} is a part of other models, not one that makes pictures")
    return ModelBody(
        id=card.name,
        created=created,
        owned_by=OWNER,
        description=card.description,
        family=card.family,
        licence=card.licence,
        capabilities=card.capabilities,
    )


def picture_body(row: Row, url: str | None) -> PictureBody:
    """A row of the gallery, without the path, which is nobody's business outside of this machine."""
    fields = {name: value for name, value in row.as_json().items() if name != "path"}
    return PictureBody(url=url, **fields)


def unix(iso: str) -> int:
    """Seconds since 1970 of a time in ISO 8601."""
    return int(datetime.fromisoformat(iso).timestamp())


def completed(
    kind: Literal["image_generation", "image_edit"], png_in_format: bytes, body: ImagesBody, index: int
) -> dict[str, Any]:
    """The last event of one picture of a stream. usage is that of the whole answer, on every picture of it."""
    made = body.triptych.images[index]
    return {
        "type": f"{kind}.completed",
        "b64_json": base64_of(png_in_format),
        "created_at": body.created,
        "size": f"{made.width}x{made.height}",
        "quality": body.quality,
        "background": body.background,
        "output_format": body.output_format,
        "usage": body.usage.model_dump(),
        "safety_identifier": body.safety_identifier,
        "triptych": {**body.triptych.model_dump(), "index": index},
    }


def _images(job: Job) -> list[dict[str, Any]]:
    return list((job.result or {}).get("images", ()))


def _seconds(jobs: Sequence[Job]) -> dict[str, float]:
    """Seconds per stage, summed over the jobs of an answer."""
    total: dict[str, float] = {}
    for job in jobs:
        found = (job.result or {}).get("seconds") or {}
        stages = found if isinstance(found, dict) else {"total": found}
        for stage, seconds in stages.items():
            total[stage] = round(total.get(stage, 0.0) + float(seconds), 4)
    return total


def _patches(size: tuple[int, int]) -> int:
    return -(-size[0] // PATCH) * -(-size[1] // PATCH)


def _without_alpha(picture: Image.Image) -> Image.Image:
    """Over white: JPEG knows no transparency."""
    if picture.mode != "RGBA":
        return picture
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")
