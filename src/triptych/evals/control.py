"""Whether the map decides: agreement of the map made from a result with the map that was given.

Fresh scenes, which no stage trains on, give captions and exact maps. Each is painted without a map and with one, with
the written plan and without any, and once with the scene's own plan against the map of the same things laid out anew:
there plan and map contradict, and the picture shows which of the two was followed. Maps of results come from their
pixels (edges) and from what the readers find in them (the rest); the same for renders sent through the autoencoder is
the ceiling. Figures are means over scenes with bootstrap intervals over scenes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from triptych.control import canny
from triptych.control.things import ByteImage, Thing, nearest_nouns
from triptych.core.asset import Asset
from triptych.core.events import Pixels
from triptych.core.inputs import Control
from triptych.core.plan import Plan
from triptych.core.request import Quality, Request
from triptych.engine import Engine, Models
from triptych.evals.agreement import around, edges_f1, keypoint_share, mean_iou, rank_correlation
from triptych.evals.readers.decode import iou
from triptych.evals.readers.load import Readers
from triptych.evals.scene_maps import (
    KINDS,
    drawn,
    edges,
    of_scene,
    plan_of_reading,
    things_of_plan,
    things_of_scene,
    world_legend,
)
from triptych.evals.statistics import Interval, estimate
from triptych.scenes import Level, Scene, Sprites, caption, render, sample_scene
from triptych.scenes.draw import Draw
from triptych.scenes.graph import SceneObject
from triptych.scenes.layout import lay_out

SEED = 5_000_011
"""No stage draws scenes of this seed."""
LAYOUTS = 12
_AGAIN = 0xA6A100
CONDITIONS: Mapping[str, str] = {
    "ceiling": "the render itself, through the autoencoder and back",
    "without": "no map, the written plan",
    "with": "the map and the written plan",
    "without, no plan": "no map, from the words alone",
    "with, no plan": "the map and the words alone",
    "against the plan": "the plan of the scene, the map of its things laid out anew: agreement with the map",
    "against the plan, plan": "the same pictures: agreement with the scene that the plan is of",
}
MEASURES: Mapping[str, str] = {
    "edges": "F1 within 2 px",
    "depth": "Spearman around things",
    "pose": "PCK at 0.2",
    "segmentation": "mIoU of nouns",
}


@dataclass(frozen=True)
class Case:
    """A scene, its caption, and the same groups laid out anew, so that the caption is true of both."""

    scene: Scene
    other: Scene
    text: str

    @classmethod
    def of(cls, level: Level, index: int) -> Case:
        scene = sample_scene(level, SEED, index)
        return cls(scene, laid_out_anew(scene), caption(scene, 0))


def laid_out_anew(scene: Scene) -> Scene:
    """The same things, relations, place and light, in the one of several layouts that has least in common."""
    looks = {thing.group: thing for thing in scene.objects}
    found: list[tuple[float, tuple[SceneObject, ...]]] = []
    for attempt in range(LAYOUTS):
        draw = Draw(scene.seed, scene.index, _AGAIN + attempt)
        placed = lay_out(scene.groups, scene.relations, scene.background, draw)
        objects = tuple(dataclasses.replace(looks[item.group], box=item.box) for item in placed)
        shared = [max(iou(thing.box, other.box) for other in scene.objects) for thing in objects]
        found.append((sum(shared) / len(shared), objects))
    return dataclasses.replace(scene, objects=min(found, key=lambda each: each[0])[1])


@dataclass
class Bench:
    """The measuring of models on `scenes` cases. round_trip: pixels through the autoencoder and back."""

    models: Models
    readers: Readers
    level: Level
    sprites: Sprites
    round_trip: Callable[[Pixels], Pixels]
    scenes: int
    side: int
    quality: Quality = "medium"
    kinds: Sequence[str] = KINDS
    report: Callable[[str], None] = lambda line: None
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.cases = [Case.of(self.level, index) for index in range(self.scenes)]

    @property
    def size(self) -> tuple[int, int]:
        return self.side, self.side

    def run(self, model: str) -> dict[str, dict[str, list[float]]]:
        """Kind -> condition -> agreement of each scene."""
        scores: dict[str, dict[str, list[float]]] = {kind: {} for kind in self.kinds}
        bare = {False: self.painted(model, None, use_plan=True), True: self.painted(model, None, use_plan=False)}
        self.report(f"{model}: painted without maps")
        trips = [self.round_trip(render(case.scene, self.side, self.sprites)) for case in self.cases]
        own, other = [case.scene for case in self.cases], [case.other for case in self.cases]
        for kind in self.kinds:
            told = scores[kind]
            told["ceiling"] = self.agreements(kind, trips, own)
            told["without"] = self.agreements(kind, bare[False], own)
            told["with"] = self.agreements(kind, self.painted(model, kind, use_plan=True), own)
            told["without, no plan"] = self.agreements(kind, bare[True], own)
            told["with, no plan"] = self.agreements(kind, self.painted(model, kind, use_plan=False), own)
            torn = self.painted(model, kind, use_plan=True, against=True)
            told["against the plan"] = self.agreements(kind, torn, other)
            told["against the plan, plan"] = self.agreements(kind, torn, own)
            self.report(f"{model}, {kind}: " + ", ".join(f"{name} {np.mean(v):.2f}" for name, v in told.items()))
        return scores

    def painted(self, model: str, kind: str | None, *, use_plan: bool, against: bool = False) -> list[Pixels]:
        """A picture for each case. against: with the scene's own plan, and the map of the other layout."""
        requests = [self.request(model, case, kind, use_plan=use_plan, against=against) for case in self.cases]
        engine = Engine(self.models, largest_batch=16, most_active=16)
        return [pictures[0].pixels for pictures in engine.generate_many(requests)]

    def request(self, model: str, case: Case, kind: str | None, *, use_plan: bool, against: bool = False) -> Request:
        fields: dict[str, Any] = {"seed": case.scene.index, "quality": self.quality, "use_plan": use_plan}
        fields |= {"width": self.side, "height": self.side, **self.fields}
        if against:
            fields["plan"] = case.scene.plan()
        if kind is not None:
            given = of_scene(kind, case.other if against else case.scene, self.size, self.sprites)
            fields["controls"] = (Control.model_validate({"kind": kind, "map": Asset.of(given, kind)}),)
        return Request.make(prompt=case.text, model=model, **fields)

    def agreements(self, kind: str, pictures: Sequence[Pixels], scenes: Sequence[Scene]) -> list[float]:
        return [self.agreement(kind, *pair) for pair in zip(pictures, scenes, strict=True)]

    def agreement(self, kind: str, pixels: Pixels, scene: Scene) -> float:
        """Of the map made from a picture with the exact map of a scene."""
        given = of_scene(kind, scene, self.size, self.sprites)
        if kind == "edges":
            return edges_f1(canny(pixels), given[..., 0] > 0)
        plan, found = self.read(pixels)
        things = things_of_scene(scene, self.size, self.sprites)
        if kind == "pose":
            return keypoint_share(found, things)
        made = drawn(kind, found, self.size, plan.background)
        if kind == "segmentation":
            return mean_iou(nearest_nouns(made, world_legend()), nearest_nouns(given, world_legend()))
        where = around([thing.mask for thing in (*found, *things)], given.shape[:2])
        return rank_correlation(made[..., 0], given[..., 0], where)

    def read(self, pixels: Pixels) -> tuple[Plan, list[Thing]]:
        """What the readers find, with the silhouettes of its drawings in the boxes that they say."""
        plan = plan_of_reading(self.readers.read([pixels])[0])
        return plan, things_of_plan(plan, self.size, self.sprites)

    def map_of(self, kind: str, pixels: Pixels) -> ByteImage:
        """The map made from a picture, as `agreement` compares it."""
        if kind == "edges":
            return edges(canny(pixels))
        plan, found = self.read(pixels)
        return drawn(kind, found, self.size, plan.background)


def intervals(scores: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, dict[str, Interval]]:
    """Kind -> condition -> mean over scenes with its 95 % interval."""
    return {
        kind: {name: estimate(np.array(values)[:, None]).interval() for name, values in told.items()}
        for kind, told in scores.items()
    }


def gains(scores: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, dict[str, Interval]]:
    """Kind -> what the map brings, paired over scenes: with a plan, without one, and over one that contradicts it."""
    pairs = {
        "with the plan": ("with", "without"),
        "without a plan": ("with, no plan", "without, no plan"),
        "map over plan": ("against the plan", "against the plan, plan"),
    }
    return {
        kind: {
            name: estimate((np.array(told[after]) - np.array(told[before]))[:, None]).interval()
            for name, (after, before) in pairs.items()
        }
        for kind, told in scores.items()
    }
