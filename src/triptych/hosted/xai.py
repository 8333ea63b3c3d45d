"""xAI's Grok Imagine: OpenAI's paths, with shapes and two resolutions in place of sizes, and edits as JSON.

From docs.x.ai and xai-sdk. A picture that its rules keep back comes as an empty item with `respect_moderation: false`.
The cost may come with the answer, in ticks of 1e-10 dollars. No mask, no seed, no way to ask later.
"""

from __future__ import annotations

from typing import Any

from triptych.core.capabilities import Capabilities
from triptych.core.inputs import ROLES
from triptych.hosted import prices
from triptych.hosted.ark import data_url
from triptych.hosted.messages import Answer, Call
from triptych.hosted.openai import images_reply
from triptych.hosted.provider import Codes, Model, Reply, Synchronous, Task, png
from triptych.hosted.words import prompt_of

RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "2:1", "1:2", "19.5:9", "9:19.5", "20:9", "9:20")
CODES = Codes(
    "xAI",
    moderated=("moderat", "safety_check", "usage guidelines"),
    poor=("credits", "spending limit"),
    keys=("incorrect api key", "api key"),
)


def _sizes() -> dict[tuple[int, int], tuple[str, str]]:
    """(width, height) to (ratio, resolution). xAI names no pixels; these have the ratio and about the area."""
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for resolution, side in (("1k", 1024), ("2k", 2048)):
        for ratio in RATIOS:
            across, down = (float(part) for part in ratio.split(":"))
            wide, high = side * (across / down) ** 0.5, side * (down / across) ** 0.5
            found[round(wide / 16) * 16, round(high / 16) * 16] = (ratio, resolution)
    return found


SIZES = _sizes()


class XAI(Synchronous):
    name, title = "xai", "xAI"
    base = "https://api.x.ai/v1"
    key_hosts: tuple[str, ...] = ()
    picture_hosts: tuple[str, ...] = (".x.ai",)
    auth_header, auth_prefix = "Authorization", "Bearer "
    usage_page = "https://console.x.ai"
    models: tuple[Model, ...] = (
        Model(
            "xai/grok-imagine",
            "grok-imagine-image",
            "Grok Imagine: many pictures fast",
            Capabilities(
                family="hosted",
                native_size=(1024, 1024),
                sizes=tuple(SIZES),
                max_pixels=2048 * 2048,
                guidance=False,
                negative=False,
                plan=False,
                seed=False,
                unconditional=False,
                grade="none",
                reference_roles=ROLES,
                max_references=3,
                masks="words",
                price=prices.words("xai/grok-imagine"),
            ),
            per_call=10,
            inputs=3,
        ),
    )

    def call(self, task: Task, base: str) -> Call:
        ratio, resolution = SIZES[task.width, task.height]
        body: dict[str, Any] = {
            "model": task.model.id,
            "prompt": prompt_of(task, mask_in_words=True),
            "n": task.n,
            "aspect_ratio": ratio,
            "resolution": resolution,
            "response_format": "b64_json",
        }
        inputs = [{"type": "image_url", "url": data_url(png(picture))} for picture in task.pictures]
        if not inputs:
            return Call("POST", f"{base}/images/generations", json=body)
        body |= {"image": inputs[0]} if len(inputs) == 1 else {"images": inputs}
        return Call("POST", f"{base}/images/edits", json=body)

    def understand(self, answer: Answer, task: Task) -> Reply:
        return images_reply(answer, CODES)
