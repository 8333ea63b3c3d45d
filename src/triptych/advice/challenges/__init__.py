"""One file for each challenge; each is a function from a parse to the spots that it found."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from triptych.advice.challenges.attribute_mixing import attribute_mixing
from triptych.advice.challenges.counting import counting
from triptych.advice.challenges.hands import hands
from triptych.advice.challenges.keep_change import keep_change
from triptych.advice.challenges.left_right import left_right
from triptych.advice.challenges.lettering import lettering
from triptych.advice.challenges.negation import negation
from triptych.advice.challenges.occlusion import occlusion
from triptych.advice.challenges.physics import physics
from triptych.advice.challenges.regenerate import regenerate
from triptych.advice.challenges.scale import scale
from triptych.advice.challenges.spot import Spot
from triptych.advice.grammar import Parse

Rule = Callable[[Parse], Iterable[Spot]]

RULES: dict[str, Rule] = {
    "negation": negation,
    "left_right": left_right,
    "scale": scale,
    "counting": counting,
    "text": lettering,
    "physics": physics,
    "occlusion": occlusion,
    "hands": hands,
    "attribute_mixing": attribute_mixing,
}
"""In the order in which rewrites are made: single words first, and last what takes a sentence apart."""
UNEDITED = ("attribute_mixing",)
"""Those that an instruction cannot fall into: the colours that it names tell apart what is there already."""
EDIT_RULES: dict[str, Rule] = {"keep_change_conflict": keep_change, "edit_vs_regenerate": regenerate}
"""Those that make sense of an instruction for a picture that exists; the conflict is resolved before the rest."""


def rules_for(*, edit: bool) -> dict[str, Rule]:
    """The rules for a prompt, or for an instruction."""
    if not edit:
        return RULES
    return {name: rule for name, rule in RULES.items() if name not in UNEDITED} | EDIT_RULES
