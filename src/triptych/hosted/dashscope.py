"""Alibaba's Wan by DashScope: a task is submitted, then polled; the pictures' addresses live for a day.

From the Model Studio reference. One user message with pictures and one text; regions of an edit as boxes (`bbox_list`).
DashScope keeps a list of tasks for a day, so a job whose answer never came can be found there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

from triptych.core.capabilities import Capabilities
from triptych.core.errors import ProviderError
from triptych.core.inputs import ROLES
from triptych.editing.masks import box_of
from triptych.hosted import prices
from triptych.hosted.ark import data_url
from triptych.hosted.errors import NotRun, Spoilt
from triptych.hosted.messages import Answer, Call
from triptych.hosted.provider import (
    Codes,
    Complaint,
    Found,
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

CODES = Codes(
    "DashScope",
    moderated=("datainspection", "inappropriate"),
    poor=("arrearage", "allocationquota", "freetieronly"),
    keys=("invalidapikey",),
)
WORKING = ("PENDING", "RUNNING")
ZONES = timedelta(hours=14)
"""The list's times are written without a zone: it is asked wide, and what it holds has times that are clear."""


def _model(name: str, id: str, description: str, most: int) -> Model:
    takes = Capabilities(
        family="hosted",
        native_size=(1024, 1024),
        size_multiple=16,
        min_pixels=768 * 768,
        max_pixels=most * most,
        max_ratio=8,
        guidance=False,
        negative=False,
        plan=False,
        unconditional=False,
        grade="none",
        reference_roles=ROLES,
        max_references=9,
        masks="guided",
        price=prices.words(name),
    )
    return Model(name, id, description, takes, per_call=4, inputs=9, seeds=2**31, input_pixels=2048 * 2048)


class DashScope(Synchronous):
    name, title = "dashscope", "DashScope"
    base = "https://dashscope-intl.aliyuncs.com/api/v1"
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = (".aliyuncs.com",)
    auth_header, auth_prefix = "Authorization", "Bearer "
    usage_page = "https://modelstudio.console.alibabacloud.com"
    models: tuple[Model, ...] = (
        _model("dashscope/wan-2.7-image-pro", "wan2.7-image-pro", "Wan 2.7 Image Pro: up to 4K from words", 4096),
        _model("dashscope/wan-2.7-image", "wan2.7-image", "Wan 2.7 Image: faster, up to 2K", 2048),
    )

    def call(self, task: Task, base: str) -> Call:
        content: list[dict[str, Any]] = [{"image": data_url(png(picture))} for picture in task.pictures]
        content.append({"text": prompt_of(task, mask_in_words=False)})
        parameters: dict[str, Any] = {"size": f"{task.width}*{task.height}", "n": task.n, "watermark": False}
        if task.seed is not None:
            parameters["seed"] = task.seed
        if task.picture is not None and task.mask is not None and not task.mask.all():
            boxes = [[list(box_of(task.mask))], *([] for _ in task.references)]
            parameters["bbox_list"] = boxes
        body = {
            "model": task.model.id,
            "input": {"messages": [{"role": "user", "content": content}]},
            "parameters": parameters,
        }
        address = f"{base}/services/aigc/image-generation/generation"
        return Call("POST", address, json=body, headers={"X-DashScope-Async": "enable"})

    def understand(self, answer: Answer, task: Task) -> Reply:
        data = answer.json()
        if answer.status != 200:
            _fail(answer.status, data, answer.retry_after)
        if name := text_of(data, "output", "task_id"):
            return Waiting({"task_id": name})
        raise Spoilt("DashScope took the request and named no task")

    def ask(self, ticket: dict[str, Any], base: str) -> Call:
        return Call("GET", f"{base}/tasks/{quote(text_of(ticket, 'task_id'), safe='')}")

    def told(self, answer: Answer) -> Reply:
        data = answer.json()
        if answer.status != 200:
            _fail(answer.status, data, answer.retry_after)
        status = text_of(data, "output", "task_status")
        if status in WORKING:
            return Waiting({})
        if status == "SUCCEEDED":
            addresses = [
                address
                for choice in items_of(data, "output", "choices")
                for item in items_of(choice, "message", "content")
                if (address := text_of(item, "image"))
            ]
            if addresses:
                return Pictures(tuple(Url(address) for address in addresses))
            raise Spoilt("DashScope is done and names no picture")
        if status == "FAILED":
            _fail(400, data.get("output"), None)
        raise ProviderError(f"DashScope gave the job up: {status[:80] or 'no status'}")

    def look_up(self, model: str, since: datetime, until: datetime, base: str) -> Call | None:
        asked = {
            "start_time": f"{since - ZONES:%Y%m%d%H%M%S}",
            "end_time": f"{until + ZONES:%Y%m%d%H%M%S}",
            "model_name": model,
            "page_no": 1,
            "page_size": 100,
        }
        return Call("GET", f"{base}/tasks/?{urlencode(asked)}")

    def found(self, answer: Answer, since: datetime, until: datetime) -> Found:
        data = answer.json()
        if answer.status != 200:
            _fail(answer.status, data, answer.retry_after)
        total, listed = number_of(data, "total"), items_of(data, "data")
        if total is None:
            raise Spoilt("DashScope's list of tasks is not one")
        if total > len(listed):
            raise ProviderError(f"DashScope's list of that day has {total:g} tasks, more than one page; look yourself")
        low, high = since.timestamp() * 1000, until.timestamp() * 1000
        # One whose time cannot be read may be the one: it is not left out.
        within = [one for one in listed if low <= (number_of(one, "gmt_create") or low) <= high]
        return Found(tuple({"task_id": text_of(one, "task_id")} for one in within))


def _fail(status: int, data: Any, wait: float | None) -> NoReturn:
    """`{"code", "message", "request_id"}`, on the top or in a failed task's output."""
    code = text_of(data, "code")
    if code.lower().startswith("throttling") and "allocation" not in code.lower():
        status = 429
    if status == 404:
        raise NotRun("DashScope does not know the task; it keeps them for a day")
    CODES.fail(Complaint(status, code, text_of(data, "message"), wait))
