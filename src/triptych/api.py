"""Triptych in Python: `generate`, `stream`, `plan`, `replay`. The command line is a thin caller of these.

One engine per process keeps what it has loaded. Nothing here prints; progress comes as events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych.core.capabilities import Capabilities
from triptych.core.errors import InvalidRequest
from triptych.core.events import Event, Failed, Finished, Note, Pixels
from triptych.core.metadata import save_picture
from triptych.core.plan import Plan
from triptych.core.readers import loses_pixels, read_pixels, read_recipe
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.library import Library

TOLERANCE = 2
"""Grey levels by which a picture may differ between machines and still count as the same (docs/decisions)."""


@dataclass(frozen=True)
class Image:
    """One picture with all that is needed to make it again. pixels: uint8 (height, width, 3)."""

    pixels: Pixels
    seed: int
    index: int
    recipe: Recipe
    plan: Plan | None

    def save(self, path: str | Path) -> Path:
        """Write a PNG, JPEG or WebP (by suffix) with the recipe inside; `FileProblem` where that fails."""
        return save_picture(Path(path), self.pixels, self.recipe)


@dataclass(frozen=True)
class Result:
    """What became of a request. seconds: wall clock per stage (start, plan, encode, denoise, decode, total)."""

    images: tuple[Image, ...]
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request
    model: str
    family: str


@dataclass(frozen=True)
class ReplayReport:
    """verdict: "exact", "within tolerance" or "different". max_difference: in grey levels, None for other sizes."""

    verdict: Literal["exact", "within tolerance", "different"]
    max_difference: int | None
    image: Image


@cache
def library() -> Library:
    """The built-in models, loaded as they are needed."""
    return Library()


def generate(
    prompt: str,
    *,
    model: str = "flow",
    on_event: Callable[[Event], None] | None = None,
    previews: bool = False,
    **fields: Any,
) -> Result:
    """Make pictures of a prompt.

    fields: any field of `Request` (seed, n, width, height, steps, ...). on_event is called with every event as it
    happens. Raises `InvalidRequest` for a bad parameter, `FileProblem` for a missing model.
    """
    started = time.perf_counter()
    request = Request.make(prompt=prompt, model=model, **fields)
    engine = Engine(library())
    engine.submit(request, previews=previews)
    ready = time.perf_counter()
    finished: list[Finished] = []
    for event in engine.run():
        if on_event is not None:
            on_event(event)
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Finished):
            finished.append(event)
    seconds = {"start": ready - started, **_spent(finished), "total": time.perf_counter() - started}
    finished.sort(key=lambda event: event.index)
    return _result(finished, {name: round(value, 4) for name, value in seconds.items()})


def stream(prompt: str, *, model: str = "flow", previews: bool = True, **fields: Any) -> Iterator[Event]:
    """The events of one request as they happen: started, planned, stepped (with previews), finished or failed."""
    engine = Engine(library())
    engine.submit(Request.make(prompt=prompt, model=model, **fields), previews=previews)
    yield from engine.run()


def plan(prompt: str, *, model: str = "flow", seed: int | None = None) -> Plan:
    """The plan alone, as picture 0 of this seed would be painted from it."""
    request = Request.make(prompt=prompt, model=model, seed=seed or 0)
    library().registry.capabilities(model)
    written = library().plan(request, 0)
    if written is None:
        raise InvalidRequest("prompt", "empty, so there is nothing to plan")
    return written


def replay(path: str | Path) -> ReplayReport:
    """Make a picture again from the recipe inside it, and compare with the pixels that the file holds.

    A recipe alone (JSON), and a JPEG, whose pixels are only nearly those that were painted, are compared by the hash in
    the recipe.
    """
    path = Path(path)
    recipe = read_recipe(path)
    image = _again(recipe)
    same_hash = image.recipe.pixels_sha256 == recipe.pixels_sha256
    alone = path.suffix.lower() == ".json"
    if alone or (same_hash and loses_pixels(path)):
        return ReplayReport("exact", 0, image) if same_hash else ReplayReport("different", None, image)
    before = read_pixels(path)
    if before.shape != image.pixels.shape:
        return ReplayReport("different", None, image)
    difference = int(np.abs(before.astype(np.int16) - image.pixels.astype(np.int16)).max())
    verdict = "exact" if difference == 0 else "within tolerance" if difference <= TOLERANCE else "different"
    return ReplayReport(verdict, difference, image)


def _again(recipe: Recipe) -> Image:
    """Picture `index` of the recipe's request alone; the others of that request are not painted."""
    engine = Engine(library())
    engine.submit(recipe.request, only=recipe.index)
    for event in engine.run():
        if isinstance(event, Failed):
            raise event.error
        if isinstance(event, Finished):
            return _image(event, _capabilities(recipe.model))
    raise RuntimeError("the engine ended without a picture")


def _result(finished: list[Finished], seconds: dict[str, float]) -> Result:
    first = finished[0]
    capabilities = _capabilities(first.request.model)
    images = tuple(_image(event, capabilities) for event in finished)
    return Result(images, first.notes, seconds, first.request, first.request.model, capabilities.family)


def _image(event: Finished, capabilities: Capabilities) -> Image:
    request = event.request.model_copy(update={"plan": event.plan})
    seed = request.seed or 0
    recipe = Recipe(
        model=request.model,
        family=capabilities.family,
        weights_sha256=library().registry.weights_sha256(request.model),
        request=request,
        index=event.index,
        grade=capabilities.grade,
        pixels_sha256=pixels_sha256(event.pixels),
    )
    return Image(event.pixels, seed, event.index, recipe, event.plan)


def _capabilities(model: str) -> Capabilities:
    return library().registry.capabilities(model)


def _spent(finished: list[Finished]) -> dict[str, float]:
    """Seconds per stage over all pictures; pictures of one batch share their forwards, so those are counted once."""
    spent: dict[str, float] = {}
    for event in finished:
        for stage, seconds in event.seconds.items():
            shared = stage in ("denoise", "decode")
            spent[stage] = max(spent.get(stage, 0.0), seconds) if shared else spent.get(stage, 0.0) + seconds
    return spent
