"""Plans for pictures whose plan nobody wrote down: what stands there from the caption, where from the readers.

The readers know the built-in world as it is drawn, and are unsure of the same things in pencil. But a caption says what
to look for: of each thing that it names, the likeliest places are taken, however unlikely they are by themselves. In
pictures without a word only what the readers are sure of counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from functools import cached_property

import torch

from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.core.events import Pixels
from triptych.core.plan import Box, Plan, PlanObject
from triptych.evals.readers.decode import decode
from triptych.evals.readers.detector import Maps
from triptych.evals.readers.load import Readers
from triptych.evals.reading import Detection, Reading
from triptych.families.loading import Parts
from triptych.scenes import synonyms
from triptych.scenes.nouns import NOUNS

SURE = 0.5
"""What a reader has to be sure of before a thing, a colour or a place that nobody named goes into a plan."""
LEAST = 1e-12
MIDDLE = 0.5
"""The writer's chance: the middle of every distribution, so that a caption always gives the same plan."""


class PlanFinder:
    """Picture and caption to plans. A caption is read as a prompt would be, in known words.

    believe_place: whether a place that the caption does not name is read from the picture, as for a subject in the
    world's own look. In another style it cannot be; then there are several plans, each with another place, so that what
    is learned is not tied to one.
    """

    def __init__(self, readers: Readers, parts: Parts, vocabulary: PlanVocabulary, *, believe_place: bool) -> None:
        self._readers, self._parts, self._vocabulary = readers, parts, vocabulary
        self._believe_place = believe_place

    def __call__(self, pixels: Pixels, caption: str) -> tuple[Plan, ...]:
        """pixels: uint8 (H, W, 3). Empty where the caption names nothing known, or nothing is found."""
        if not caption.strip():
            return plan_of(self._readers.read([pixels])[0], self._vocabulary)
        named = self._named(caption)
        maps = self._readers.maps(pixels)
        written = self._written(caption)
        objects: list[PlanObject] = []
        for (noun, colour), count in Counter((item.noun, item.colour) for item in written.objects).items():
            if noun in named and noun in self._readers.networks.config.nouns:
                places = self._places(maps, noun)
                objects += [PlanObject(noun=noun, colour=colour, box=inside(one.box)) for one in places[:count]]
        if not objects:
            return ()
        objects.sort(key=lambda item: item.box[3])
        plan = Plan(background=written.background, light=written.light, objects=tuple(objects))
        if self._names_place(caption):
            return (plan,)
        if self._believe_place:
            reading = decode(maps, self._readers.networks.config)
            background = _sure_background(reading, self._vocabulary) or written.background
            return (plan.model_copy(update={"background": background}),)
        return tuple(plan.model_copy(update={"background": place}) for place in self._vocabulary.backgrounds)

    def _names_place(self, caption: str) -> bool:
        """Whether the writer's choice of a place is the caption's: its chance does not move it."""
        return len({self._written(caption, chance).background for chance in (0.05, MIDDLE, 0.95)}) == 1

    def _written(self, caption: str, chance: float = MIDDLE) -> Plan:
        writer, tokens, reader = self._parts.planner()
        with torch.inference_mode():
            return writer.write(reader.states(caption), tokens, lambda _: chance)

    def _places(self, maps: Maps, noun: str) -> tuple[Detection, ...]:
        """Where the noun may be, likeliest first, whatever else may be there."""
        config = self._readers.networks.config
        row = config.nouns.index(noun)
        heat = torch.full_like(maps.heat, -torch.inf)
        heat[:, row] = maps.heat[:, row]
        return decode(maps._replace(heat=heat), config, least=LEAST).things

    def _named(self, caption: str) -> set[str]:
        """The nouns of the world that the caption names, in any of their words."""
        words = set(re.findall(r"[a-z]+", caption.lower()))
        return {noun for word, noun in self._words.items() if word in words}

    @cached_property
    def _words(self) -> dict[str, str]:
        known = {word: noun for word, noun in synonyms().items() if noun in self._vocabulary.nouns}
        return {
            **known,
            **{noun: noun for noun in self._vocabulary.nouns},
            **{NOUNS[noun].plural: noun for noun in self._vocabulary.nouns if noun in NOUNS},
        }


def plan_of(reading: Reading, vocabulary: PlanVocabulary) -> tuple[Plan, ...]:
    """The plan of what a reader is sure of; none if that is no thing."""
    things = [thing for thing in reading.things if thing.score >= SURE and thing.noun in vocabulary.nouns]
    objects = [
        PlanObject(noun=thing.noun, colour=_colour(thing), box=inside(thing.box))
        for thing in sorted(things, key=lambda thing: thing.box[3])
    ]
    return (Plan(background=_sure_background(reading, vocabulary), objects=tuple(objects[-12:])),) if objects else ()


def inside(box: Box) -> Box:
    """The box with every side where a plan allows it."""
    x0, y0, x1, y1 = (min(max(side, -0.5), 1.49) for side in box)
    return x0, y0, max(x1, x0 + 0.01), max(y1, y0 + 0.01)


def _sure_background(reading: Reading, vocabulary: PlanVocabulary) -> str:
    background = reading.background or ""
    sure = background in vocabulary.backgrounds and (reading.backgrounds or {})[background] >= SURE
    return background if sure else ""


def _colour(thing: Detection) -> str | None:
    """A named colour where the noun takes one and the reader is sure; the noun's own counts as none."""
    noun = NOUNS.get(thing.noun)
    if thing.colour is None or noun is None or not noun.recolourable or thing.colour == noun.natural:
        return None
    return thing.colour if thing.colours[thing.colour] >= SURE else None


Finds = Callable[[Pixels, str], tuple[Plan, ...]]
"""What `PlanFinder` is called as."""
