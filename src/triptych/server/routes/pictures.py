"""Pictures: those of jobs by job and number, those of the gallery, and uploads that jobs may name by hash.

No route takes a name or a path: a picture is found by ids that the server made.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from triptych.server import uploads
from triptych.server.answers import in_format, picture_body
from triptych.server.errors import ApiError
from triptych.server.routes.common import (
    CHANGES,
    NOT_FOUND,
    REFUSALS,
    Before,
    Index,
    JobId,
    PageSize,
    SearchWords,
    Used,
    next_of,
)
from triptych.server.schemas import GalleryBody, InputBody, NoteBody
from triptych.server.translate import Output

router = APIRouter(prefix="/v1", tags=["pictures"], responses=REFUSALS)
INPUTS = "/v1/inputs"
RowId = Annotated[int, Path(ge=1, le=2**53)]
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture.",
        "content": {
            f"image/{kind}": {"schema": {"type": "string", "format": "binary"}} for kind in ("png", "jpeg", "webp")
        },
    }
}
_FOR_EVER = "private, max-age=31536000, immutable"


@router.get("/pictures/{id}/{index}", response_class=Response, responses={**NOT_FOUND, **_PICTURE}, summary="A picture")
async def picture(
    id: JobId,
    index: Index,
    service: Used,
    format: Annotated[Literal["png", "jpeg", "webp"], Query()] = "png",
    compression: Annotated[int, Query(ge=0, le=100)] = 100,
    expires: Annotated[str | None, Query(max_length=12, description="Of a signed link.")] = None,
    signature: Annotated[
        str | None, Query(max_length=64, description="Of a signed link: instead of the token.")
    ] = None,
) -> Response:
    """With its recipe inside. What was published under an address never changes."""
    png = await service.picture(id, index)
    if png is None:
        raise ApiError(404, f"job {id} has no picture {index}, or not yet")
    data = await asyncio.to_thread(in_format, png, Output(format=format, compression=compression))
    return _picture(data, format, f"{id}-{index}.{format}")


@router.post(
    "/inputs",
    status_code=201,
    responses=CHANGES,
    summary="Upload a picture",
    openapi_extra=uploads.form_schema(uploads.InputFields, pictures=False),
)
async def upload(request: Request, service: Used) -> InputBody:
    """A form with the file `image`. It is decoded in a limited process, kept by the hash of its pixels, and then may be
    named in jobs as `asset`. `as_map`: read it as a grey map (a mask: 255 = edit).
    """
    async with uploads.form(request) as form:
        fields = form.parameters(uploads.InputFields)
        files = form.files("image", most=1)
        form.nothing_else()
        kept = [await uploads.keep(service, one, as_map=fields.as_map) for one in files]
    uploads.need_pictures(kept)
    return InputBody(asset=kept[0].asset, notes=[NoteBody.model_validate(note.as_json()) for note in kept[0].notes])


@router.get("/gallery", summary="Search the pictures that were made here")
async def gallery(service: Used, q: SearchWords = "", before: Before = None, limit: PageSize = 50) -> GalleryBody:
    """By whatever door they were made; newest first."""
    rows = list(await service.gallery(query=q, before=before, limit=limit))
    data = [picture_body(row, f"/v1/gallery/{row.id}/picture") for row in rows]
    return GalleryBody(data=data, next=next_of(rows, limit, lambda row: row.id))


@router.get(
    "/gallery/{id}/picture", response_class=Response, responses={**NOT_FOUND, **_PICTURE}, summary="A gallery's picture"
)
async def gallery_picture(id: RowId, service: Used) -> Response:
    """404 where the file is gone or lies outside of the server's folder: the command line writes anywhere."""
    png = await service.gallery_picture(id)
    if png is None:
        raise ApiError(404, f"picture {id} of the gallery is not in the server's folder")
    return _picture(png, "png", f"{id}.png")


def _picture(data: bytes, format: str, name: str) -> Response:
    headers = {"cache-control": _FOR_EVER, "content-disposition": f'inline; filename="{name}"'}
    return Response(data, 200, headers, f"image/{format}")
