"""Where the light of a picture comes from, as its shadows tell.

Readers see the shadow of each thing; a scene has one light, so that all of them together point away from it. Knows no
network: it works on readings.
"""

from __future__ import annotations

from triptych.evals.judge.beyond import SHADOW_DEGREES, shadow_error
from triptych.evals.judge.verdict import THRESHOLD
from triptych.evals.reading import Reading
from triptych.scenes.levels import LIGHTS


def light_of(reading: Reading, *, within: float = SHADOW_DEGREES) -> str | None:
    """The light whose shadows fall as those that are read do, in degrees; None without shadows, or between lights.

    "above" throws shadows as no light in particular does, and is never told apart from it.
    """
    tips = [
        (thing.shadow[0] * height, thing.shadow[1] * height)
        for thing in reading.things
        if thing.shadow is not None and thing.score > THRESHOLD
        for height in (thing.box[3] - thing.box[1],)
    ]
    total = (sum(x for x, _ in tips), sum(y for _, y in tips))
    errors = {
        light: error for light in LIGHTS if light != "above" and (error := shadow_error(total, light)) is not None
    }
    best = min(errors, key=errors.__getitem__, default=None)
    return best if best is not None and errors[best] < within else None
