"""What references bring, role by role, and what is left of it when each result is the next round's reference.

Series that no stage trains on (`scenes.series`) say what is true: one picture is painted from its words and plan,
beside another of the series, beside none, and the true one goes through the autoencoder or tokenizer and back, which is
the ceiling. Figures are means over series with bootstrap intervals. Scale and layout act through the plan: there the
words alone go in, and what the readers see in the result is held against what the reference shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.asset import Asset
from triptych.core.events import Pixels
from triptych.core.request import Quality, Request
from triptych.engine import Engine, Models
from triptych.evals.readers.decode import PRESENT, iou
from triptych.evals.readers.load import Readers
from triptych.evals.reference_likeness import NAMES, Likeness, Scores
from triptych.evals.statistics import Interval, estimate
from triptych.scenes import Level, Scene, Sprites, caption, render, sample_scene
from triptych.scenes.series import ROLES, Kind, Series, draw_series

SEED = 6_000_011
"""No stage draws series or scenes of this seed."""
LOOKED: tuple[Kind, ...] = ("face", "tint", "style", "pose")
PLACED: Mapping[str, Mapping[str, str]] = {
    "scale": {"size": "size error, factor of the side (1 = exact)"},
    "layout": {"overlap": "IoU of boxes with those of the reference"},
}
CONDITIONS: Mapping[str, str] = {
    "ceiling": "the true picture, through the autoencoder or tokenizer and back",
    "none": "no reference",
    "with": "one reference",
}
MISSING = 4.0
"""The size error that a thing counts for which is not there."""
_BATCH = 16

Told = dict[str, list[Scores]]
"""Condition -> the scores of each case."""


@dataclass
class Bench:
    """The measuring of models. round_trips: model -> pixels through its autoencoder or tokenizer and back.

    fields: of every request, for example a guidance scale.
    """

    models: Models
    readers: Readers
    level: Level
    sprites: Sprites
    round_trips: Mapping[str, Callable[[Pixels], Pixels]]
    cases: int
    side: int
    quality: Quality = "medium"
    fields: Mapping[str, Any] | None = None
    report: Callable[[str], None] = lambda line: None

    def __post_init__(self) -> None:
        self.likeness = Likeness(self.readers, self.sprites, self.side)

    def series(self, kind: Kind) -> list[Series]:
        return [draw_series(self.level, SEED, index, kind) for index in range(self.cases)]

    def run(self, model: str, kind: Kind) -> Told:
        """The first picture of each series: as it is, painted without a reference, and beside the second one."""
        series = self.series(kind)
        true = [one.shots[0].picture(self.side, self.sprites) for one in series]
        shown = [one.shots[1].picture(self.side, self.sprites) for one in series]
        pictures = {
            "ceiling": [self.round_trips[model](pixels) for pixels in true],
            "none": self.painted([self.request(model, one, 0, None) for one in series]),
            "with": self.painted([self.request(model, one, 0, each) for one, each in zip(series, shown, strict=True)]),
        }
        told = {name: self._scores(kind, series, 0, each) for name, each in pictures.items()}
        self.report(f"{model}, {kind}: " + "; ".join(f"{name} {_means(scores)}" for name, scores in told.items()))
        return told

    def drift(self, model: str, kind: Kind, rounds: int) -> list[list[Scores]]:
        """By round the scores of each series: its second picture is the first reference, then each result the next.

        The rounds paint the first and the third picture in turn, each with a seed of its own.
        """
        series = self.series(kind)
        shown = [one.shots[1].picture(self.side, self.sprites) for one in series]
        told: list[list[Scores]] = []
        for number in range(rounds):
            place = 2 * (number % 2)
            requests = [self.request(model, one, place, each, number) for one, each in zip(series, shown, strict=True)]
            shown = self.painted(requests)
            told.append(self._scores(kind, series, place, shown))
            self.report(f"{model}, {kind}, round {number + 1}: {_means(told[-1])}")
        return told

    def request(self, model: str, one: Series, place: int, shown: Pixels | None, number: int = 0) -> Request:
        """The picture at `place` of a series, beside `shown`."""
        shot = one.shots[place]
        fields: dict[str, Any] = {"seed": number, "quality": self.quality, "plan": shot.plan, **(self.fields or {})}
        if shown is not None:
            fields["references"] = ({"asset": Asset.of(shown), "role": ROLES[one.kind][1]},)
        return Request.make(prompt=shot.text, model=model, **fields)

    def painted(self, requests: Sequence[Request]) -> list[Pixels]:
        engine = Engine(self.models, largest_batch=_BATCH, most_active=_BATCH)
        return [pictures[0].pixels for pictures in engine.generate_many(requests)]

    def placed(self, model: str, role: str) -> Told:
        """Words alone, without a reference and beside one that says how large or where."""
        scenes = [(sample_scene(self.level, SEED, 2 * k), self._like(role, 2 * k + 1)) for k in range(self.cases)]
        told: Told = {}
        for condition in ("none", "with"):
            requests = [self._placing(model, role, one, shown, condition) for one, shown in scenes]
            made = self.painted(requests)
            told[condition] = [
                self._place_score(role, one, shown, pixels) for (one, shown), pixels in zip(scenes, made, strict=True)
            ]
        self.report(f"{model}, {role}: " + "; ".join(f"{name} {_means(scores)}" for name, scores in told.items()))
        return told

    def _like(self, role: str, index: int) -> Scene:
        """The scene of a reference: for a scale, one that has the other's first noun in it; for a layout, any."""
        wanted = sample_scene(self.level, SEED, index - 1)
        for attempt in range(1000):
            scene = sample_scene(self.level, SEED + 1, index * 1000 + attempt)
            same = any(thing.noun == wanted.groups[0].noun for thing in scene.objects)
            if (role == "scale" and same) or (role == "layout" and len(scene.objects) == len(wanted.objects)):
                return scene
        return wanted

    def _placing(self, model: str, role: str, one: Scene, shown: Scene, condition: str) -> Request:
        fields: dict[str, Any] = {"seed": one.index, "quality": self.quality}
        if condition == "with":
            fields["references"] = ({"asset": Asset.of(render(shown, self.side, self.sprites)), "role": role},)
        return Request.make(prompt=caption(one, 0), model=model, **fields)

    def _place_score(self, role: str, one: Scene, shown: Scene, pixels: Pixels) -> Scores:
        things = [thing for thing in self.readers.read([pixels])[0].things if thing.score >= PRESENT]
        if role == "layout":
            shares = [max((iou(thing.box, true.box) for thing in things), default=0.0) for true in shown.objects]
            return {"overlap": sum(shares) / len(shares)}
        noun = one.groups[0].noun
        found, wanted = (
            [math.sqrt((x1 - x0) * (y1 - y0)) for x0, y0, x1, y1 in boxes]
            for boxes in (
                [thing.box for thing in things if thing.noun == noun],
                [thing.box for thing in shown.objects if thing.noun == noun],
            )
        )
        if not found:
            return {"size": MISSING}
        return {"size": math.exp(abs(math.log(max(found) / max(wanted))))}

    def _scores(self, kind: Kind, series: Sequence[Series], place: int, pictures: Sequence[Pixels]) -> list[Scores]:
        return [self.likeness.of(kind, one.shots[place], pixels) for one, pixels in zip(series, pictures, strict=True)]


def interval(scores: Sequence[Scores], name: str) -> Interval:
    """The mean of one measure over cases."""
    return estimate(np.array([[each[name]] for each in scores])).interval()


def difference(first: Sequence[Scores], second: Sequence[Scores], name: str) -> Interval:
    """The mean of `first` minus that of `second`, paired over cases."""
    return estimate(np.array([[a[name] - b[name]] for a, b in zip(first, second, strict=True)])).interval()


def measures_of(kind: str) -> Mapping[str, str]:
    """Name of each measure of a kind or role -> what it is, in words."""
    return NAMES[kind] if kind in NAMES else PLACED[kind]


def _means(scores: Sequence[Scores]) -> str:
    return ", ".join(f"{name} {np.mean([each[name] for each in scores]):.2f}" for name in scores[0])
