"""What the functions of `triptych.api` give back, and the models that they share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from triptych.core.capabilities import Capabilities
from triptych.core.events import Finished, Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import Format, encode_picture, format_of
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.core.request import Request
from triptych.core.steps import Step
from triptych.library import Library


@dataclass(frozen=True)
class Image:
    """One picture with all that is needed to make it again. pixels: uint8 (height, width, 3 or 4).

    seed: None where nothing was drawn by chance. profile: the ICC profile of the picture that it was made of, which its
    files keep: equal bytes in another profile would look different everywhere.
    """

    pixels: Pixels
    seed: int | None
    index: int
    recipe: Recipe
    plan: Plan | None
    profile: bytes | None = None

    def encode(self, kind: Format = "PNG") -> bytes:
        """The bytes of the file that `save` writes."""
        return encode_picture(self.pixels, self.recipe, kind, profile=self.profile)

    def save(self, path: str | Path) -> Path:
        """Write a PNG, JPEG or WebP (by suffix) with the recipe inside; `FileProblem` where that fails."""
        path = Path(path)
        return write_atomically(path, self.encode(format_of(path)))


@dataclass(frozen=True)
class Result:
    """What became of a request. seconds: wall clock per stage (start, plan, encode, denoise, decode, total)."""

    images: tuple[Image, ...]
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request
    model: str
    family: str


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
