"""The pictures and files that a request may carry beside its words: references, control maps, LoRAs, regions."""

from __future__ import annotations

import math
from typing import Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from triptych.core.asset import Asset, FileAsset
from triptych.core.plan import Box

Role = Literal["identity", "style", "pose", "scale", "layout"]
ROLES: tuple[str, ...] = get_args(Role)
PLANNED_ROLES = ("scale", "layout")
"""They act through the plan, for every model that takes one; the others need a model that can look at pictures."""
ControlKind = Literal["edges", "depth", "pose", "segmentation"]
CONTROL_KINDS: tuple[str, ...] = get_args(ControlKind)
MAX_REFERENCES = 10
MAX_CONTROLS = 8
MAX_LORAS = 16
MAX_REGIONS = 8


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reference(_Input):
    """A picture to take something from. identity: who or what it is; style: how it is drawn; pose: how it stands;
    scale: how large it is; layout: where things are.
    """

    asset: Asset
    role: Role = "identity"


class Control(_Input):
    """A map that the picture has to follow. weight: 0 switches it off, 1 is as trained.

    start, end: the part of the steps, in fractions, in which it acts.
    """

    kind: ControlKind
    map: Asset
    weight: float = Field(default=1.0, ge=0, le=2)
    start: float = Field(default=0.0, ge=0, le=1)
    end: float = Field(default=1.0, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start >= self.end:
            raise ValueError(
                f"a control acts from start to end of the steps; {self.start:g} to {self.end:g} is nothing"
            )
        return self


class Lora(_Input):
    """Low-rank weights on top of the model's own (Hu et al. 2021). scale: 1 is as trained, negative pushes away."""

    file: FileAsset
    scale: float = Field(default=1.0, ge=-10, le=10)

    @field_validator("scale")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError(f"is {value}; a finite number is needed")
        return value


class Region(_Input):
    """A part of the picture with a prompt of its own: a box in fractions, or a grey map (255 = inside)."""

    prompt: str = Field(min_length=1, max_length=4000)
    box: Box | None = None
    mask: Asset | None = None
    weight: float = Field(default=1.0, gt=0, le=2)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.box is None) == (self.mask is None):
            raise ValueError("a region has either a box or a mask")
        if self.box is not None:
            x0, y0, x1, y1 = self.box
            if not (all(math.isfinite(side) for side in self.box) and 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= 1):
                raise ValueError("a region's box is x0 < x1 and y0 < y1 in fractions of the picture")
        return self
