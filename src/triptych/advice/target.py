"""Who is to paint: how hard each challenge is for it, from its measured scores where there are any, and why.

A family's habits are those that the literature and the source texts of this project tell of its large models. A score
on a model's card was measured here (docs/table.md), in the world that the card names, with a plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Self

from triptych.advice.challenges.spot import Spot
from triptych.advice.claims import CLAIMS
from triptych.advice.finding import SEVERITIES, Severity
from triptych.core.errors import FileProblem
from triptych.core.registry import Card, Registry, builtin_folder

FAMILIES = ("diffusion", "flow", "autoregressive", "hybrid")
ROWS = {
    "left_right": "left_right",
    "counting": "counting",
    "attribute_mixing": "binding",
    "negation": "negation",
    "scale": "scale",
    "physics": "shadows",
    "text": "text",
}
"""Challenge -> row of the comparison table that measures it."""
MEASURED_TO = {"counting": 4}
"""Rows that ask for at most so many things."""
GOOD, FAIR = 0.97, 0.90
"""Shares of right pictures from which a challenge counts as easy, or as so-so, for a model."""

HABITS: dict[str, dict[str, tuple[Severity, str]]] = {
    "occlusion": {
        "diffusion": ("high", "a denoiser paints every thing that the words name, and paints it whole"),
        "flow": ("medium", "it paints every thing that the words name, and rather whole than hidden"),
        "autoregressive": ("medium", "it reasons about what hides what, but likes to show every thing that is named"),
        "hybrid": ("medium", "it reasons about what hides what, but likes to show every thing that is named"),
    },
    "left_right": {
        "diffusion": ("high", "captions that it learned from mix the viewer's sides with the subject's"),
        "flow": ("high", "captions that it learned from mix the viewer's sides with the subject's"),
        "autoregressive": ("medium", "it follows places in words well, once it is told whose side is meant"),
        "hybrid": ("medium", "it follows places in words well, once it is told whose side is meant"),
    },
    "counting": {
        "diffusion": ("high", "it paints all places at once and keeps no tally"),
        "flow": ("medium", "it paints all places at once and keeps no tally, though its text model reads numbers well"),
        "autoregressive": ("low", "it writes the picture in order and can keep a tally"),
        "hybrid": ("low", "it plans before it paints and can keep a tally"),
    },
    "hands": {
        "diffusion": ("high", "hands are small, jointed, often hidden in what it learned from; a pose reference helps"),
        "flow": ("medium", "plain poses come out, unusual grips and crossed fingers do not"),
        "autoregressive": ("medium", "plain poses come out, unusual grips and crossed fingers do not"),
        "hybrid": ("medium", "plain poses come out, unusual grips and crossed fingers do not"),
    },
    "attribute_mixing": {
        "diffusion": ("high", "it reads the prompt as a whole, and attributes settle on whichever thing is near"),
        "flow": ("medium", "its text model binds words better, yet attributes still leak between like things"),
        "autoregressive": ("low", "it writes one thing after the other with its attributes in view"),
        "hybrid": ("low", "it plans each thing with its attributes"),
    },
    "negation": {
        "diffusion": ("high", "it cannot hold down a concept that the words have called up"),
        "flow": ("high", "it cannot hold down a concept that the words have called up"),
        "autoregressive": ("medium", "it understands the sentence, yet the word still draws the thing in"),
        "hybrid": ("medium", "it understands the sentence, yet the word still draws the thing in"),
    },
    "scale": {
        "diffusion": ("high", "things snap back to the sizes that they mostly have in what it learned from"),
        "flow": ("medium", "things drift back to the sizes that they mostly have in what it learned from"),
        "autoregressive": ("medium", "it follows a comparison, but drifts back from a bare adjective"),
        "hybrid": ("medium", "it follows a comparison, but drifts back from a bare adjective"),
    },
    "physics": {
        "diffusion": ("high", "it matches patterns, and knows no light path, weight or liquid"),
        "flow": ("medium", "it matches patterns, and gets light, weight and liquids nearly right"),
        "autoregressive": ("low", "it reasons about causes best of the families"),
        "hybrid": ("low", "it reasons about causes best of the families"),
    },
    "text": {
        "diffusion": ("high", "letters come out garbled: it sees shapes, no spelling"),
        "flow": ("medium", "a few short words come out right"),
        "autoregressive": ("low", "it spells as a language model does, as long as the words are few"),
        "hybrid": ("low", "it spells as a language model does, as long as the words are few"),
    },
    "edit_vs_regenerate": {
        "diffusion": ("high", "a masked edit pastes onto frozen pixels; form, light and folds will not fit"),
        "flow": ("high", "a masked edit pastes onto frozen pixels; form, light and folds will not fit"),
        "autoregressive": ("medium", "it repaints with the rest in view, yet what is locked cannot answer the change"),
        "hybrid": ("medium", "it repaints with the rest in view, yet what is locked cannot answer the change"),
    },
    "keep_change_conflict": dict.fromkeys(
        FAMILIES, ("high", "it is told to freeze and to change the same pixels, and does one of the two at random")
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """The model or family that the advice is for. nouns: the world that its scores were measured in, () for any."""

    family: str = "diffusion"
    name: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    nouns: tuple[str, ...] = ()
    most: int | None = None
    negative: bool = True

    @classmethod
    def of(cls, card: Card) -> Self:
        """A model by its card; of a hosted one, what is said of it tells the family."""
        takes = card.capabilities
        claim = CLAIMS.get(card.name)
        named = claim.family if claim and card.family == "hosted" else card.family
        return cls(
            named if named in FAMILIES else "diffusion",
            card.name,
            card.scores,
            takes.nouns if takes else (),
            takes.max_objects if takes else None,
            takes.negative if takes else True,
        )

    @classmethod
    def named(cls, name: str) -> Self:
        """A built-in model by its card, a hosted one by what is said of it, or a family; `FileProblem` for others."""
        known = _built_in()
        claim = CLAIMS.get(name)
        if known.has(name) and known.find(name).card.capabilities:
            return cls.of(known.find(name).card)
        if name in FAMILIES:
            return cls(name)
        if claim is not None:
            return cls(claim.family, name, negative=False)
        known.capabilities(name)
        raise FileProblem(f"{name!r} is a part of other models, not one that makes pictures")

    def judge(self, challenge: str, spot: Spot) -> tuple[Severity, str]:
        """How hard the spot is for this model, and the reason with its figure."""
        level, habit = HABITS[challenge][self.family]
        who = self.name or f"{self.family} models"
        row = ROWS.get(challenge, "")
        score = self.scores.get(row)
        most = min(self.most or spot.number, MEASURED_TO.get(challenge, spot.number))
        known = bool(spot.nouns) and all(noun in self.nouns for noun in spot.nouns)
        within = spot.number <= most and (known or not self.nouns)
        if score is not None and within:
            measured = _by_score(score)
            return measured, f"{spot.what}; {who} gets {100 * score:.1f} % of such prompts right (row {row!r})"
        level = _shifted(level, spot.weight)
        if self.nouns:
            beyond = f"; this is beyond the {len(self.nouns)} nouns that {who} knows"
            return _shifted(level, 1), f"{spot.what}; {habit}{beyond}"
        return level, f"{spot.what}; {who}: {habit}"


@cache
def _built_in() -> Registry:
    """The cards that ship inside the package, which do not change while it runs."""
    return Registry().add_folder(builtin_folder())


def _by_score(score: float) -> Severity:
    return "low" if score >= GOOD else "medium" if score >= FAIR else "high"


def _shifted(level: Severity, weight: int) -> Severity:
    return SEVERITIES[min(max(SEVERITIES.index(level) + weight, 0), len(SEVERITIES) - 1)]
