"""The rules: each is a pure function of a prompt and what a reader says of a picture."""

from __future__ import annotations

from collections.abc import Callable

from triptych.evals.judge.beyond import occlusion, scale, shadow
from triptych.evals.judge.facts import facts
from triptych.evals.judge.geneval import counting, exact, geneval
from triptych.evals.judge.portrait import face
from triptych.evals.judge.verdict import Verdict
from triptych.evals.judge.writing import text
from triptych.evals.reading import Reading
from triptych.evals.rows.prompt import Prompt

__all__ = ["RULES", "Verdict", "judge"]

RULES: dict[str, Callable[[Prompt, Reading], Verdict]] = {
    "geneval": geneval,
    "counting": counting,
    "exact": exact,
    "scale": scale,
    "occlusion": occlusion,
    "shadow": shadow,
    "facts": facts,
    "text": text,
    "face": face,
}


def judge(prompt: Prompt, reading: Reading) -> Verdict:
    """Whether the picture that was read shows what its prompt asks for, by the prompt's own rule."""
    return RULES[prompt.rule](prompt, reading)
