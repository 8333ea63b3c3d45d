"""OpenAI's Images API, from its reference and openai-python: generations (JSON), edits (multipart), and the stream."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.hosted.fakes.base import Fake, Handler

ERRORS = {
    "busy": ("rate_limit_exceeded", "requests"),
    "poor": ("insufficient_quota", "insufficient_quota"),
    "key": ("invalid_api_key", "invalid_request_error"),
    "moderated": ("moderation_blocked", "image_generation_user_error"),
    "fault": ("server_error", "server_error"),
}


class FakeOpenAI(Fake):
    name, variable, key_variable, prefix = "openai", "OPENAI_BASE_URL", "OPENAI_API_KEY", "/v1"

    def route(self, handler: Handler) -> None:
        if handler.place.startswith("/files/"):
            self.file(handler, self.bytes_of("", (64, 64), 0))
            return
        if handler.place not in ("/v1/images/generations", "/v1/images/edits") or not self.pay(handler):
            return
        body = handler.content()
        edit = handler.place.endswith("edits")
        fields: dict[str, Any] = {k: v[0] for k, v in body.items()} if edit else body
        size = tuple(int(side) for side in fields["size"].split("x"))
        count = int(fields.get("n", 1))
        if self.mode == "no picture":
            handler.json(200, {"created": 1764100000, "data": []})
            return
        files = [self.bytes_of(fields["prompt"], size, index) for index in range(count)]
        if str(fields.get("stream", "")).lower() == "true":
            self._stream(handler, files[0], int(fields["partial_images"]), "image_edit" if edit else "image_generation")
            return
        if self.by_address:
            data = [{"url": f"{self.origin}/files/{index}.png"} for index in range(count)]
        else:
            data = [{"b64_json": base64.b64encode(file).decode()} for file in files]
        usage = {"input_tokens": 20, "output_tokens": 1056, "total_tokens": 1076}
        more = {"size": fields["size"], "quality": fields["quality"], "output_format": "png", "background": "opaque"}
        handler.json(200, {"created": 1764100000, "data": data, "usage": usage, **more})

    def _stream(self, handler: Handler, file: bytes, partial: int, kind: str) -> None:
        lines = []
        text = base64.b64encode(file).decode()
        for index in range(partial):
            event = {"type": f"{kind}.partial_image", "b64_json": text, "partial_image_index": index}
            lines.append(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n")
        event = {"type": f"{kind}.completed", "b64_json": text, "usage": {"total_tokens": 1356}}
        lines.append(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n")
        handler.reply(200, "".join(lines).encode(), {"Content-Type": "text/event-stream"})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        code, type_ = ERRORS[kind]
        error = {"message": message, "type": type_, "param": None, "code": code}
        handler.json(status, {"error": error}, {"x-request-id": "req_1", **headers})
