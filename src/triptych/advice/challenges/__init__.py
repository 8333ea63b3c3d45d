"""One file for each challenge; each is a function from a parse to the spots that it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from triptych.advice.challenges.counting import counting
from triptych.advice.challenges.left_right import left_right
from triptych.advice.challenges.negation import negation
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse

Rule = Callable[[Parse], Iterable[Spot]]

RULES: dict[str, Rule] = {
    "left_right": left_right,
    "counting": counting,
    "negation": negation,
}
"""In the order in which rewrites are made: sides and numbers before what builds new sentences."""
EDIT_RULES: dict[str, Rule] = {}
"""Those that make sense of an instruction for a picture that exists."""
