"""Whether a face is the one that words describe: trait by trait, and as a distance in the identity's numbers.

Words fix a range for eight of the eighteen numbers; the distance is to the nearest face with all named traits.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from triptych.evals.judge.verdict import Verdict, found
from triptych.evals.reading import Reading
from triptych.evals.rows.prompt import Prompt
from triptych.scenes.identity import EYE_COLOURS, GLASSES, HAIR_COLOURS, HAIR_STYLES, MOODS, SKINS, Face, step

_STEPS: dict[str, Callable[[float], str]] = {
    "skin": lambda value: step(SKINS, value),
    "hair_style": lambda value: step(HAIR_STYLES, value),
    "hair_colour": lambda value: step(HAIR_COLOURS, value),
    "eye_colour": lambda value: step(EYE_COLOURS, value),
    "mood": lambda value: step(MOODS, value),
    "glasses": lambda value: step(GLASSES, value),
    "freckles": lambda value: str(value > 0.75),
    "scar": lambda value: "left" if value > 0.9 else "right" if value > 0.8 else "none",
}
_FINE = 400


def face(prompt: Prompt, reading: Reading) -> Verdict:
    """The likeliest face has every trait of the one that was described, and no other named trait."""
    wanted = prompt.groups[0].face
    if wanted is None:
        raise ValueError(f"the prompt {prompt.text!r} describes no face")
    seen = next((thing.face for thing in found(reading, "face") if thing.face is not None), None)
    if seen is None:
        return Verdict(False, "no face", {"error": 1.0})
    there = Face.from_vector(seen)
    has, asked = there.traits(), wanted.traits()
    wrong = [name for name in sorted(has.keys() | asked.keys()) if has.get(name) != asked.get(name)]
    told = ", ".join(f"{name} {has.get(name, 'none')} instead of {asked.get(name, 'none')}" for name in wrong)
    return Verdict(not wrong, told, {"error": named_error(there, wanted)})


def named_error(seen: Face, wanted: Face) -> float:
    """Root mean square over the named numbers of the way to the nearest value that has the wanted trait."""
    total = 0.0
    for name, trait in _STEPS.items():
        value, target = getattr(seen, name), trait(getattr(wanted, name))
        if trait(value) != target:
            total += min(abs(value - k / _FINE) for k in range(_FINE + 1) if trait(k / _FINE) == target) ** 2
    return math.sqrt(total / len(_STEPS))
