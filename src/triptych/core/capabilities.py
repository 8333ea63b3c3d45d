"""What a model declares that it takes. Doors show it, `core.contract` holds every request against it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

FamilyName = Literal["diffusion", "flow", "autoregressive", "hybrid", "hosted"]
Grade = Literal["exact", "same machine", "statistical", "none"]


class Tier(BaseModel):
    """The defaults of one quality tier, as measurement chose them (docs/sampling.md); None is the family's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int | None = None
    guidance: float | None = None
    guidance_interval: tuple[float, float] | None = None
    guidance_rescale: float | None = None
    sampler: str | None = None
    schedule: str | None = None
    temperature: float | None = None
    top_p: float | None = None


class Capabilities(BaseModel):
    """One model's side of the contract. Sizes in pixels; an empty tuple means "takes none of these".

    short_side: where it is given, no picture's shorter side is longer. sizes: where there are any, the only ones that
    the model makes. max_ratio: of the longer side to the shorter. unconditional: whether it paints without a prompt.
    masks: how an edit keeps to its mask: "exact" while painting, "guided" (told, not held), "words" (described in the
    prompt). Whatever stands here, the pixel lock is proved on the file. partial_pictures: how many may be shown while
    it paints. price: what a picture costs, in words with their date; empty where it costs nothing.
    reference_guidance: the guidance beside references that are looked at, where a request leaves it to the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: FamilyName
    native_size: tuple[int, int]
    size_multiple: int = 16
    min_side: int = 64
    short_side: int | None = None
    max_pixels: int = 1024 * 1024
    min_pixels: int = 0
    max_ratio: float | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    unconditional: bool = True
    samplers: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    steps_range: tuple[int, int] | None = None
    guidance: bool = True
    negative: bool = True
    token_sampling: bool = False
    plan: bool = True
    init: bool = False
    strength_map: bool = False
    reference_roles: tuple[str, ...] = ()
    max_references: int = 0
    reference_guidance: float | None = None
    controls: tuple[str, ...] = ()
    lora: bool = False
    regions: bool = False
    seed: bool = True
    grade: Grade = "same machine"
    tiers: dict[str, Tier] = {}
    nouns: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    max_objects: int | None = None
    masks: Literal["exact", "guided", "words", "none"] = "exact"
    partial_pictures: int = 0
    price: str = ""
