"""Google's image models by the Gemini API: Gemini (`:generateContent`) and Imagen (`:predict`).

From the API reference and python-genai. Gemini answers with parts, some of which are thoughts and are left out; a
picture that its rules keep back is a finish reason, not an error. Shapes and sizes are words (`aspectRatio`,
`imageSize`), each a size in pixels by the documentation's table. No mask, no seed (Imagen's is for Vertex only), no way
to ask later.
"""

from __future__ import annotations

import base64
from typing import Any

from triptych.core.capabilities import Capabilities
from triptych.core.inputs import ROLES
from triptych.core.request import MAX_SIDE
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
    decoded,
    items_of,
    png,
    text_of,
)
from triptych.hosted.words import prompt_of

GEMINI_1K = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
IMAGEN_1K = {"1:1": (1024, 1024), "3:4": (896, 1280), "4:3": (1280, 896), "9:16": (768, 1408), "16:9": (1408, 768)}
BLOCKED = ("SAFETY", "PROHIBITED", "BLOCKLIST", "SPII", "RECITATION")
CODES = Codes(
    "Google",
    moderated=("safety", "prohibited"),
    poor=("perday", "billing", "prepay"),
    keys=("api_key_invalid", "api key"),
)


def _sizes(table: dict[str, tuple[int, int]], factors: dict[str, int]) -> dict[tuple[int, int], tuple[str, str]]:
    """Size in pixels to (aspect ratio, image size), without those that no request can ask for."""
    return {
        (wide * factor, high * factor): (aspect, name)
        for name, factor in factors.items()
        for aspect, (wide, high) in table.items()
        if max(wide, high) * factor <= MAX_SIDE
    }


GEMINI_SIZES = _sizes(GEMINI_1K, {"1K": 1, "2K": 2, "4K": 4})
IMAGEN_SIZES = _sizes(IMAGEN_1K, {"1K": 1, "2K": 2})


def _capabilities(name: str, sizes: tuple[tuple[int, int], ...], **more: Any) -> Capabilities:
    return Capabilities(
        family="hosted",
        native_size=(1024, 1024),
        sizes=sizes,
        max_pixels=max(wide * high for wide, high in sizes),
        guidance=False,
        negative=False,
        plan=False,
        seed=False,
        unconditional=False,
        grade="none",
        price=prices.words(name),
        **more,
    )


def _gemini(name: str, id: str, description: str) -> Model:
    takes = _capabilities(name, tuple(GEMINI_SIZES), reference_roles=ROLES, max_references=10, masks="words")
    return Model(name, id, description, takes, inputs=14)


class Google(Synchronous):
    name, title = "google", "Google"
    base = "https://generativelanguage.googleapis.com/v1beta"
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = ()
    auth_header, auth_prefix = "x-goog-api-key", ""
    usage_page = "https://aistudio.google.com/usage"
    models: tuple[Model, ...] = (
        _gemini("google/gemini-3-pro-image", "gemini-3-pro-image-preview", "Nano Banana Pro: plans before it paints"),
        _gemini("google/gemini-3.1-flash-image", "gemini-3.1-flash-image-preview", "Nano Banana 2: half the price"),
        Model(
            "google/imagen-4",
            "imagen-4.0-generate-001",
            "Imagen 4: diffusion, from words alone",
            _capabilities("google/imagen-4", tuple(IMAGEN_SIZES), masks="none"),
            per_call=4,
        ),
    )

    def call(self, task: Task, base: str) -> Call:
        if task.model.id.startswith("imagen"):
            return _imagen_call(task, base)
        aspect, size = GEMINI_SIZES[task.width, task.height]
        parts: list[dict[str, Any]] = [{"text": prompt_of(task, mask_in_words=True)}]
        for picture in task.pictures:
            data = base64.b64encode(png(picture)).decode()
            parts.append({"inlineData": {"mimeType": "image/png", "data": data}})
        config = {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": aspect, "imageSize": size}}
        body = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
        return Call("POST", f"{base}/models/{task.model.id}:generateContent", json=body)

    def understand(self, answer: Answer, task: Task) -> Reply:
        data = answer.json()
        if answer.status != 200 or text_of(data, "error"):
            CODES.fail(_complaint(answer, data))
        return _imagen_reply(data) if task.model.id.startswith("imagen") else _gemini_reply(data)


def _gemini_reply(data: Any) -> Pictures:
    if reason := text_of(data, "promptFeedback", "blockReason"):
        raise Moderated(f"Google refused the prompt by its content rules: {reason[:80]}")
    pictures: list[bytes] = []
    reasons: list[str] = []
    for candidate in items_of(data, "candidates"):
        reasons.append(text_of(candidate, "finishReason"))
        for part in items_of(candidate, "content", "parts"):
            if part.get("thought") is not True and (text := text_of(part, "inlineData", "data")):
                pictures.append(decoded(text, "Google"))
    if pictures:
        return Pictures(tuple(pictures))
    blocked = next((reason for reason in reasons if any(word in reason for word in BLOCKED)), None)
    if blocked:
        raise Moderated(f"Google kept the picture back by its content rules: {blocked[:80]}")
    raise Spoilt(f"Google answered without a picture ({', '.join(filter(None, reasons))[:80] or 'no reason given'})")


def _imagen_call(task: Task, base: str) -> Call:
    aspect, size = IMAGEN_SIZES[task.width, task.height]
    parameters = {"sampleCount": task.n, "aspectRatio": aspect, "sampleImageSize": size, "includeRaiReason": True}
    body = {"instances": [{"prompt": task.prompt}], "parameters": parameters}
    return Call("POST", f"{base}/models/{task.model.id}:predict", json=body)


def _imagen_reply(data: Any) -> Pictures:
    found = items_of(data, "predictions")
    pictures = [decoded(text, "Google") for item in found if (text := text_of(item, "bytesBase64Encoded"))]
    reasons = [reason for item in found if (reason := text_of(item, "raiFilteredReason"))]
    if pictures:
        return Pictures(tuple(pictures), refused=len(reasons))
    if reasons:
        raise Moderated(f"Google kept the picture back by its content rules: {reasons[0][:160]}")
    raise Spoilt("Google answered without a picture")


def _complaint(answer: Answer, data: Any) -> Complaint:
    """`{"error": {"code", "message", "status", "details"}}`, where the details say how long to wait and which quota."""
    words = [text_of(data, "error", "status")]
    wait = answer.retry_after
    for detail in items_of(data, "error", "details"):
        words.append(text_of(detail, "reason"))
        words += [text_of(violation, "quotaId") for violation in items_of(detail, "violations")]
        delay = text_of(detail, "retryDelay").removesuffix("s")
        if delay.replace(".", "", 1).isdigit():
            wait = float(delay)
    message = text_of(data, "error", "message")
    status = answer.status if answer.status != 200 else 400
    return Complaint(status, " ".join([*words, message if "API key" in message else ""]), message, wait)
