"""Black Forest Labs' API, from docs.bfl.ai: submit, poll at the address that was given, fetch from another."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.hosted.fakes.base import KEY, Fake, Handler

STATUSES = {"busy": 429, "poor": 402, "key": 403, "moderated": 422, "fault": 500}


class FakeBFL(Fake):
    name, variable, key_variable, prefix = "bfl", "BFL_BASE_URL", "BFL_API_KEY", "/v1"
    auth_header, auth_prefix = "x-key", ""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: dict[str, dict[str, Any]] = {}

    def route(self, handler: Handler) -> None:
        if handler.place.startswith("/delivery/"):
            job = self.jobs[handler.place.removeprefix("/delivery/").removesuffix(".png")]
            self.file(handler, self.bytes_of(job["prompt"], (job["width"], job["height"]), job["number"]))
        elif handler.place == "/v1/get_result":
            self._poll(handler, parse_qs(urlsplit(handler.path).query)["id"][0])
        elif handler.place.startswith("/v1/flux-2-"):
            self._submit(handler)
        else:
            handler.json(404, {"detail": "Not Found"})

    def _submit(self, handler: Handler) -> None:
        if self.mode == "moderated":  # the rules look at it while it works
            self.arrived.set()
        elif not self.pay(handler):
            return
        name = f"job-{len(self.jobs)}"
        self.jobs[name] = {**handler.content(), "number": len(self.jobs), "asked": 0}
        address = f"{self.base}/get_result?id={name}"
        handler.json(200, {"id": name, "polling_url": address, "cost": 3.0, "input_mp": 0.0, "output_mp": 1.0})

    def _poll(self, handler: Handler, name: str) -> None:
        if handler.headers.get("x-key") != KEY:
            handler.json(403, {"detail": "Not authenticated"})
            return
        job = self.jobs.get(name)
        if job is None:
            handler.json(404, {"id": name, "status": "Task not found", "result": None})
            return
        job["asked"] += 1
        if job["asked"] <= (3 if self.mode == "slow" else 1):
            handler.json(200, {"id": name, "status": "Pending", "result": None, "progress": 0.3})
        elif self.mode == "moderated":
            handler.json(200, {"id": name, "status": "Content Moderated", "result": None})
        else:
            result = {"sample": f"{self.origin}/delivery/{name}.png"} if self.mode != "no picture" else {}
            handler.json(200, {"id": name, "status": "Ready", "result": result})

    def error(self, handler: Handler, status: int, kind: str, message: str, headers: dict[str, str]) -> None:
        handler.json(STATUSES[kind], {"detail": message}, headers)
