"""ByteDance's Seedream by Ark: the form of OpenAI's Images API with fields of its own.

One endpoint for everything: pictures go in as `image`, a list of data URLs. A watermark is drawn unless it is declined.
A picture may fail alone: then its item holds an `error`. No mask, no seed for this model, no way to ask later.
"""

from __future__ import annotations

import base64
from typing import Any

from triptych.core.capabilities import Capabilities
from triptych.core.inputs import ROLES
from triptych.hosted import prices
from triptych.hosted.messages import Answer, Call
from triptych.hosted.openai import images_reply
from triptych.hosted.provider import Codes, Model, Reply, Synchronous, Task, png
from triptych.hosted.words import prompt_of

CODES = Codes(
    "ByteDance Ark",
    moderated=("sensitivecontentdetected", "riskdetection"),
    poor=("accountoverdue", "quotaexceeded", "setlimitexceeded", "insufficientbalance"),
)


class Ark(Synchronous):
    name, title = "ark", "ByteDance Ark"
    base = "https://ark.ap-southeast.bytepluses.com/api/v3"
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = (".bytepluses.com", ".volces.com", ".byteplusapi.com")
    auth_header, auth_prefix = "Authorization", "Bearer "
    usage_page = "https://console.byteplus.com/ark"
    models: tuple[Model, ...] = (
        Model(
            "ark/seedream-4.5",
            "seedream-4-5-251128",
            "Seedream 4.5: one look over many pictures, up to 4K",
            Capabilities(
                family="hosted",
                native_size=(2048, 2048),
                size_multiple=8,
                min_pixels=2560 * 1440,
                max_pixels=4096 * 4096,
                max_ratio=16,
                guidance=False,
                negative=False,
                plan=False,
                seed=False,
                unconditional=False,
                grade="none",
                reference_roles=ROLES,
                max_references=10,
                masks="words",
                price=prices.words("ark/seedream-4.5"),
            ),
            inputs=14,
        ),
    )

    def call(self, task: Task, base: str) -> Call:
        body: dict[str, Any] = {
            "model": task.model.id,
            "prompt": prompt_of(task, mask_in_words=True),
            "size": f"{task.width}x{task.height}",
            "sequential_image_generation": "disabled",
            "response_format": "b64_json",
            "watermark": False,
        }
        if task.pictures:
            body["image"] = [data_url(png(picture)) for picture in task.pictures]
        return Call("POST", f"{base}/images/generations", json=body)

    def understand(self, answer: Answer, task: Task) -> Reply:
        return images_reply(answer, CODES)


def data_url(data: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"
