"""The Gemini API, from its reference and python-genai: `:generateContent` with a thought before the picture, and
`:predict` for Imagen.
"""

from __future__ import annotations

import base64
from typing import Any

from tests.hosted.fakes.base import Fake, Handler

from triptych.hosted.google import GEMINI_SIZES, IMAGEN_SIZES

QUOTA = {
    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
}
KEY_INFO = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


class FakeGoogle(Fake):
    name, variable, key_variable, prefix = "google", "GEMINI_BASE_URL", "GEMINI_API_KEY", "/v1beta"
    auth_header, auth_prefix = "x-goog-api-key", ""

    def route(self, handler: Handler) -> None:
        kind = handler.place.rpartition(":")[2]
        if not handler.place.startswith("/v1beta/models/") or kind not in ("generateContent", "predict"):
            handler.reply(404, b"{}", {})
        elif self.mode == "moderated" and kind == "generateContent":
            self.arrived.set()
            candidate = {"content": {}, "finishReason": "IMAGE_SAFETY", "finishMessage": "unable to show"}
            handler.json(200, {"candidates": [candidate]})
        elif self.pay(handler):
            (self._gemini if kind == "generateContent" else self._imagen)(handler, handler.content())

    def _gemini(self, handler: Handler, body: dict[str, Any]) -> None:
        config = body["generationConfig"]["imageConfig"]
        sizes = {words: size for size, words in GEMINI_SIZES.items()}
        size = sizes[config["aspectRatio"], config["imageSize"]]
        prompt = body["contents"][0]["parts"][0]["text"]
        parts: list[dict[str, Any]] = [{"text": "Planning the picture.", "thought": True}]
        if self.mode != "no picture":
            draft = self.bytes_of(prompt + " draft", (64, 64), 0)
            picture = self.bytes_of(prompt + f" {self.bills}", size, 0)
            for data, more in ((draft, {"thought": True}), (picture, {})):
                text = base64.b64encode(data).decode()
                parts.append({"inlineData": {"mimeType": "image/png", "data": text}, **more})
        candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
        handler.json(200, {"candidates": [candidate], "usageMetadata": {"totalTokenCount": 1300}})

    def _imagen(self, handler: Handler, body: dict[str, Any]) -> None:
        parameters = body["parameters"]
        sizes = {words: size for size, words in IMAGEN_SIZES.items()}
        size = sizes[parameters["aspectRatio"], parameters["sampleImageSize"]]
        prompt = body["instances"][0]["prompt"]
        files = [self.bytes_of(prompt, size, index) for index in range(parameters["sampleCount"])]
        found = [{"mimeType": "image/png", "bytesBase64Encoded": base64.b64encode(file).decode()} for file in files]
        handler.json(200, {"predictions": found})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        forms: dict[str, tuple[int, str, list[Any]]] = {
            "busy": (429, "RESOURCE_EXHAUSTED", []),
            "poor": (429, "RESOURCE_EXHAUSTED", [QUOTA]),
            "key": (400, "INVALID_ARGUMENT", [KEY_INFO]),
            "moderated": (400, "SAFETY", []),
            "fault": (500, "INTERNAL", []),
        }
        status, name, details = forms[kind]
        if seconds := headers.get("Retry-After"):
            details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}]
        error = {"code": status, "message": message, "status": name, "details": details}
        handler.json(status, {"error": error})
