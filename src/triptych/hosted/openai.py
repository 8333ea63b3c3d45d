"""OpenAI's GPT Image models by the Images API (`/v1/images/generations`, `/v1/images/edits`).

From the API reference and openai-python: generation is JSON, an edit is multipart with `image[]` and a mask (alpha 0 =
edit, as large as the first picture). GPT Image models always answer with base64. No seed; no way to ask later.
"""

from __future__ import annotations

from typing import Any

from triptych.core.capabilities import Capabilities, Tier
from triptych.core.inputs import ROLES
from triptych.hosted import prices
from triptych.hosted.errors import Spoilt
from triptych.hosted.messages import EVENTS, Answer, Call, Part, events
from triptych.hosted.provider import (
    MAX_MESSAGE,
    Codes,
    Complaint,
    Model,
    Pictures,
    Reply,
    Synchronous,
    Task,
    Url,
    decoded,
    items_of,
    mask_png,
    number_of,
    png,
    text_of,
)
from triptych.hosted.words import prompt_of

SIZES_15 = ((1024, 1024), (1536, 1024), (1024, 1536))
TIERS = {"low": Tier(), "medium": Tier(), "high": Tier()}
TICK = 1e-10
"""US dollars; how xAI counts."""
CODES = Codes(
    "OpenAI",
    moderated=("moderation_blocked", "content_policy_violation"),
    poor=("insufficient_quota", "billing_hard_limit_reached", "credit_balance"),
)


def _capabilities(name: str, **more: Any) -> Capabilities:
    return Capabilities(
        family="hosted",
        guidance=False,
        negative=False,
        plan=False,
        seed=False,
        unconditional=False,
        grade="none",
        reference_roles=ROLES,
        max_references=10,
        tiers=TIERS,
        masks="guided",
        partial_pictures=3,
        price=prices.words(name),
        **more,
    )


class OpenAI(Synchronous):
    name, title = "openai", "OpenAI"
    base = "https://api.openai.com/v1"
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()
    auth_header, auth_prefix = "Authorization", "Bearer "
    usage_page = "https://platform.openai.com/usage"
    models: tuple[Model, ...] = (
        Model(
            "openai/gpt-image-2",
            "gpt-image-2",
            "GPT Image 2: best at text and at where things stand",
            _capabilities(
                "openai/gpt-image-2", native_size=(1024, 1024), min_pixels=655_360, max_pixels=3840 * 2160, max_ratio=3
            ),
            per_call=10,
            inputs=16,
        ),
        Model(
            "openai/gpt-image-1.5",
            "gpt-image-1.5",
            "GPT Image 1.5: three qualities at three prices",
            _capabilities("openai/gpt-image-1.5", native_size=(1024, 1024), sizes=SIZES_15, max_pixels=1536 * 1024),
            per_call=10,
            inputs=16,
        ),
    )

    def call(self, task: Task, base: str) -> Call:
        fields: dict[str, Any] = {
            "model": task.model.id,
            "prompt": prompt_of(task, mask_in_words=False),
            "n": task.n,
            "size": f"{task.width}x{task.height}",
            "quality": task.quality,
            "output_format": "png",
        }
        headers = {}
        if task.partial:
            fields |= {"stream": True, "partial_images": task.partial}
            headers["Accept"] = EVENTS
        if not task.pictures:
            return Call("POST", f"{base}/images/generations", json=fields, headers=headers)
        parts: list[Part] = [(key, (None, "true" if value is True else str(value))) for key, value in fields.items()]
        for number, picture in enumerate(task.pictures):
            parts.append(("image[]", (f"{number}.png", png(picture), "image/png")))
        if task.picture is not None and task.mask is not None and not task.mask.all():
            parts.append(("mask", ("mask.png", mask_png(task.mask), "image/png")))
        return Call("POST", f"{base}/images/edits", form=parts, headers=headers)

    def understand(self, answer: Answer, task: Task) -> Reply:
        if answer.status == 200 and answer.headers.get("content-type", "").startswith(EVENTS):
            return _streamed(answer)
        return images_reply(answer, CODES)

    def partial(self, data: dict[str, Any]) -> bytes | None:
        text = text_of(data, "b64_json")
        return decoded(text, "OpenAI") if text and text_of(data, "type").endswith(".partial_image") else None


def images_reply(answer: Answer, codes: Codes) -> Pictures:
    """An answer in the form of the Images API, which others speak too."""
    data = answer.json()
    if answer.status != 200 or text_of(data, "error"):
        codes.fail(complaint_of(answer, data))
    pictures: list[bytes | Url] = []
    kept_back: list[Complaint] = []
    for item in items_of(data, "data"):
        if text := text_of(item, "b64_json"):
            pictures.append(decoded(text, codes.title))
        elif address := text_of(item, "url"):
            pictures.append(Url(address))
        elif item.get("respect_moderation") is False:
            kept_back.append(Complaint(400, codes.moderated[0], "a picture was kept back"))
        elif text_of(item, "error"):
            kept_back.append(complaint_of(answer, item))
    if not pictures:
        if kept_back:
            codes.fail(kept_back[0])
        raise Spoilt(f"{codes.title} answered without a picture")
    ticks = number_of(data, "usage", "cost_in_usd_ticks")
    cost = None if ticks is None else ticks * TICK
    return Pictures(tuple(pictures), cost=cost, refused=len(kept_back))


def complaint_of(answer: Answer, data: Any) -> Complaint:
    """`{"error": {"message", "type", "code"}}`; xAI's older form has the text itself under `error`, and says only there
    what was wrong.
    """
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, dict):
        said = text_of(data, "error") or text_of(data, "message")
        error = {"message": said, "code": text_of(data, "code"), "type": said[:MAX_MESSAGE]}
    code = " ".join(filter(None, (text_of(error, "code"), text_of(error, "type"))))
    status = answer.status if answer.status != 200 else 400
    return Complaint(status, code, text_of(error, "message"), answer.retry_after)


def _streamed(answer: Answer) -> Pictures:
    found: list[bytes | Url] = []
    for event in events(answer.body):
        if isinstance(event.get("error"), dict) or text_of(event, "type") == "error":
            CODES.fail(complaint_of(answer, event if isinstance(event.get("error"), dict) else {"error": event}))
        if text_of(event, "type").endswith(".completed") and (text := text_of(event, "b64_json")):
            found.append(decoded(text, "OpenAI"))
    if not found:
        raise Spoilt("OpenAI's stream ended without a picture")
    return Pictures(tuple(found))
