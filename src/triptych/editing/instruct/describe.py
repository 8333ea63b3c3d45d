"""A plan in words: the prompt that a painter is given beside an edited plan, and the list of what is in a picture.

Painters learned captions of scenes, so that is how it is worded. Knows no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from triptych.core.plan import Plan, PlanObject
from triptych.scenes import wording
from triptych.scenes.nouns import NOUNS


def caption_of(plan: Plan) -> str:
    """As in "a red car and two cats in a meadow, lit from the left"; "" for a plan that says nothing."""
    counts = Counter((thing.noun, thing.colour, thing.text) for thing in plan.objects)
    things = [_counted(noun, colour, text, count) for (noun, colour, text), count in counts.items()]
    place = wording.BACKGROUND_PHRASES[plan.background][0] if plan.background in wording.BACKGROUND_PHRASES else ""
    if not things and place:
        things = ["an empty scene"]
    light = wording.LIGHT_PHRASES[plan.light][0] if plan.light in wording.LIGHT_PHRASES else ""
    return ", ".join(filter(None, (" ".join(filter(None, (listed(things), place))), light)))


def _counted(noun: str, colour: str | None, text: str | None, count: int) -> str:
    plural = NOUNS[noun].plural if noun in NOUNS else noun + "s"
    words = " ".join(filter(None, (colour, noun if count == 1 else plural)))
    saying = f' that says "{text}"' if text else ""
    if count == 1:
        return f"{article(words)} {words}{saying}"
    return f"{wording.NUMBERS[count][0] if count in wording.NUMBERS else count} {words}{saying}"


def article(words: str) -> str:
    return "an" if words[0] in "aeio" or words.startswith(("umb", "upp")) else "a"


def listed(parts: Sequence[str]) -> str:
    return "".join(parts) if len(parts) < 2 else ", ".join(parts[:-1]) + " and " + parts[-1]


def where(thing: PlanObject) -> str:
    """The part of the picture: "top left", "middle"."""
    x, y = (thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2
    across = "left" if x < 0.4 else "right" if x > 0.6 else ""
    down = "top" if y < 0.4 else "bottom" if y > 0.6 else ""
    return " ".join(filter(None, (down, across))) or "middle"


def told(thing: PlanObject) -> str:
    """As in "a blue fox (bottom left)", in the colour that it shows."""
    colour = thing.colour or (NOUNS[thing.noun].natural if thing.noun in NOUNS else None)
    words = " ".join(filter(None, (colour, thing.noun)))
    return f"{article(words)} {words} ({where(thing)})"


def contents(plan: Plan) -> str:
    """What is in a picture, for messages."""
    there = listed([told(thing) for thing in plan.objects]) or "nothing that is known"
    return there + (f", background {plan.background}" if plan.background else "")
