"""A reader of the nursery, and the score: which facts of a prompt a picture holds.

The reader finds shapes as peaks of a heat map per noun at a quarter of the picture's size (Zhou et al. 2019, "Objects
as points"), with a colour at each peak. It learns from renders and from their round trips through the autoencoders,
never from a painter. It knows shapes and colours of this world only, and calls debris by the name of what it is like.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from nursery import JUDGED, LEVEL, Nursery, descend, pictures_of, scenes_of
from torch import Tensor, nn

from triptych.autoencoders.backbone import ResidualBlock
from triptych.scenes import Scene
from triptych.scenes.nouns import NOUNS
from triptych.training import optim

SIZE, STRIDE, WIDTH = 64, 4, 48
CERTAIN = 0.3
"""GenEval's threshold (Ghosh et al. 2023)."""
PICTURES, BATCH = 19_200, 64
SIDES = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}
"""Relation -> (axis, sign of other minus subject)."""


@dataclass(frozen=True)
class Found:
    noun: str
    colour: str
    centre: tuple[float, float]


class Reader(nn.Module):
    """(B, 3, 64, 64) in [-1, 1] -> logits of nouns (B, nouns, 16, 16) and of colours (B, colours, 16, 16)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, 24, 5, stride=2, padding=2)
        self.down = nn.Conv2d(24, WIDTH, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(ResidualBlock(WIDTH) for _ in range(4)))
        self.head = nn.Conv2d(WIDTH, len(LEVEL.nouns) + len(LEVEL.colours), 1)
        nn.init.constant_(self.head.bias, -3.0)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        features = self.blocks(self.down(F.silu(self.conv_in(pictures))))
        nouns, colours = self.head(F.silu(features)).float().split((len(LEVEL.nouns), len(LEVEL.colours)), dim=1)
        return nouns, colours

    @torch.inference_mode()
    def read(self, pictures: Tensor) -> list[list[Found]]:
        """Of pictures of any multiple of 64 pixels; larger ones are averaged down."""
        if pictures.shape[-1] != SIZE:
            pictures = F.interpolate(pictures, SIZE, mode="area")
        parts = [self(part) for part in pictures.clamp(-1, 1).split(128)]
        heat = torch.cat([nouns for nouns, _ in parts]).sigmoid()
        hues = torch.cat([colours for _, colours in parts]).argmax(1)
        best, which = heat.max(1)  # one shape at a place
        peak = (best == F.max_pool2d(best[:, None], 3, stride=1, padding=1)[:, 0]) & (best > CERTAIN)
        found: list[list[Found]] = [[] for _ in range(len(pictures))]
        for b, y, x in peak.nonzero().tolist():
            centre = ((x + 0.5) * STRIDE / SIZE, (y + 0.5) * STRIDE / SIZE)
            found[b].append(Found(LEVEL.nouns[which[b, y, x]], LEVEL.colours[hues[b, y, x]], centre))
        return found


def truth(scenes: list[Scene]) -> tuple[Tensor, Tensor]:
    """Heat (B, nouns, 16, 16): 1 at centres, falling around them; colours (B, 16, 16): -1 away from centres."""
    side = SIZE // STRIDE
    heat = np.zeros((len(scenes), len(LEVEL.nouns), side, side), dtype=np.float32)
    colours = np.full((len(scenes), side, side), -1, dtype=np.int64)
    places = (np.arange(side) + 0.5) / side
    for b, scene in enumerate(scenes):
        for thing in scene.objects:
            x0, y0, x1, y1 = thing.box
            spread = max(0.14 * min(x1 - x0, y1 - y0), 0.02)
            x, y = min(int((x0 + x1) / 2 * side), side - 1), min(int((y0 + y1) / 2 * side), side - 1)
            far = (places[None, :] - places[x]) ** 2 + (places[:, None] - places[y]) ** 2
            noun = LEVEL.nouns.index(thing.noun)
            heat[b, noun] = np.maximum(heat[b, noun], np.exp(-far / (2 * spread**2)))
            colours[b, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = LEVEL.colours.index(colour_of(thing))
    return torch.from_numpy(heat), torch.from_numpy(colours)


def colour_of(thing: Any) -> str:
    return thing.colour or NOUNS[thing.noun].natural


def focal(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss (Law & Deng 2018, eq. 1), per object."""
    p, centre = logits.sigmoid().clamp(1e-4, 1 - 1e-4), heat == 1
    hit = -((1 - p) ** 2 * p.log() * centre).sum()
    miss = -((1 - heat) ** 4 * p**2 * (1 - p).log() * ~centre).sum()
    return (hit + miss) / centre.sum().clamp(min=1)


def load_reader(nursery: Nursery) -> Reader:
    """Trained once and kept in the nursery's folder, with its ceilings in `reader.json`."""
    torch.manual_seed(1)
    reader, path = Reader(), nursery.folder / "reader.pt"
    if path.exists():
        reader.load_state_dict(torch.load(path, weights_only=True))
        return reader.eval()
    autoencoder = nursery.autoencoder("noise+scale")
    scenes = scenes_of(JUDGED, PICTURES)

    def loss(step: int, generator: torch.Generator) -> Tensor:
        rows = scenes[step * BATCH : (step + 1) * BATCH]
        pictures = pictures_of(rows, SIZE)
        with torch.no_grad():  # half of them as a painter's pictures would be: through the latents, a little off
            latents = autoencoder.encode(pictures[: BATCH // 2])
            latents += 0.15 * torch.randn(latents.shape, generator=generator)
            pictures = torch.cat((autoencoder.decode(latents).float().clamp(-1, 1), pictures[BATCH // 2 :]))
        pictures += 0.03 * torch.randn(pictures.shape, generator=generator)
        nouns, colours = reader(pictures)
        heat, hues = truth(rows)
        return focal(nouns, heat) + 0.5 * F.cross_entropy(colours, hues, ignore_index=-1)

    started = time.process_time()
    descend(reader, loss, PICTURES // BATCH, optim.OptimConfig(lr=2e-3, muon_lr=3e-3, warmup=30))
    torch.save(reader.state_dict(), path)
    seconds = round(time.process_time() - started, 1)
    _write(nursery.folder / "reader.json", {"pictures": PICTURES, "cpu_seconds": seconds})
    return reader


def ceilings(reader: Reader, scenes: list[Scene], pictures: dict[str, Tensor]) -> dict[str, float]:
    """Mean share of right facts that the reader finds in pictures that are right: name -> pictures of the scenes."""
    return {
        name: round(float(mean_scores(facts_of(scenes, reader.read(x)))["facts"]), 4) for name, x in pictures.items()
    }


def facts_of(scenes: list[Scene], read: list[list[Found]]) -> list[dict[str, list[bool]]]:
    """Kind of fact -> right or wrong, one entry per fact that the scene's prompt states; GenEval's kinds."""
    judged = []
    for scene, things in zip(scenes, read, strict=True):
        facts: dict[str, list[bool]] = {"noun": [], "count": [], "colour": [], "side": []}
        for group in scene.groups:
            own = [thing for thing in things if thing.noun == group.noun]
            facts["noun"].append(bool(own))
            facts["count"].append(len(own) == group.count)
            if group.colour is not None:
                facts["colour"].append(bool(own) and all(thing.colour == group.colour for thing in own))
        for relation in scene.relations:
            if relation.kind in SIDES:
                facts["side"].append(_side(scene, relation, things))
        judged.append(facts)
    return judged


def _side(scene: Scene, relation: Any, things: list[Found]) -> bool:
    """Whether the centres of the two groups lie as the relation says, by more than a hundredth of the picture."""
    axis, sign = SIDES[relation.kind]
    means = []
    for group in (relation.subject, relation.object):
        own = [thing.centre[axis] for thing in things if thing.noun == scene.groups[group].noun]
        if not own:
            return False
        means.append(sum(own) / len(own))
    return sign * (means[1] - means[0]) > 0.01


def mean_scores(judged: list[dict[str, list[bool]]]) -> dict[str, float]:
    """Of each kind the share of right facts; `facts`: the mean over prompts of their share of right ones; `all`: the
    share of prompts with every fact right."""
    scores = {}
    for kind in ("noun", "count", "colour", "side"):
        verdicts = [verdict for facts in judged for verdict in facts[kind]]
        scores[kind] = sum(verdicts) / max(1, len(verdicts))
    scores["facts"] = float(np.mean(per_prompt(judged)))
    scores["all"] = float(np.mean([share == 1 for share in per_prompt(judged)]))
    return {name: round(value, 4) for name, value in scores.items()}


def per_prompt(judged: list[dict[str, list[bool]]]) -> list[float]:
    """The share of each prompt's facts that are right."""
    shares = []
    for facts in judged:
        verdicts = [verdict for kind in facts.values() for verdict in kind]
        shares.append(sum(verdicts) / len(verdicts))
    return shares


def interval(values: np.ndarray, draws: int = 2000) -> tuple[float, float]:
    """The 95 % bootstrap interval of the mean of values (n,), over prompts."""
    random = np.random.default_rng(0)
    means = values[random.integers(0, len(values), (draws, len(values)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1))
