"""The plan of a picture: what stands where, before anything is painted.

It is written by `triptych.planning`, read by every family through `triptych.adapters.plan_input`, shown to people,
saved in the recipe, and may be edited by hand. Boxes are fractions of the picture, so a plan fits every size.
Objects are listed from back to front: a later one hides an earlier one.
"""

from __future__ import annotations

import math
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from triptych.core.errors import InvalidRequest

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in fractions of the picture; (0, 0) is the top left corner."""

MAX_OBJECTS = 12
MAX_SIGN_LETTERS = 10


class PlanObject(BaseModel):
    """One thing in the picture. `colour` is None for its natural colour; `text` is what a sign says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    noun: str = Field(min_length=1, max_length=40)
    colour: str | None = Field(default=None, max_length=40)
    box: Box
    text: str | None = Field(default=None, max_length=MAX_SIGN_LETTERS)

    @field_validator("noun", "colour", "text")
    @classmethod
    def _readable(cls, words: str | None) -> str | None:
        return _printable(words)

    @field_validator("box")
    @classmethod
    def _box_is_inside(cls, box: Box) -> Box:
        x0, y0, x1, y1 = box
        if not all(math.isfinite(side) for side in box) or not (-0.5 <= x0 < x1 <= 1.5 and -0.5 <= y0 < y1 <= 1.5):
            raise ValueError("a box is x0 < x1 and y0 < y1 in fractions of the picture, for example 0.2, 0.3, 0.6, 0.8")
        return box


class Plan(BaseModel):
    """A whole scene as the painter sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    background: str = Field(default="", max_length=40)
    light: str | None = Field(default=None, max_length=40)
    objects: tuple[PlanObject, ...] = Field(default=(), max_length=MAX_OBJECTS)

    @field_validator("background", "light")
    @classmethod
    def _readable(cls, words: str | None) -> str | None:
        return _printable(words)

    @classmethod
    def parse(cls, data: Any, *, parameter: str = "plan") -> Self:
        """Build a plan from decoded JSON; raise `InvalidRequest` with the first thing that is wrong."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the whole"
            raise InvalidRequest(parameter, f"at {where}: {first['msg']}") from None

    def as_json(self) -> dict[str, Any]:
        """JSON-ready dictionary with boxes rounded to a thousandth, the form of `generate --json`."""
        data = self.model_dump(mode="json")
        for item in data["objects"]:
            item["box"] = [round(side, 3) for side in item["box"]]
        return data


def _printable(words: str | None) -> str | None:
    """Plans come from files of anyone, and are shown and written again."""
    if words is not None and not words.isprintable():
        raise ValueError("only printable text is allowed")
    return words
