"""What becomes of a request, whoever painted it: pictures that carry all that is needed to make them again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from triptych.core.events import Note, Pixels
from triptych.core.files import write_atomically
from triptych.core.metadata import Format, encode_picture, format_of
from triptych.core.plan import Plan
from triptych.core.recipe import Recipe
from triptych.core.request import Request


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
    """What became of a request. seconds: wall clock per stage (start, plan, encode, denoise, decode, total).

    cost: in US dollars, of a hosted model.
    """

    images: tuple[Image, ...]
    notes: tuple[Note, ...]
    seconds: dict[str, float]
    request: Request
    model: str
    family: str
    cost: float = 0.0
