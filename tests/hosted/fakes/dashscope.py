"""DashScope, from the Model Studio reference: submit (X-DashScope-Async), poll, fetch, and a list of the day."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hosted.fakes.base import KEY, Fake, Handler

ERRORS = {
    "busy": (429, "Throttling.RateQuota"),
    "poor": (400, "Arrearage"),
    "key": (401, "InvalidApiKey"),
    "moderated": (400, "DataInspectionFailed"),
    "fault": (500, "InternalError"),
}
SUBMIT = "/api/v1/services/aigc/image-generation/generation"


class FakeDashScope(Fake):
    name, variable, key_variable, prefix = "dashscope", "DASHSCOPE_BASE_URL", "DASHSCOPE_API_KEY", "/api/v1"

    def __init__(self) -> None:
        super().__init__()
        self.tasks: dict[str, dict[str, Any]] = {}

    def route(self, handler: Handler) -> None:
        place = handler.place
        if place.startswith("/oss/"):
            name, _, index = place.removeprefix("/oss/").removesuffix(".png").partition("/")
            task = self.tasks[name]
            self.file(handler, self.bytes_of(task["prompt"], task["size"], int(index)))
        elif place == SUBMIT:
            self._submit(handler)
        elif handler.headers.get("Authorization") != f"Bearer {KEY}":
            handler.json(401, {"code": "InvalidApiKey", "message": "Invalid API-key provided."})
        elif place == "/api/v1/tasks/":
            self._list(handler, parse_qs(urlsplit(handler.path).query))
        elif place.startswith("/api/v1/tasks/"):
            self._poll(handler, place.removeprefix("/api/v1/tasks/"))

    def take(self, body: dict[str, Any]) -> str:
        """Note a task, as it stands in the list from then on."""
        name = f"task-{len(self.tasks)}"
        size = tuple(int(side) for side in body["parameters"]["size"].split("*"))
        text = body["input"]["messages"][0]["content"][-1]["text"]
        made = int(time.time() * 1000)
        fields = {"prompt": text, "size": size, "n": body["parameters"]["n"], "model": body["model"], "made": made}
        self.tasks[name] = {**fields, "asked": 0}
        return name

    def _submit(self, handler: Handler) -> None:
        if handler.headers.get("X-DashScope-Async") != "enable":
            handler.json(400, {"code": "InvalidParameter", "message": "asynchronous calls only"})
            return
        if self.mode in ("hang", "reset"):  # it is taken, and the answer is lost
            self.take(handler.content())
        if self.pay(handler):
            name = self.take(handler.content())
            handler.json(200, {"output": {"task_status": "PENDING", "task_id": name}, "request_id": "r"})

    def _poll(self, handler: Handler, name: str) -> None:
        task = self.tasks.get(name)
        if task is None:
            handler.json(200, {"output": {"task_id": name, "task_status": "UNKNOWN"}, "request_id": "r"})
            return
        task["asked"] += 1
        output: dict[str, Any] = {"task_id": name, "task_status": "RUNNING"}
        if task["asked"] > (3 if self.mode == "slow" else 1):
            addresses = [f"{self.origin}/oss/{name}/{index}.png" for index in range(task["n"])]
            content = [{"image": one, "type": "image"} for one in addresses if self.mode != "no picture"]
            choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
            output |= {"task_status": "SUCCEEDED", "choices": [choice], "finished": True}
        handler.json(200, {"output": output, "usage": {"image_count": task["n"]}, "request_id": "r"})

    def _list(self, handler: Handler, asked: dict[str, list[str]]) -> None:
        found = [
            {"task_id": name, "gmt_create": task["made"], "model_name": task["model"], "status": "SUCCEEDED"}
            for name, task in self.tasks.items()
            if task["model"] == asked["model_name"][0]
        ]
        size = int(asked["page_size"][0])
        more = {"page_no": 1, "page_size": size, "total_page": 1}
        handler.json(200, {"total": len(found), "data": found[:size], "request_id": "r", **more})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        status, code = ERRORS[kind]
        handler.json(status, {"code": code, "message": message, "request_id": "r"}, headers)
