"""Stages `flow`, `diffusion` and `tokens`: the painters, all from the same pool, words and plans."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from triptych.adapters.plan_input import PlanInput, PlanRaster, rasterise, stack
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.core.capabilities import Capabilities
from triptych.core.events import Note
from triptych.core.family import Family
from triptych.core.plan import Plan
from triptych.core.registry import Card, Training
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.sampling import noise
from triptych.text.encoder import TextEncoder
from triptych.text.tokenizer import Tokenizer
from triptych.training.export import write_model
from triptych.training.pool import Pool
from triptych.training.sheet import contact_sheet
from triptych.training.stages.text import caption_ids

SHEET_SEED = 7


class Paints(Family, Protocol):
    """A family that can be trained: its own networks, and the loss over clean latents or tokens."""

    network: nn.Module
    plan_input: PlanInput
    vocabulary: PlanVocabulary
    learns: str

    def loss(self, target: Tensor, text: Tensor, raster: PlanRaster, generator: torch.Generator) -> Tensor: ...


@dataclass(frozen=True)
class Dropout:
    """Shares of the batch that go without words, without plan, without both: guidance and --no-plan need them."""

    words: float = 0.10
    plan: float = 0.15
    both: float = 0.10


@dataclass(frozen=True)
class Words:
    """What a painter stage needs of the text side."""

    tokenizer: Tokenizer
    encoder: TextEncoder


class PainterStage:
    def __init__(
        self,
        family: Paints,
        pool: Pool,
        words: Words,
        vocabulary: PlanVocabulary,
        sheet_prompts: list[tuple[str, Plan | None]],
        card: Card,
        dropout: Dropout | None = None,
    ) -> None:
        self.family, self.pool, self.words, self.vocabulary = family, pool, words, vocabulary
        self.sheet_prompts, self.card, self.dropout = sheet_prompts, card, dropout or Dropout()
        self.words.encoder.requires_grad_(False).eval()
        self.module = nn.ModuleDict({"network": family.network, "plan_input": family.plan_input})

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Any]:
        rows = rows or range(size)
        items = shuffled_items(len(self.pool), step, size)
        chance = noise.uniform(1, step, 0, (3, size)).numpy()
        d = self.dropout
        no_words = (chance[0] < d.words) | (chance[0] > 1 - d.both)
        no_plan = ((chance[0] > d.words) & (chance[0] < d.words + d.plan)) | (chance[0] > 1 - d.both)
        grid = self.pool.targets.shape[-2:]
        ids: list[list[int]] = []
        rasters: list[PlanRaster] = []
        for row in rows:
            item = items[row]
            captions = self.pool.captions(item)
            caption = "" if no_words[row] else captions[int(chance[1, row] * len(captions))]
            ids.append(caption_ids(self.words.tokenizer, caption, self.words.encoder.config.length, step * size + row))
            plan = None if no_plan[row] else self.pool.plan(item)
            rasters.append(rasterise(plan, self.vocabulary, (grid[0], grid[1])))
        raster = stack(rasters)
        return {
            "target": torch.from_numpy(np.ascontiguousarray(self.pool.targets[[items[row] for row in rows]])),
            "ids": torch.tensor(ids),
            "raster": {field.name: getattr(raster, field.name) for field in fields(PlanRaster)},
        }

    def weight(self, batch: Any) -> float:
        return len(batch["ids"])

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        with torch.no_grad():
            text, _ = self.words.encoder.to(device)(batch["ids"])
        target = batch["target"].float() if self.family.learns == "latents" else batch["target"].long()
        return self.family.loss(target, text, PlanRaster(**batch["raster"]), generator), {}

    def sheet(self, path: Path) -> dict[str, float]:
        """The fixed prompts with their true plans where they are known, and from words alone, at fixed seeds."""
        known = any(plan is not None for _, plan in self.sheet_prompts)
        modes = (True, False) if known else (False,)
        requests = [
            Request(
                prompt=prompt, model=self.family.name, seed=SHEET_SEED, plan=plan if planned else None, use_plan=planned
            )
            for planned in modes
            for prompt, plan in self.sheet_prompts
        ]
        device = next(self.module.parameters()).device
        self.module.cpu()  # families paint where prompts are read and pictures decoded
        self.words.encoder.cpu()
        try:
            pictures = Engine(Only(self.family)).generate_many(requests)
        finally:
            self.module.to(device)
        labels = [prompt for _ in modes for prompt, _ in self.sheet_prompts]
        contact_sheet([made[0].pixels for made in pictures], labels, columns=8).save(path)
        return {}

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        record = Training(data=self.card.training.data, pool=len(self.pool), **training)  # type: ignore[call-arg]
        write_model(folder, self.module.state_dict(), self.card.model_copy(update={"training": record}))


class Only:
    """One family in training, with no planner: what the sheet's engine gets its models from."""

    def __init__(self, family: Family) -> None:
        self._family = family

    def family(self, name: str) -> Family:
        return self._family

    def plan(self, request: Request, index: int) -> Plan | None:
        return None

    def notes(self, request: Request, capabilities: Capabilities) -> tuple[Note, ...]:
        return ()


def shuffled_items(n: int, step: int, size: int) -> list[int]:
    """The items of a step: a fresh shuffle of a pool of n in every epoch; pure in its arguments."""
    positions = range(step * size, (step + 1) * size)
    orders = {epoch: _shuffled(n, epoch) for epoch in {position // n for position in positions}}
    return [int(orders[position // n][position % n]) for position in positions]


def _shuffled(n: int, epoch: int) -> np.ndarray:
    return np.random.Generator(np.random.Philox(key=[11, epoch])).permutation(n)


def capabilities_for(base: Capabilities, vocabulary: PlanVocabulary) -> Capabilities:
    """The world that a model was trained on, on its card."""
    return base.model_copy(
        update={"nouns": vocabulary.nouns, "colours": vocabulary.colours, "backgrounds": vocabulary.backgrounds}
    )
