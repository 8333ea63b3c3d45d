"""The recipe of a picture: all that is needed to make it again, and the hash that proves that it is the same
one.

Versioned, so that a recipe written today is read by every later Triptych. It holds no timings, keys or paths:
two runs of the same request write the same bytes. Knows no file format; `core.metadata` puts it into
pictures.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import metadata
from typing import Any, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from triptych.core.capabilities import FamilyName, Grade
from triptych.core.errors import FileProblem
from triptych.core.pixels import pixels_sha256
from triptych.core.request import Request
from triptych.core.steps import Step

__all__ = ["MAX_RECIPE_BYTES", "RECIPE_VERSION", "Recipe", "package_version", "pixels_sha256"]

RECIPE_VERSION = 2
MAX_RECIPE_BYTES = 256 * 1024


class Recipe(BaseModel):
    """Version 2 of the recipe; version 1 had no `step` and always a request.

    request: the resolved request; its `plan` is the plan that was painted, its `seed` the one that was used. None for
    a step that paints nothing. step: what was done to a source picture, None for a picture made from scratch.
    family: "tool" where no painter was at work. weights_sha256: hash over the weights of the model and all its parts,
    None for hosted models. index: which picture of the request this is. grade: how far `replay` can be trusted (see
    `core.capabilities.Grade`). pixels_sha256: see `core.pixels`. triptych: version of the package that
    made the picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1, 2] = RECIPE_VERSION
    triptych: str = Field(default_factory=lambda: package_version(), max_length=40)
    model: str = Field(max_length=200)
    family: FamilyName | Literal["tool"]
    weights_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    request: Request | None = None
    step: Step | None = None
    index: int = Field(default=0, ge=0)
    grade: Grade = "same machine"
    pixels_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.request is None:
            if self.step is None:
                raise ValueError("a recipe says what was painted (request), what was done to a picture (step), or both")
            return self
        if self.index >= self.request.n:
            raise ValueError(f"index {self.index} is beyond the {self.request.n} pictures of the request")
        if self.model != self.request.model:
            raise ValueError(f"model {self.model!r} is not the one of the request, {self.request.model!r}")
        return self

    def as_json(self) -> dict[str, Any]:
        """JSON-ready dictionary; `parse` gives back an equal recipe, boxes to the last bit."""
        return self.model_dump(mode="json")

    def dumps(self) -> str:
        """One line of JSON, keys in the order of the class."""
        return json.dumps(self.as_json(), ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    @classmethod
    def parse(cls, data: str | bytes | dict[str, Any], *, source: str = "the recipe") -> Self:
        """Read a recipe that anyone may have written. `FileProblem` names `source` and the first thing that
        is wrong.
        """
        fields = _decoded(data, source)
        version = fields.get("version")
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise FileProblem(f"{source} has no recipe version; it was not written by Triptych")
        if version > RECIPE_VERSION:
            raise FileProblem(
                f"{source} was made by a newer Triptych "
                f"(recipe version {version}; this one reads up to {RECIPE_VERSION})"
            )
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise FileProblem(f"{source} is damaged: at {where}: {first['msg']}") from None


def _decoded(data: str | bytes | dict[str, Any], source: str) -> dict[str, Any]:
    if isinstance(data, dict):
        return data
    if len(data) > MAX_RECIPE_BYTES:
        raise FileProblem(f"{source} has {len(data)} bytes; a recipe has at most {MAX_RECIPE_BYTES}")
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{source} is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise FileProblem(f"{source} is not a recipe: a JSON object is needed")
    return cast(dict[str, Any], fields)


@cache
def package_version() -> str:
    """The installed version; "unknown" when the package runs from a bare source folder."""
    try:
        return metadata.version("triptych")
    except metadata.PackageNotFoundError:
        return "unknown"
