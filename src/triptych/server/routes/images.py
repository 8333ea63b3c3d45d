"""OpenAI's Images API: generations and edits. The official SDK works unchanged."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.jobs.model import NewJob
from triptych.server import calls, translate, uploads
from triptych.server.calls import Call
from triptych.server.routes.common import CHANGES, REFUSALS, Key, Used, body_sha, model_card
from triptych.server.schemas import EditParameters, GenerationParameters, ImagesBody
from triptych.server.translate import DEFAULT_MODEL, Output

router = APIRouter(prefix="/v1/images", tags=["images"], responses={**REFUSALS, **CHANGES})
EDITS = "/v1/images/edits"


@router.post(
    "/generations", response_model=ImagesBody, summary="Make pictures of a prompt", openapi_extra=calls.STREAMED
)
async def generate(request: Request, given: GenerationParameters, service: Used, key: Key = None) -> Response:
    """Waits for the pictures; with `stream` they come as events, small pictures first if `partial_images` asks for
    them. Without an `Idempotency-Key`, hanging up cancels the job.
    """
    output, notes = translate.output_of(given)
    card = model_card(service, given.model or DEFAULT_MODEL)
    painted, more = translate.generation(given, _of(card.capabilities))
    call = Call(
        kind="image_generation",
        news=(calls.generation(painted, output),),
        output=output,
        notes=(*notes, *more),
        prompt=given.prompt,
        inputs=(),
        size=(painted.width or 0, painted.height or 0),
        base=str(request.base_url).rstrip("/"),
        key=key,
        body_sha=body_sha("generations", given.model_dump(mode="json")),
    )
    return await calls.answer(request, service, call)


@router.post(
    "/edits",
    response_model=ImagesBody,
    summary="Change a picture",
    openapi_extra=uploads.form_schema(EditParameters, pictures=True) | calls.STREAMED,
)
async def edit(request: Request, service: Used, key: Key = None) -> Response:
    """A form with `image` (or several `image[]`), perhaps a `mask` (transparent = edit), and the parameters as fields.

    With a mask the prompt says what shall stand there, and every pixel outside stays as it is. Without one it says what
    changes ("make the fox blue"). Several pictures: with a mask the first is edited and the others are references;
    without, a new picture is made that refers to all of them.
    """
    async with uploads.form(request) as form:
        given = form.parameters(EditParameters)
        output, notes = translate.output_of(given)
        card = model_card(service, given.model or DEFAULT_MODEL)
        files, masks = form.files("image", "image[]"), form.files("mask", most=1)
        form.nothing_else()
        kept = [await uploads.keep(service, one) for one in files]
        masked = [await uploads.keep(service, one, as_map=True) for one in masks]
    uploads.need_pictures(kept)
    assets = [one.asset for one in kept]
    mask = masked[0].asset if masked else None
    news, size, more = _jobs(given, _of(card.capabilities), output, assets, mask)
    call = Call(
        kind="image_edit",
        news=tuple(news),
        output=output,
        notes=(*notes, *(note for one in (*kept, *masked) for note in one.notes), *more),
        prompt=given.prompt,
        inputs=tuple((one.width, one.height) for one in assets),
        size=size,
        base=str(request.base_url).rstrip("/"),
        key=key,
        body_sha=body_sha("edits", given.model_dump(mode="json"), [one.sha256 for one in assets], mask and mask.sha256),
    )
    return await calls.answer(request, service, call)


def _jobs(
    given: EditParameters, capabilities: Capabilities, output: Output, pictures: list[Asset], mask: Asset | None
) -> tuple[list[NewJob], tuple[int, int], list[Note]]:
    """The jobs of an edit and the size of what they make: one for each of `n` pictures, or one painting that refers to
    several.
    """
    if len(pictures) > 1 and mask is None and given.lock is None:
        painted, notes = translate.referring(given, capabilities, pictures)
        return [calls.generation(painted, output)], (painted.width or 0, painted.height or 0), notes
    first = pictures[0]
    payload, notes = translate.edit(given, capabilities, first, mask, pictures[1:])
    return calls.edits(payload, given.n or 1, output), (first.width, first.height), notes


def _of(capabilities: Capabilities | None) -> Capabilities:
    assert capabilities is not None  # `model_card` gives only cards of models, which have them
    return capabilities
