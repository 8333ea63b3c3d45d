"""The few pictures that a LoRA is trained on: captions with a trigger word, plans where they can be known, flips.

A plan is what the built-in painters rely on. It is taken from the recipe inside a picture of Triptych, from
`NAME.plan.json` beside it, or from what the readers find in it; a picture without one is trained on words alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from triptych.adapters.lora import Words
from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Pixels
from triptych.core.files import read_bytes
from triptych.core.plan import Plan, PlanObject
from triptych.core.readers import read_recipe
from triptych.training.data import Example, FolderSource
from triptych.training.lora_plans import Finds, inside

MAX_PICTURES = 500
MAX_PLAN_BYTES = 64 * 1024
SIDES = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)


class LoraSource:
    """Pictures of a folder with the trigger in every caption. Pictures, then (with `flip`) their mirror images.

    words: trigger and what it stands for. find: what looks for a plan in a picture, or None. How many plans came from
    where stands in `plans`. own: pictures of the model itself, without the trigger, to keep it as it is: with them
    every third example is one.
    """

    def __init__(
        self,
        folder: Path,
        size: int,
        words: Words,
        *,
        flip: bool = False,
        find: Finds | None = None,
        own: Sequence[Example] = (),
    ) -> None:
        self._folder = FolderSource(folder, size, default=words.trigger)
        count = len(self._folder.items)
        if count > MAX_PICTURES:
            raise InvalidRequest("data", f"{count} pictures are not allowed for a LoRA: at most {MAX_PICTURES}")
        self._words = words
        self.plans = {"recipe": 0, "file": 0, "reader": 0, "none": 0}
        self._examples = [example for index in range(count) for example in self._of_picture(index, find)]
        if flip:
            self._examples += [_mirrored(one) for one in self._examples if not SIDES.search(one.captions[0])]
        self._examples += [own[number % len(own)] for number in range(len(self._examples) // 2)] if own else []
        digest = hashlib.sha256()
        for one in self._examples:
            digest.update(json.dumps([one.captions, one.plan and one.plan.as_json()]).encode() + one.pixels.tobytes())
        self.name = f"{folder.resolve().name}-{size}-{digest.hexdigest()[:12]}"

    def __len__(self) -> int:
        return len(self._examples)

    @property
    def pictures(self) -> int:
        """Different ones, without their mirror images."""
        return len(self._folder.items)

    def example(self, index: int) -> Example:
        return self._examples[index % len(self)]

    def words_only(self, index: int) -> tuple[str, Plan | None]:
        one = self.example(index)
        return one.captions[0], one.plan

    def _of_picture(self, index: int, find: Finds | None) -> list[Example]:
        """The picture as often as there are plans that may be its own; once without, where there are none."""
        path, caption = self._folder.items[index]
        pixels = self._folder.example(index).pixels
        where, plans = self._plans(path, caption, pixels, find)
        self.plans[where] += 1
        captions = (with_trigger(caption, self._words.trigger),)
        return [Example(pixels, captions, plan) for plan in plans or (None,)]

    def _plans(self, path: Path, caption: str, pixels: Pixels, find: Finds | None) -> tuple[str, tuple[Plan, ...]]:
        beside = path.with_suffix(".plan.json")
        if beside.exists():
            return "file", (_squared(_parsed(beside), _size(path)),)
        try:
            request = read_recipe(path).request
        except FileProblem:
            request = None  # most pictures hold no recipe
        if request is not None and request.plan is not None:
            return "recipe", (_squared(request.plan, _size(path)),)
        plans = find(pixels, self._words.plain(caption)) if find else ()
        return "reader" if plans else "none", plans


def with_trigger(caption: str, trigger: str) -> str:
    """The caption, with the trigger at its end where it is not yet in it."""
    trigger = trigger.strip()
    if not trigger or re.search(rf"(?<!\w){re.escape(trigger)}(?!\w)", caption, re.IGNORECASE):
        return caption
    return f"{caption}, {trigger}" if caption.strip() else trigger


def _parsed(path: Path) -> Plan:
    try:
        return Plan.parse(json.loads(read_bytes(path, MAX_PLAN_BYTES)), parameter=f"data: {path.name}")
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"data: {path} is not JSON: {error}") from error


def _size(path: Path) -> tuple[int, int]:
    """Width and height; the picture has been opened before."""
    with Image.open(path) as picture:
        return picture.size


def _squared(plan: Plan, size: tuple[int, int]) -> Plan:
    """The plan of a picture that was cropped to the square in its middle; what lies outside is left out."""
    side = min(size)
    left, top = ((length - side) / 2 for length in size)
    objects: list[PlanObject] = []
    for item in plan.objects:
        x0, y0, x1, y1 = item.box
        box = tuple(
            (value * length - start) / side
            for value, length, start in (
                (x0, size[0], left),
                (y0, size[1], top),
                (x1, size[0], left),
                (y1, size[1], top),
            )
        )
        if box[2] > 0.02 and box[3] > 0.02 and box[0] < 0.98 and box[1] < 0.98:
            objects.append(item.model_copy(update={"box": inside(box)}))  # type: ignore[arg-type]
    return plan.model_copy(update={"objects": tuple(objects)})


def _mirrored(example: Example) -> Example:
    """The mirror image, with its plan. Signs would be written backwards, so their pictures stay as they are."""
    plan = example.plan
    if plan is not None and any(item.text for item in plan.objects):
        return example
    flipped = plan and plan.model_copy(
        update={
            "objects": tuple(
                item.model_copy(update={"box": (1 - item.box[2], item.box[1], 1 - item.box[0], item.box[3])})
                for item in plan.objects
            )
        }
    )
    return Example(np.ascontiguousarray(example.pixels[:, ::-1]), example.captions, flipped)
