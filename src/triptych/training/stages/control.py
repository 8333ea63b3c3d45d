"""Stages `flow-control` and `diffusion-control`: a control adapter beside a trained painter, which stays as it is.

Every kind of map is trained at once, on the painters' own pool: the map of item i is made from scene i when it is asked
for, which is cheaper than reading it. Plans are often missing, and often moved to wrong places, so that it is the map
that decides where things stand while the plan still says which.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from triptych.adapters.control import (
    KINDS,
    PLANES,
    ControlAdapter,
    Point,
    Steer,
    as_input,
    inpaint_planes,
    map_planes,
)
from triptych.adapters.plan_input import PlanRaster, rasterise, stack
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.core.plan import Plan
from triptych.core.registry import Card, Training
from triptych.evals.scene_maps import of_scene
from triptych.scenes import Level, Sprites, render, sample_scene
from triptych.scenes.draw import Draw
from triptych.training.export import write_model
from triptych.training.pool import Pool
from triptych.training.stages.painter import Words, shuffled_items
from triptych.training.stages.text import caption_ids

NONE = -1
"""The number of the kind where a picture has no second map."""
SHARES = {"edges": 0.25, "depth": 0.15, "pose": 0.15, "segmentation": 0.2, "inpaint": 0.25}
SECOND_SHARE = 0.15
NO_WORDS, NO_PLAN, MOVED_PLAN = 0.12, 0.4, 0.55
"""Below the first: neither words nor plan, as guidance's other row. Below the second: no plan; below the third: a plan
whose boxes lie elsewhere; the rest have the true one."""
SHEET_ROWS = 4
HELD_BACK_STEP, HELD_BACK = 10**6, 32
"""The rows whose loss is told are those of a step far beyond a run's end, and so many."""
_STREAM = 0xC0
_MAP_NOISE = 7


class Steered(Protocol):
    """What the stage needs of a painter."""

    name: str
    network: nn.Module
    plan_input: nn.Module
    text: Any

    def control_points(self) -> tuple[Point, ...]: ...

    def loss(
        self, target: Tensor, text: Tensor, raster: PlanRaster, generator: torch.Generator, *, steer: Steer | None
    ) -> Tensor: ...


@dataclass(frozen=True)
class World:
    """The scenes behind the pool: item i is scene i of `seed`."""

    level: Level
    size: int
    seed: int
    sprites: Sprites


SIZES = {"tiny": {"width": 16, "rank": 16}, "cpu": {"width": 96, "rank": 96}, "gpu": {"width": 192, "rank": 256}}


def fresh(name: str, preset: str, family: Steered, base_sha: str) -> tuple[ControlAdapter, Card]:
    """The untrained adapter for a painter, and the card that its weights will carry. base_sha: of the painter's."""
    sizes = SIZES[preset]
    card = Card(
        name=name,
        description=f"Lets {family.name} follow maps: {', '.join(kind for kind in KINDS if kind != 'inpaint')}.",
        preset=preset,
        config={**sizes, "kinds": list(KINDS), "base_sha256": base_sha},
    )
    return ControlAdapter(family.control_points(), width=sizes["width"], rank=sizes["rank"]), card


class ControlStage:
    def __init__(
        self, family: Steered, adapter: ControlAdapter, pool: Pool, words: Words, vocabulary: PlanVocabulary,
        world: World, card: Card,
    ) -> None:  # fmt: skip
        self.family, self.pool, self.words, self.vocabulary = family, pool, words, vocabulary
        self.world, self.card = world, card
        for frozen in (family.network, family.plan_input, words.encoder):
            frozen.requires_grad_(False).eval()
        self.module = adapter

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Any]:
        items = shuffled_items(len(self.pool), step, size)
        made = [self._row(items[row], step * size + row) for row in rows or range(size)]
        raster = stack([row["raster"] for row in made])
        return {
            "target": torch.from_numpy(np.stack([row["target"] for row in made])),
            "ids": torch.tensor([row["ids"] for row in made]),
            "raster": {field.name: getattr(raster, field.name) for field in fields(PlanRaster)},
            "maps": torch.from_numpy(np.stack([row["maps"] for row in made])),
            "kinds": torch.tensor([row["kinds"] for row in made]),
        }

    def _row(self, item: int, number: int) -> dict[str, Any]:
        draw = Draw(self.world.seed, number, _STREAM)
        fate = draw.unit()
        captions = self.pool.captions(item)
        caption = "" if fate < NO_WORDS else draw.pick(captions)
        plan = self.pool.plan(item) if fate >= NO_PLAN else None
        if plan is not None and fate < MOVED_PLAN:
            plan = moved(plan, draw)
        kinds = [draw.weighted(tuple(SHARES), tuple(SHARES.values())), ""]
        if draw.chance(SECOND_SHARE):
            kinds[1] = draw.pick([kind for kind in KINDS if kind != kinds[0]])
        grid = self.pool.targets.shape[-2:]
        return {
            "target": self.pool.targets[item],
            "ids": caption_ids(self.words.tokenizer, caption, self.words.encoder.config.length, number),
            "raster": rasterise(plan, self.vocabulary, (grid[0], grid[1])),
            "maps": np.stack([self._planes(kind, item, draw) for kind in kinds]),
            "kinds": [KINDS.index(kind) if kind else NONE for kind in kinds],
        }

    def _planes(self, kind: str, item: int, draw: Draw) -> np.ndarray:
        """(PLANES, H, W) uint8; all zero for no kind."""
        world = self.world
        if not kind:
            return np.zeros((PLANES, world.size, world.size), np.uint8)
        scene = sample_scene(world.level, world.seed, item)
        if kind == "inpaint":
            boxes = [thing.box for thing in scene.objects]
            return inpaint_planes(render(scene, world.size, world.sprites), open_part(boxes, world.size, draw))
        return map_planes(of_scene(kind, scene, (world.size, world.size), world.sprites))

    def weight(self, batch: Any) -> float:
        return len(batch["ids"])

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            text, _ = self.words.encoder.to(device)(batch["ids"])
        self.family.network.to(device)
        self.family.plan_input.to(device)
        features = self._features(batch["maps"], batch["kinds"])
        raster = PlanRaster(**batch["raster"])
        loss = self.family.loss(batch["target"].float(), text, raster, generator, steer=self.module.steer(features))
        return loss, {}

    def _features(self, maps: Tensor, kinds: Tensor) -> list[Tensor]:
        """maps (B, 2, PLANES, H, W), kinds (B, 2) -> at each point the sum over a picture's maps, (B, N, R)."""
        own = self.module.features(as_input(maps[:, 0]), kinds[:, 0])
        second = (kinds[:, 1] != NONE).nonzero().flatten()
        if not len(second):
            return list(own)
        more = self.module.features(as_input(maps[second, 1]), kinds[second, 1])
        return [c.index_add(0, second, extra) for c, extra in zip(own, more, strict=True)]

    def sheet(self, path: Path) -> dict[str, float]:
        """The loss by kind of map and without any, on the same rows each time, and the first rows' maps to look at."""
        batch = self.batch(HELD_BACK_STEP, HELD_BACK)
        shown = batch["maps"][:SHEET_ROWS, :, :3].numpy().transpose(0, 1, 3, 4, 2)
        Image.fromarray(np.concatenate([np.concatenate(pair, axis=1) for pair in shown])).save(path)
        return {f"loss_{kind}": value for kind, value in self._losses(batch).items()}

    def _losses(self, batch: dict[str, Any]) -> dict[str, float]:
        """With every row's maps of one kind, and with none, at the same times and noise."""
        device = next(self.module.parameters()).device
        text, _ = self.words.encoder.to(device)(batch["ids"].to(device))
        raster = PlanRaster(**{name: value.to(device) for name, value in batch["raster"].items()})
        target = batch["target"].float().to(device)
        items = shuffled_items(len(self.pool), HELD_BACK_STEP, len(target))

        def loss(steer: Steer | None) -> float:
            generator = torch.Generator(device=device).manual_seed(_MAP_NOISE)
            return float(self.family.loss(target, text, raster, generator, steer=steer))

        found = {"none": loss(None)}
        for number, kind in enumerate(KINDS):
            planes = [self._planes(kind, item, Draw(_MAP_NOISE, i, number)) for i, item in enumerate(items)]
            maps = as_input(torch.from_numpy(np.stack(planes)).to(device))
            numbers = torch.full((len(planes),), number, device=device)
            found[kind] = loss(self.module.steer(self.module.features(maps, numbers)))
        return found

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        record = Training(data=self.card.training.data, pool=len(self.pool), **training)  # type: ignore[call-arg]
        write_model(folder, self.module.state_dict(), self.card.model_copy(update={"training": record}), int8=True)


def moved(plan: Plan, draw: Draw) -> Plan:
    """The same things of the same sizes somewhere else."""
    objects = []
    for thing in plan.objects:
        x0, y0, x1, y1 = thing.box
        width, height = x1 - x0, y1 - y0
        left, top = draw.unit() * max(1 - width, 0), draw.unit() * max(1 - height, 0)
        objects.append(thing.model_copy(update={"box": (left, top, left + width, top + height)}))
    return plan.model_copy(update={"objects": tuple(objects)})


def open_part(boxes: list[tuple[float, float, float, float]], size: int, draw: Draw) -> np.ndarray:
    """A mask (size, size) uint8 of what is to be painted anew, as edits have them: a thing with some room around it, a
    rectangle or ellipse anywhere, all but a rectangle (outpainting), or everything.
    """
    mask = np.zeros((size, size), np.uint8)
    fate = draw.unit()
    if fate < 0.4 and boxes:
        x0, y0, x1, y1 = draw.pick(boxes)
        room = draw.uniform(0, 0.15)
        mask[_span(y0 - room, y1 + room, size), _span(x0 - room, x1 + room, size)] = 255
        return mask
    width, height = draw.uniform(0.2, 0.9), draw.uniform(0.2, 0.9)
    x0, y0 = draw.unit() * (1 - width), draw.unit() * (1 - height)
    if fate < 0.65:
        mask[_span(y0, y0 + height, size), _span(x0, x0 + width, size)] = 255
    elif fate < 0.75:
        y, x = (np.mgrid[:size, :size] + 0.5) / size
        inside = ((x - x0 - width / 2) / (width / 2)) ** 2 + ((y - y0 - height / 2) / (height / 2)) ** 2 < 1
        mask[inside] = 255
    elif fate < 0.95:
        mask[:] = 255
        mask[_span(y0, y0 + height, size), _span(x0, x0 + width, size)] = 0
    else:
        mask[:] = 255
    return mask


def _span(low: float, high: float, size: int) -> slice:
    return slice(max(round(low * size), 0), max(round(high * size), 0))
