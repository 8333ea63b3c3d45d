"""What the functions of `triptych.api` give back, and the models that they share."""

from __future__ import annotations

from functools import cache

from triptych.core.capabilities import Capabilities
from triptych.core.events import Finished, Pixels
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.results import Image, Result
from triptych.core.steps import Step
from triptych.library import Library

__all__ = ["Image", "Result", "capabilities_of", "image_of", "image_of_step", "library"]


@cache
def library() -> Library:
    """The built-in models, loaded as they are needed."""
    return Library()


def capabilities_of(model: str) -> Capabilities:
    """What a model takes; `FileProblem` for an unknown name."""
    return library().registry.capabilities(model)


def image_of(event: Finished, *, pixels: Pixels | None = None, step: Step | None = None) -> Image:
    """The picture of a finished event with its recipe.

    pixels: what became of the painted ones, where a step went on working on them; step: how.
    """
    final = event.pixels if pixels is None else pixels
    request = event.request.model_copy(update={"plan": event.plan})
    capabilities = capabilities_of(request.model)
    recipe = Recipe(
        model=request.model,
        family=capabilities.family,
        weights_sha256=library().registry.weights_sha256(request.model, library().adapters(request)),
        request=request,
        step=step,
        index=event.index,
        grade=capabilities.grade,
        pixels_sha256=pixels_sha256(final),
    )
    return Image(final, request.seed or 0, event.index, recipe, event.plan)


def image_of_step(pixels: Pixels, step: Step, *, model: str, weights_sha256: str | None = None) -> Image:
    """The picture of a step that no painter was needed for. model: what did it, such as "typeset"."""
    recipe = Recipe(
        model=model,
        family="tool",
        weights_sha256=weights_sha256,
        step=step,
        grade="same machine",
        pixels_sha256=pixels_sha256(pixels),
    )
    return Image(pixels, None, 0, recipe, None)
