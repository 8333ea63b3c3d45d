"""What a picture costs, by a dated table: an estimate before the start, never a bill.

Prices change without notice; each row says when and where it was read. "vendor" is the provider's own page or
repository, "secondary" another's page about it. Where the provider tells the cost with the answer, that is what counts
and what the ledger keeps. US dollars, without taxes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from triptych.hosted.provider import Task

MEGA = 1024 * 1024


@dataclass(frozen=True)
class Price:
    """Of one picture. base: up to the first megapixel, by quality where it depends on it. more: for each further one
    that is begun. large, from_pixels: instead of all that, for pictures of at least so many pixels. per_input: for each
    picture that goes in; per_input_megapixel likewise for each megapixel of those.
    """

    base: float | Mapping[str, float]
    read: str
    source: str
    kind: str
    more: float = 0.0
    large: float = 0.0
    from_pixels: int = 0
    per_input: float = 0.0
    per_input_megapixel: float = 0.0

    def of(self, task: Task) -> float:
        """The estimate for one call."""
        pixels = task.width * task.height
        if self.from_pixels and pixels >= self.from_pixels:
            each = self.large
        else:
            base = self.base[task.quality] if isinstance(self.base, Mapping) else self.base
            each = base + self.more * (ceil(pixels / MEGA) - 1)
        inputs = task.pictures
        megapixels = sum(ceil(picture.shape[0] * picture.shape[1] / MEGA) for picture in inputs)
        return task.n * (each + self.per_input * len(inputs) + self.per_input_megapixel * megapixels)

    @property
    def words(self) -> str:
        """For people, with the date."""
        values = list(self.base.values()) if isinstance(self.base, Mapping) else [self.base]
        most = self.large or max(values)
        span = f"${min(values):g}" if most == min(values) else f"${min(values):g} to ${most:g}"
        more = [f"${self.more:g} for each further megapixel"] if self.more else []
        more += [f"${self.per_input:g} for each picture that goes in"] if self.per_input else []
        more += [f"${self.per_input_megapixel:g} for each megapixel that goes in"] if self.per_input_megapixel else []
        return f"about {'; '.join([span + ' a picture', *more])} ({self.read}, {self.kind})"


PRICES: dict[str, Price] = {
    "openai/gpt-image-2": Price(
        {"low": 0.02, "medium": 0.07, "high": 0.19},
        "2026-05",
        "fal.ai/models/openai/gpt-image-2; OpenAI itself charges by the token",
        "secondary",
        more=0.03,
    ),
    "openai/gpt-image-1.5": Price(
        {"low": 0.009, "medium": 0.034, "high": 0.133},
        "2026-11",
        "docs.apiyi.com, historical versions; the vendor's page could not be read",
        "secondary",
        more=0.067,
    ),
    "google/gemini-3-pro-image": Price(
        0.134,
        "2026-08",
        "smithery.ai/skills/tyrchen/gemini-image; HeyPuter/puter pull 2562 for 4K",
        "secondary",
        large=0.24,
        from_pixels=8 * MEGA,
    ),
    "google/gemini-3.1-flash-image": Price(0.067, "2026-08", "HeyPuter/puter pull 2562", "secondary", more=0.0115),
    "google/imagen-4": Price(0.04, "2025-08", "ai.google.dev/pricing, from memory", "secondary"),
    "bfl/flux-2-pro": Price(
        0.03, "2026-08", "black-forest-labs/skills, bfl-api", "vendor", more=0.015, per_input_megapixel=0.015
    ),
    "bfl/flux-2-max": Price(
        0.07, "2026-08", "black-forest-labs/skills, bfl-api", "vendor", more=0.03, per_input_megapixel=0.03
    ),
    "ark/seedream-4.5": Price(0.05, "2026-11", "docs.venice.ai/models/seedream-v4-5", "secondary"),
    "xai/grok-imagine": Price(0.02, "2026-08", "docs.x.ai, model capabilities: images", "vendor", per_input=0.002),
    "dashscope/wan-2.7-image-pro": Price(0.1, "2026-08", "muapi.ai, wan2.7-text-to-image-pro", "secondary"),
    "dashscope/wan-2.7-image": Price(0.03, "2026-08", "atlascloud.ai, alibaba/wan-2.7", "secondary"),
}


def estimate(task: Task) -> float:
    """US dollars for one call."""
    return PRICES[task.model.name].of(task)


def words(model: str) -> str:
    return PRICES[model].words
