"""xAI's images, from docs.x.ai and xai-sdk: edits as JSON, ratios for sizes, a blocked picture as an empty item."""

from __future__ import annotations

import base64
from typing import Any

from tests.hosted.fakes.base import Fake, Handler

from triptych.hosted.xai import SIZES

ERRORS = {
    "busy": (429, "Some resource has been exhausted", ""),
    "poor": (429, "Some resource has been exhausted", "Your team has used all available credits: "),
    "key": (400, "Client specified an invalid argument", ""),
    "moderated": (403, "The caller does not have permission", "Content violates usage guidelines: "),
    "fault": (500, "Internal error", ""),
}


class FakeXAI(Fake):
    name, variable, key_variable, prefix = "xai", "XAI_BASE_URL", "XAI_API_KEY", "/v1"

    def route(self, handler: Handler) -> None:
        if handler.place.startswith("/files/"):
            self.file(handler, self.bytes_of("", (64, 64), 0))
            return
        if handler.place not in ("/v1/images/generations", "/v1/images/edits"):
            return
        if self.mode == "moderated" and handler.place.endswith("generations"):
            self.arrived.set()
            handler.json(200, {"data": [{"b64_json": "", "url": "", "respect_moderation": False}]})
            return
        if not self.pay(handler):
            return
        body: dict[str, Any] = handler.content()
        sizes = {words: size for size, words in SIZES.items()}
        size = sizes[body["aspect_ratio"], body["resolution"]]
        data: list[dict[str, Any]] = []
        for index in range(0 if self.mode == "no picture" else body["n"]):
            file = self.bytes_of(body["prompt"], size, index)
            shown = {"b64_json": base64.b64encode(file).decode()}
            data.append({"url": f"{self.origin}/files/{index}.png"} if self.by_address else shown)
        handler.json(200, {"data": data, "usage": {"cost_in_usd_ticks": 200_000_000 * len(data)}})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        status, code, before = ERRORS[kind]
        handler.json(status, {"code": code, "error": before + message}, headers)
