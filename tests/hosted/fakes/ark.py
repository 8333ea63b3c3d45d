"""ByteDance Ark's image generation: OpenAI's form, with errors and refusals in words of its own."""

from __future__ import annotations

import base64
from typing import Any

from tests.hosted.fakes.base import Fake, Handler

ERRORS = {
    "busy": (429, "RateLimitExceeded.EndpointRPMExceeded", "TooManyRequests"),
    "poor": (403, "AccountOverdueError", "Forbidden"),
    "key": (401, "AuthenticationError", "Unauthorized"),
    "moderated": (400, "InputTextSensitiveContentDetected", "BadRequest"),
    "fault": (500, "InternalServiceError", "InternalServerError"),
}


class FakeArk(Fake):
    name, variable, key_variable, prefix = "ark", "ARK_BASE_URL", "ARK_API_KEY", "/api/v3"

    def route(self, handler: Handler) -> None:
        if handler.place.startswith("/files/"):
            self.file(handler, self.bytes_of("", (64, 64), 0))
            return
        if handler.place != "/api/v3/images/generations" or not self.pay(handler):
            return
        body: dict[str, Any] = handler.content()
        size = tuple(int(side) for side in body["size"].split("x"))
        data: list[dict[str, Any]] = []
        if self.mode != "no picture":
            file = self.bytes_of(body["prompt"], size, self.bills)
            shown = {"b64_json": base64.b64encode(file).decode()}
            data = [{**({"url": f"{self.origin}/files/0.png"} if self.by_address else shown), "size": body["size"]}]
        usage = {"generated_images": len(data), "output_tokens": 16384, "total_tokens": 16384}
        handler.json(200, {"model": body["model"], "created": 1764100000, "data": data, "usage": usage})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        status, code, type_ = ERRORS[kind]
        error = {"code": code, "message": f"{message} Request id: 021", "param": "", "type": type_}
        handler.json(status, {"error": error}, headers)
