"""What the adviser hands back: findings with their place in the prompt, and the prompt said better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")

CHALLENGES = (
    "occlusion",
    "left_right",
    "counting",
    "hands",
    "attribute_mixing",
    "negation",
    "scale",
    "physics",
    "text",
    "edit_vs_regenerate",
    "keep_change_conflict",
)
"""The ten challenges of every image model, and the conflict between keeping and changing. Public names."""


@dataclass(frozen=True)
class Finding:
    """One thing that is likely to go wrong.

    start, end: the words in the prompt that it stands on. rewrite: what to write in their place, None where the words
    are as good as they can be. negative: words for the negative prompt that go with the rewrite.
    """

    challenge: str
    start: int
    end: int
    severity: Severity
    reason: str
    rewrite: str | None
    negative: str = ""

    def as_json(self) -> dict[str, Any]:
        data = {
            "challenge": self.challenge,
            "span": [self.start, self.end],
            "severity": self.severity,
            "reason": self.reason,
            "rewrite": self.rewrite,
        }
        return data | ({"negative": self.negative} if self.negative else {})


@dataclass(frozen=True)
class Missing:
    """Something that a task needs and the prompt leaves to chance. suggestion: words to add."""

    what: str
    task: str
    reason: str
    suggestion: str

    def as_json(self) -> dict[str, str]:
        return {"what": self.what, "task": self.task, "reason": self.reason, "suggestion": self.suggestion}


@dataclass(frozen=True)
class Advice:
    """rewritten: the prompt with all rewrites in it; the prompt itself where there is none."""

    prompt: str
    findings: tuple[Finding, ...]
    rewritten: str
    missing: tuple[Missing, ...] = ()
    negative: str = ""
    model: str = ""
    family: str = ""
    edit: bool = False

    def as_json(self) -> dict[str, Any]:
        """The object of `triptych advise --json`."""
        return {
            "findings": [finding.as_json() for finding in self.findings],
            "rewritten": self.rewritten,
            "negative": self.negative,
            "missing": [one.as_json() for one in self.missing],
            "model": self.model,
            "family": self.family,
            "edit": self.edit,
        }
