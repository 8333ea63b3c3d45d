"""What a person asks for: frozen, and checked once, here. What a model makes of it is `core.contract`'s business."""

from __future__ import annotations

import math
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from triptych.core.asset import Asset, FileAsset, assets_in
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import (
    MAX_CONTROLS,
    MAX_LORAS,
    MAX_REFERENCES,
    MAX_REGIONS,
    Control,
    Lora,
    Reference,
    Region,
)
from triptych.core.plan import Plan

Quality = Literal["low", "medium", "high"]

MAX_PROMPT = 4000
MAX_SIDE = 4096
MAX_STEPS = 1000
MAX_PICTURES = 64
MAX_SEED = 2**63 - 1


class Request(BaseModel):
    """One request for `n` pictures. A field that is None means "the model's own default".

    seed: picture `i` of the request is drawn from (seed, i); None lets the engine choose one, which the recipe keeps.
    width, height: pixels. guidance: classifier-free guidance scale (Ho & Salimans 2022), 1 = off.
    guidance_interval: the part of the trajectory, in fractions [start, end] of the steps, where guidance acts
    (Kynkaanniemi et al. 2024). guidance_rescale: Lin et al. 2023, section 3.4.
    temperature, top_k, top_p: token sampling. plan: bring your own; use_plan=False paints from the words alone.
    init: a picture to start from; strength: how much of it is made anew, 1 is all (Meng et al. 2021, SDEdit).
    strength_map: a grey picture that scales the strength per pixel, 255 = as `strength` says, 0 = kept (Levin & Fried
    2023). references, controls, loras, regions: see `core.inputs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: str
    negative: str = ""
    model: str = "flow"
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    n: int = Field(default=1, ge=1, le=MAX_PICTURES)
    width: int | None = Field(default=None, ge=16, le=MAX_SIDE)
    height: int | None = Field(default=None, ge=16, le=MAX_SIDE)
    quality: Quality = "medium"
    steps: int | None = Field(default=None, ge=1, le=MAX_STEPS)
    sampler: str | None = None
    schedule: str | None = None
    guidance: float | None = Field(default=None, ge=0, le=50)
    guidance_interval: tuple[float, float] | None = None
    guidance_rescale: float | None = Field(default=None, ge=0, le=1)
    temperature: float | None = Field(default=None, ge=0, le=10)
    top_k: int | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    plan: Plan | None = None
    use_plan: bool = True
    init: Asset | None = None
    strength: float | None = Field(default=None, gt=0, le=1)
    strength_map: Asset | None = None
    references: tuple[Reference, ...] = Field(default=(), max_length=MAX_REFERENCES)
    controls: tuple[Control, ...] = Field(default=(), max_length=MAX_CONTROLS)
    loras: tuple[Lora, ...] = Field(default=(), max_length=MAX_LORAS)
    regions: tuple[Region, ...] = Field(default=(), max_length=MAX_REGIONS)

    @field_validator("prompt", "negative")
    @classmethod
    def _readable(cls, text: str) -> str:
        if len(text) > MAX_PROMPT:
            raise ValueError(f"has {len(text)} characters; at most {MAX_PROMPT} are allowed")
        if any((ord(char) < 32 and char not in "\t\n\r") or 127 <= ord(char) < 160 for char in text):
            raise ValueError("has control characters; only printable text is allowed")
        if any(0xD800 <= ord(char) < 0xE000 for char in text):
            # How Python shows bytes of a command line that are not UTF-8; no file could hold them.
            raise ValueError("has bytes that are not text; UTF-8 is needed")
        return text

    @field_validator("guidance", "temperature", "top_p", "guidance_rescale")
    @classmethod
    def _finite(cls, value: float | None) -> float | None:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"is {value}; a finite number is needed")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.width is None) != (self.height is None):
            raise ValueError("width and height go together")
        if self.guidance_interval is not None:
            start, end = self.guidance_interval
            if not 0 <= start <= end <= 1:
                raise ValueError("guidance_interval is start <= end, both between 0 and 1")
        for parameter in ("strength", "strength_map"):
            if getattr(self, parameter) is not None and self.init is None:
                raise ValueError(f"{parameter} says how much of a picture is made anew; init, the picture, is missing")
        return self

    @property
    def assets(self) -> list[Asset | FileAsset]:
        """Every picture and file that the request carries."""
        return assets_in(self)

    @property
    def conditioning(self) -> tuple[object, ...]:
        """What `Family.encode` reads of a request: requests that agree in it share the encoding."""
        return (
            self.prompt,
            self.negative,
            self.width,
            self.height,
            self.init,
            self.strength_map,
            self.references,
            self.controls,
            self.regions,
        )

    @classmethod
    def make(cls, **fields: Any) -> Self:
        """Build a request; raise `InvalidRequest` that names the parameter, what was given and what is allowed."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidRequest:
    """The first complaint of pydantic as one sentence of ours."""
    first = error.errors()[0]
    parameter = str(first["loc"][0]) if first["loc"] else "request"
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    if first["type"] != "value_error" and isinstance(given, str | int | float):
        shown = repr(given) if len(repr(given)) <= 60 else repr(given)[:57] + "..."
        message = f"{shown} is not allowed: {message[0].lower()}{message[1:]}"
    return InvalidRequest(parameter, message)
