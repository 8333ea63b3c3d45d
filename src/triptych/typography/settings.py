"""What to letter, and how: frozen, checked once, and all that a recipe keeps of it. Lengths are pixels.

It does not know the picture (whether a box lies inside is `compose`'s business) or which fonts there are.
"""

from __future__ import annotations

import math
import unicodedata
from typing import Any, Literal, Self, get_args

from PIL import ImageColor
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from triptych.core.errors import InvalidRequest
from triptych.core.request import invalid

Align = Literal["left", "center", "right", "justify"]
Valign = Literal["top", "middle", "bottom"]
Direction = Literal["auto", "ltr", "rtl"]
ALIGNS: tuple[str, ...] = get_args(Align)
VALIGNS: tuple[str, ...] = get_args(Valign)
DIRECTIONS: tuple[str, ...] = get_args(Direction)

MAX_TEXT = 2000
MIN_SIZE, MAX_SIZE = 6.0, 4000.0
"""Pixels per em. Below six no letter can be told from another."""

_SOFT = 0.06
"""How far a soft shadow reaches, in sizes."""

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
Colour = tuple[int, int, int, int]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class FontName(_Settings):
    """Which font, down to the byte: replay refuses another one of the same name."""

    family: str = Field(min_length=1, max_length=200)
    style: str = Field(min_length=1, max_length=200)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Outline(_Settings):
    """A line of `width` pixels around every letter, outside its shape."""

    width: float = Field(gt=0, le=200)
    colour: str = "black"

    @field_validator("colour")
    @classmethod
    def _known(cls, colour: str) -> str:
        return check_colour(colour)


class Shadow(_Settings):
    """The letters and their outline once more, moved by (dx, dy), below everything. blur: standard deviation."""

    dx: float = Field(ge=-1000, le=1000)
    dy: float = Field(ge=-1000, le=1000)
    blur: float = Field(default=0.0, ge=0, le=200)
    colour: str = "#00000099"

    @field_validator("colour")
    @classmethod
    def _known(cls, colour: str) -> str:
        return check_colour(colour)


class Lettering(_Settings):
    """A text in a box.

    box: x, y, width, height of the upright box, before `rotate` (degrees, clockwise, about its middle). corners: where
    the box's corners lie in the picture instead (from the top left one, clockwise); the box then only says how wide the
    plane of the text is to its height. size: pixels per em, None for the largest that fits. shadow: "soft" goes by the
    size. line_height: baseline to baseline, in sizes. direction: of each paragraph; auto goes by its first letter that
    has one. harmonise: 0 leaves the letters as they are, 1 lights them fully as the scene around them.
    """

    text: str
    box: tuple[int, int, int, int] | None = None
    corners: Corners | None = None
    font: FontName | None = None
    size: float | None = Field(default=None, ge=MIN_SIZE, le=MAX_SIZE)
    align: Align = "center"
    valign: Valign = "middle"
    colour: str = "white"
    outline: Outline | None = None
    shadow: Shadow | Literal["soft"] | None = None
    line_height: float = Field(default=1.2, ge=0.5, le=5)
    rotate: float = Field(default=0.0, ge=-360, le=360)
    direction: Direction = "auto"
    harmonise: float = Field(default=0.0, ge=0, le=1)

    @field_validator("text")
    @classmethod
    def _readable(cls, text: str) -> str:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        if len(text) > MAX_TEXT:
            raise ValueError(f"has {len(text)} characters; at most {MAX_TEXT} are allowed")
        for char in text:
            if unicodedata.category(char) in ("Cc", "Cs", "Cn", "Co") and char != "\n":
                raise ValueError(f"has the character U+{ord(char):04X}, which is no letter; only text is allowed")
        if not any(visible(char) for char in text):
            raise ValueError("is empty; there is nothing to write")
        return text

    @field_validator("colour")
    @classmethod
    def _known(cls, colour: str) -> str:
        return check_colour(colour)

    @model_validator(mode="after")
    def _placed(self) -> Self:
        if self.box is None and self.corners is None:
            raise ValueError("a text needs a box, or four corners")
        if self.box is not None and min(self.box[2:]) < 1:
            raise ValueError("a box is at least one pixel wide and high")
        if self.corners is not None:
            if self.rotate:
                raise ValueError("rotate and perspective do not go together: turn the corners instead")
            if not _convex(self.corners):
                raise ValueError(
                    "the corners go around a convex shape: top left, top right, bottom right, bottom left of the text"
                )
        return self

    def settled(self, size: float, font: FontName) -> Self:
        """With the size and font that were chosen, and a shadow in pixels: all that it takes to do it again."""
        shadow = self.shadow
        if shadow == "soft":
            near = round(max(_SOFT * size, 1.0), 2)
            shadow = Shadow(dx=near, dy=near, blur=near)
        return self.model_copy(update={"size": size, "font": font, "shadow": shadow})

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """Build it; raise `InvalidRequest` that names the parameter, what was given and what is allowed."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            if first["loc"]:
                raise invalid(error) from None
            # A complaint about fields that do not go together: name the one that it is about.
            message = first["msg"].removeprefix("Value error, ")
            raise InvalidRequest(
                "perspective" if "corners" in message and fields.get("corners") else "box", message
            ) from None


def visible(char: str) -> bool:
    """Whether a character leaves ink: no space, no joiner or direction mark."""
    return unicodedata.category(char) not in ("Zs", "Zl", "Zp", "Cc", "Cf")


def check_colour(colour: str) -> str:
    """The colour as given, if it is one; the message of the ValueError says how colours are written."""
    rgba(colour)
    return colour


def rgba(colour: str) -> Colour:
    """Red, green, blue and opacity, 0 to 255. Names, #rgb, #rrggbb, #rrggbbaa, rgb(), hsl(), as in CSS."""
    try:
        parts = ImageColor.getrgb(colour)
    except ValueError:
        raise ValueError(f"{colour[:40]!r} is not a colour; a name (white) or #rrggbb or #rrggbbaa is needed") from None
    red, green, blue, *rest = parts
    return red, green, blue, rest[0] if rest else 255


def _convex(corners: Corners) -> bool:
    """Whether the corners go clockwise on the screen around a shape without dents, sides at least a pixel long."""
    turns: list[float] = []
    for number in range(4):
        (ax, ay), (bx, by), (cx, cy) = (corners[(number + step) % 4] for step in range(3))
        turns.append((bx - ax) * (cy - by) - (by - ay) * (cx - bx))
        if math.hypot(bx - ax, by - ay) < 1:
            return False
    return all(turn > 0 for turn in turns)
