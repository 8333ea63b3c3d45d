"""A LoRA's lesson, measured: fresh prompts are painted without it and with it, planned as any request is.

The set that it was trained on, and fresh true pictures of the same kind, come from `evals.lora_sets`. Knows the
engine's doors, no training and no command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.inputs import Lora
from triptych.core.plan import Plan
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.engine.run import Models
from triptych.evals import lora as measures
from triptych.evals.likeness import Likeness
from triptych.evals.lora import Lesson, Pixels
from triptych.evals.lora_sets import KINDS, Shown, made
from triptych.evals.readers.load import Readers
from triptych.scenes import LEVELS, Sprites

FRESH = 100
"""Pictures of a set from this one on are fresh: none of them is trained on."""
SEED = 11
PLACES = ("in the snow", "on a beach", "in a forest", "at night")
MOST_AT_ONCE = 16


@dataclass(frozen=True)
class Painted:
    """What was painted for one prompt, and the plan behind it."""

    prompt: str
    pixels: Pixels
    plan: Plan | None


@dataclass(frozen=True)
class Shots:
    """Everything that a lesson is measured on, in the order of the prompts."""

    shown: list[Shown]
    before: list[Painted]
    after: list[Painted]


class LessonBench:
    """Measures any number of LoRAs with the same readers. prompts: fresh ones per LoRA. size: of pictures, in px."""

    def __init__(
        self,
        models: Models,
        readers: Readers,
        likeness: Likeness,
        sprites: Sprites,
        size: int,
        prompts: int,
        quality: str = "medium",
        report: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._models, self._readers, self._likeness, self._sprites = models, readers, likeness, sprites
        self._size, self._prompts, self._quality, self._report = size, prompts, quality, report

    def shown(self, name: str, count: int) -> list[Shown]:
        """The pictures that a LoRA of this set is trained on."""
        return made(name, count, self._size, self._sprites)

    def measure(self, name: str, model: str, lora: Lora, shown: list[Shown]) -> tuple[Lesson, Shots]:
        """The lesson of one LoRA of the set `name`, and the pictures that it was measured on."""
        kind = KINDS[name]
        fresh = made(name, self._prompts, self._size, self._sprites, first=FRESH)
        asked = [one.caption for one in fresh]
        bare = [prompt.replace(kind.trigger, kind.like) if kind.like else prompt for prompt in asked]
        spoken = asked if kind.like else [f"{prompt}, {kind.trigger}" for prompt in asked]
        before, after = self._paint(bare, model, ()), self._paint(spoken, model, (lora,))
        shots = Shots(shown, before, after)
        nouns = self._others(name)
        prompts = [f"a {noun} {PLACES[number % len(PLACES)]}" for number, noun in enumerate(nouns)]
        others = [self._paint(prompts, model, loras) for loras in ((), (lora,))]
        return self._lesson(kind.like != "", shots, fresh, others, nouns), shots

    def _lesson(
        self, of_thing: bool, shots: Shots, fresh: list[Shown], others: list[list[Painted]], nouns: Sequence[str]
    ) -> Lesson:
        """of_thing: looks are compared in the first box of each plan, not over the whole picture."""

        def part(picture: Painted | Shown) -> Pixels:
            return measures.cut_out(picture.pixels, picture.plan) if of_thing else picture.pixels

        shown, true, before, after = (
            [part(picture) for picture in pictures] for pictures in (shots.shown, fresh, shots.before, shots.after)
        )
        vectors = [
            np.stack([self._likeness.features(picture).numpy() for picture in pictures])
            for pictures in (shown, true, before, after)
        ]
        painted, bare = ([picture.pixels for picture in pictures] for pictures in (shots.after, shots.before))
        same, shifted = measures.kept(painted, bare)
        whole = [picture.pixels for picture in shots.shown]
        found = [
            measures.found(self._readers.read([picture.pixels for picture in pictures]), nouns) for pictures in others
        ]
        return Lesson(
            before=measures.distance(before, shown),
            after=measures.distance(after, shown),
            floor=measures.distance(true, shown).value,
            likeness_before=measures.likeness(vectors[2], vectors[0]),
            likeness_after=measures.likeness(vectors[3], vectors[0]),
            likeness_floor=measures.likeness(vectors[1], vectors[0]),
            kept=same,
            kept_of_others=shifted,
            nearest=measures.nearest(painted, whole),
            nearest_fresh=measures.nearest([one.pixels for one in fresh], whole),
            others_before=found[0],
            others_after=found[1],
        )

    def _others(self, name: str) -> list[str]:
        """Nouns to ask for without the trigger: of the readers' world, and not what the trigger stands for."""
        known = self._readers.networks.config.nouns
        nouns = [noun for noun in LEVELS["small"].nouns if noun in known and noun not in ("sign", KINDS[name].like)]
        return [nouns[number % len(nouns)] for number in range(self._prompts)]

    def _paint(self, prompts: Sequence[str], model: str, loras: tuple[Lora, ...]) -> list[Painted]:
        quality: Any = self._quality
        requests = [
            Request(prompt=prompt, model=model, seed=SEED + number, quality=quality, loras=loras)
            for number, prompt in enumerate(prompts)
        ]
        done: list[Painted] = []
        for start in range(0, len(requests), MOST_AT_ONCE):
            some = requests[start : start + MOST_AT_ONCE]
            pictures = Engine(self._models).generate_many(some)
            done += [Painted(r.prompt, made[0].pixels, made[0].plan) for r, made in zip(some, pictures, strict=True)]
        self._report(f"{model}: {len(done)} painted {'with' if loras else 'without'} the LoRA")
        return done
