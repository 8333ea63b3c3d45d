"""What paints the pictures of a cell: a model behind the engine, or the true scenes themselves, which give the ceiling.

A painter's stamp of a picture names everything that its pixels depend on besides prompt and seed, so that stored
pictures are taken again only while nothing has changed. It knows no reader and no rule.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from triptych.core.contract import resolve
from triptych.core.events import Failed, Finished, Pixels
from triptych.core.plan import Plan
from triptych.core.request import Quality, Request
from triptych.engine import Engine, Models
from triptych.evals.rows import Prompt, truth
from triptych.families.pixels import to_pixels
from triptych.scenes import Level, Sprites, render

BATCH = 16


@dataclass(frozen=True)
class Work:
    """Picture k of a prompt."""

    prompt: Prompt
    k: int


@dataclass(frozen=True)
class Painted:
    """pixels is None where the model failed, which `reason` explains. seconds: wall clock, shared by the batch."""

    pixels: Pixels | None
    seconds: float
    plan: Plan | None = None
    reason: str = ""


class Painter(Protocol):
    """`column` is the name of its column in the table, a name for files too."""

    @property
    def column(self) -> str: ...

    def stamp(self, work: Work) -> str: ...

    def paint(self, works: Sequence[Work]) -> list[Painted]:
        """A picture for each, in order."""
        ...


@dataclass
class EnginePainter:
    """A model. weights: the hash over its weights and those of its parts. fields: request fields beside the quality."""

    models: Models
    model: str
    column: str
    weights: str
    quality: Quality = "medium"
    use_plan: bool = True
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self._engine = Engine(self.models, largest_batch=BATCH, most_active=BATCH)

    def request(self, work: Work) -> Request:
        settings = {"quality": self.quality, "use_plan": self.use_plan, **self.fields}
        return Request.make(prompt=work.prompt.text, model=self.model, seed=work.prompt.seed(work.k), **settings)

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting as the model's contract resolves it."""
        takes = self.models.family(self.model).capabilities
        asked = Request.make(prompt="", model=self.model, seed=0, quality=self.quality, **self.fields)
        resolved, _ = resolve(asked, takes, name=self.model)
        told = resolved.model_dump(
            mode="json", exclude={"prompt", "negative", "model", "seed", "n", "plan", "use_plan"}
        )
        return {name: value for name, value in told.items() if value is not None} | {"use_plan": self.use_plan}

    def stamp(self, work: Work) -> str:
        return self._stamp

    @cached_property
    def _stamp(self) -> str:
        return _stamp(self.weights, self.settings)

    def paint(self, works: Sequence[Work]) -> list[Painted]:
        started = time.perf_counter()
        places = {self._engine.submit(self.request(work)): place for place, work in enumerate(works)}
        done: dict[int, Finished | Failed] = {}
        for event in self._engine.run():
            if isinstance(event, Finished | Failed):
                done[places[event.request_id]] = event
        each = (time.perf_counter() - started) / max(len(works), 1)
        return [_painted(done[place], each) for place in range(len(works))]


@dataclass
class ScenePainter:
    """The prompt's own scenes, rendered, and sent through an autoencoder and back where one is given."""

    column: str
    level: Level
    side: int
    sprites: Sprites | None = None
    round_trip: Callable[[Pixels], Pixels] | None = None
    weights: str = ""

    def stamp(self, work: Work) -> str:
        """The scene itself is part of it: how one is drawn for a prompt may change."""
        scene = truth(work.prompt, self.level, work.k)
        return _stamp(self.weights, {"scene": repr(scene), "side": self.side})

    def paint(self, works: Sequence[Work]) -> list[Painted]:
        return [self._paint(work) for work in works]

    def _paint(self, work: Work) -> Painted:
        started = time.perf_counter()
        scene = truth(work.prompt, self.level, work.k)
        pixels = render(scene, self.side, self.sprites)
        if self.round_trip is not None:
            pixels = self.round_trip(pixels)
        return Painted(pixels, time.perf_counter() - started, scene.plan())


def round_trip(module: nn.Module) -> Callable[[Pixels], Pixels]:
    """Pixels through a module that reconstructs (B, 3, H, W) in [-1, 1], and back to pixels."""

    @torch.inference_mode()
    def there_and_back(pixels: Pixels) -> Pixels:
        picture = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 127.5 - 1
        return to_pixels(module(picture)[0])

    return there_and_back


def _painted(event: Finished | Failed, seconds: float) -> Painted:
    if isinstance(event, Failed):
        return Painted(None, seconds, reason=str(event.error))
    return Painted(event.pixels, seconds, event.plan)


def _stamp(weights: str, settings: Mapping[str, Any]) -> str:
    text = json.dumps({"weights": weights, "settings": dict(settings)}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]
