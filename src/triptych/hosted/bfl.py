"""Black Forest Labs' FLUX.2: asked once, then polled; the picture's address is dead after ten minutes.

From docs.bfl.ai: `POST /v1/flux-2-pro` answers with an id, a `polling_url` (which has to be used, and lies on another
host of theirs) and the cost in credits of a cent. Pictures go in as base64; there is no mask. Seeds are taken.
"""

from __future__ import annotations

import base64
from typing import Any, NoReturn

from triptych.core.capabilities import Capabilities
from triptych.core.errors import ProviderError
from triptych.core.inputs import ROLES
from triptych.hosted import prices
from triptych.hosted.errors import Moderated, Spoilt
from triptych.hosted.messages import Answer, Call
from triptych.hosted.provider import (
    Codes,
    Complaint,
    Model,
    Pictures,
    Reply,
    Synchronous,
    Task,
    Url,
    Waiting,
    items_of,
    number_of,
    png,
    text_of,
)
from triptych.hosted.words import prompt_of

CREDIT = 0.01
"""US dollars."""
MEGAPIXELS = 4 * 1024 * 1024
CODES = Codes("Black Forest Labs")
WORKING = ("Pending", "Queued", "Processing")


def _model(name: str, id: str, description: str) -> Model:
    takes = Capabilities(
        family="hosted",
        native_size=(1024, 1024),
        size_multiple=32,
        min_side=64,
        max_pixels=MEGAPIXELS,
        guidance=False,
        negative=False,
        plan=False,
        unconditional=False,
        grade="none",
        reference_roles=ROLES,
        max_references=8,
        masks="words",
        price=prices.words(name),
    )
    return Model(name, id, description, takes, inputs=8)


class BlackForestLabs(Synchronous):
    name, title = "bfl", "Black Forest Labs"
    base = "https://api.bfl.ai/v1"
    key_hosts: tuple[str, ...] = (".bfl.ai",)
    picture_hosts: tuple[str, ...] = (".bfl.ai",)
    auth_header, auth_prefix = "x-key", ""
    usage_page = "https://dashboard.bfl.ai"
    models: tuple[Model, ...] = (
        _model("bfl/flux-2-pro", "flux-2-pro", "FLUX.2 Pro: flow matching, faces from words alone, seeds"),
        _model("bfl/flux-2-max", "flux-2-max", "FLUX.2 Max: the largest of them"),
    )

    def call(self, task: Task, base: str) -> Call:
        body: dict[str, Any] = {
            "prompt": prompt_of(task, mask_in_words=True),
            "width": task.width,
            "height": task.height,
            "output_format": "png",
        }
        if task.seed is not None:
            body["seed"] = task.seed
        for number, picture in enumerate(task.pictures, start=1):
            key = "input_image" if number == 1 else f"input_image_{number}"
            body[key] = base64.b64encode(png(picture)).decode()
        return Call("POST", f"{base}/{task.model.id}", json=body)

    def understand(self, answer: Answer, task: Task) -> Reply:
        data = answer.json()
        if answer.status != 200:
            _fail(answer, data)
        address = text_of(data, "polling_url")
        if not address:
            raise Spoilt("Black Forest Labs took the request and gave no address to ask at")
        credits = number_of(data, "cost")
        ticket = {"id": text_of(data, "id"), "polling_url": address}
        return Waiting(ticket, cost=None if credits is None else credits * CREDIT)

    def ask(self, ticket: dict[str, Any], base: str) -> Call:
        return Call("GET", text_of(ticket, "polling_url"))

    def told(self, answer: Answer) -> Reply:
        data = answer.json()
        status = text_of(data, "status")
        if status in WORKING:
            return Waiting({}, done=number_of(data, "progress"))
        if status == "Ready":
            if address := text_of(data, "result", "sample"):
                return Pictures((Url(address),))
            raise Spoilt("Black Forest Labs is done and names no picture")
        if "Moderated" in status:
            raise Moderated(f"Black Forest Labs refused it by its content rules: {status[:80]}")
        if status:
            raise ProviderError(f"Black Forest Labs gave the job up: {status[:80]}")
        if answer.status != 200:
            _fail(answer, data)
        raise Spoilt("Black Forest Labs answered without a status")


def _fail(answer: Answer, data: Any) -> NoReturn:
    """`{"detail": "..."}`, or a list of `{"loc", "msg"}` where a field is wrong."""
    messages = [text_of(item, "msg") for item in items_of(data, "detail")]
    message = "; ".join(messages) if messages else text_of(data, "detail") or text_of(data, "message")
    wait = answer.retry_after if answer.retry_after is not None else number_of(data, "retry_after")
    CODES.fail(Complaint(answer.status, text_of(data, "error"), message, wait))
