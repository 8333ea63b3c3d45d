"""What is said, and not measured here, of models by name: the ratings of the source texts, and figures of our own
pages.

Each word stands as the texts print it; the number behind it only orders the words. A measured score on a model's card
always goes before a claim. Knows no provider and no price: those come with the candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from triptych.core.registry import Card

WORDS = {
    "best": 0.97,
    "near-perfect": 0.95,
    "excellent": 0.95,
    "most realistic": 0.95,
    "very high": 0.95,
    "very good": 0.9,
    "high": 0.88,
    "artistic": 0.85,
    "good": 0.8,
    "characterful": 0.78,
    "decent": 0.7,
    "moderate": 0.65,
    "variable": 0.5,
    "approximate": 0.5,
    "generic": 0.5,
    "low": 0.4,
    "limited": 0.4,
    "basic": 0.4,
    "weak": 0.3,
    "needs LoRA": 0.3,
    "manual tools": 0.3,
    "poor": 0.15,
}
COLUMNS = (
    "face from a reference",
    "faces from words",
    "text in pictures",
    "complex instructions",
    "variety",
    "editing",
)


@dataclass(frozen=True)
class Claim:
    """ratings: column of the texts' comparison -> its word. seconds: of one picture. family: the real one of a model
    whose card only says that it is hosted. measured: figures of our own that no card carries, by row.
    """

    family: str
    seconds: float
    ratings: dict[str, str] = field(default_factory=dict)
    source: str = "the source texts"
    measured: dict[str, float] = field(default_factory=dict)


def _rated(*words: str) -> dict[str, str]:
    return {column: word for column, word in zip(COLUMNS, words, strict=True) if word}


CLAIMS: dict[str, Claim] = {
    "google/gemini-3-pro-image": Claim(
        "hybrid", 9, _rated("approximate", "generic", "excellent", "best", "low", "best")
    ),
    "google/gemini-3.1-flash-image": Claim(
        "hybrid", 5, _rated("approximate", "generic", "excellent", "very good", "low", "very good")
    ),
    "ark/seedream-4.5": Claim(
        "diffusion", 47, _rated("near-perfect", "good", "excellent", "moderate", "moderate", "limited")
    ),
    "bfl/flux-2-pro": Claim("flow", 7, _rated("good", "most realistic", "very good", "very good", "high", "good")),
    "bfl/flux-2-max": Claim("flow", 15, _rated("good", "most realistic", "very good", "very good", "high", "good")),
    "xai/grok-imagine": Claim("autoregressive", 15, _rated("decent", "characterful", "good", "good", "high", "good")),
    "openai/gpt-image-1.5": Claim(
        "autoregressive", 30, _rated("approximate", "", "excellent", "very good", "", "very good")
    ),
    "openai/gpt-image-2": Claim("autoregressive", 30, _rated("", "", "excellent", "best", "", "very good")),
    "google/imagen-4": Claim(
        "diffusion", 8, _rated("needs LoRA", "variable", "poor", "weak", "very high", "manual tools")
    ),
    "dashscope/wan-2.7-image": Claim("diffusion", 6),
    "dashscope/wan-2.7-image-pro": Claim("diffusion", 8),
    "flow": Claim("flow", 0.42, source="docs/table.md and docs/edits.md", measured={"edit": 0.977}),
    "diffusion": Claim("diffusion", 0.21, source="docs/table.md and docs/edits.md", measured={"edit": 0.91}),
    "tokens": Claim("autoregressive", 0.69, source="docs/table.md and docs/edits.md", measured={"edit": 0.832}),
}
OPEN = {
    "diffusion": Claim("diffusion", 10, _rated("needs LoRA", "variable", "poor", "weak", "very high", "manual tools")),
    "flow": Claim("flow", 20, _rated("good", "most realistic", "very good", "very good", "high", "good")),
}
"""Family -> what the texts say of its public checkpoints: "classic diffusion", and FLUX as its open variant."""
BATCH = frozenset(("xai/grok-imagine",))
"""Models that the texts praise for many pictures in one go."""


def claim_of(card: Card) -> Claim | None:
    """What is said of a model: by its name, or of its family where it is a public checkpoint, which knows any noun."""
    small = card.capabilities is not None and bool(card.capabilities.nouns)
    return CLAIMS.get(card.name) or (None if small else OPEN.get(card.family))
