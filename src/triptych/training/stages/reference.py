"""Stages `flow-reference` and `tokens-reference`: what lets a trained painter look at references; it stays as it is.

It learns from series of pictures that share what no word says (`scenes.series`): one is made, one or two others are
shown. Both halves are trained at once, the reading of references and the painting beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.adapters.plan_input import PlanInput, PlanRaster, rasterise, stack
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.adapters.reference import NUMBERS, ROLES, ReferenceAdapter
from triptych.core.asset import Asset
from triptych.core.events import Pixels
from triptych.core.family import Family
from triptych.core.registry import Card, Training
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.families.references import Recalling, References
from triptych.scenes import Level, Sprites
from triptych.scenes.draw import Draw
from triptych.scenes.series import ROLES as SHARED
from triptych.scenes.series import SHARES, SHOTS, Kind, Series, draw_series
from triptych.training.export import write_model
from triptych.training.pool import Pool
from triptych.training.series import SEED, Rows
from triptych.training.stages.painter import Only, Words
from triptych.training.stages.text import caption_ids

NO_WORDS, NO_PLAN = 0.05, 0.12
PAIR_EVERY = 3
"""Every third step shows two references; all rows of a step show equally many."""
PLAIN_NUMBERS = 0.5
"""So many rows number their references 1, 2 as requests do; the others take any numbers, so that all are known."""
GUIDANCE = {"latents": 1.4, "codes": 1.4}
"""Measured (docs/references.md): guidance leads away from a picture that saw no reference, and with as much of it as
painters take without any, colours burn.
"""
SHEET_SEED = 4_500_007
HELD_BACK_STEP, HELD_BACK = 10**6, 32
_STREAM, _NOISE = 0x2EF5, 7


class Looks(Family, Recalling, Protocol):
    """What the stage needs of a painter."""

    name: str
    learns: str
    plan_input: PlanInput
    references: References | None

    def loss(
        self,
        target: Tensor,
        text: Tensor,
        raster: PlanRaster,
        generator: torch.Generator,
        *,
        memory: Sequence[tuple[Tensor, Tensor]],
    ) -> Tensor: ...


SIZES = {"tiny": {"rank": 4}, "cpu": {"rank": 24}, "gpu": {"rank": 64}}


def fresh(name: str, preset: str, family: Looks, base_sha: str) -> tuple[ReferenceAdapter, Card]:
    """The untrained adapter for a painter, and the card that its weights will carry. base_sha: of the painter's."""
    config: Any = family.network.config
    channels = config.in_channels if family.learns == "latents" else 0
    sizes = {"width": config.width, "channels": channels, **SIZES[preset]}
    card = Card(
        name=name,
        description=f"Lets {family.name} look at reference pictures: {', '.join(ROLES)}.",
        preset=preset,
        config={**sizes, "roles": list(ROLES), "guidance": GUIDANCE[family.learns], "base_sha256": base_sha},
    )
    return ReferenceAdapter(family.reference_layers(), **sizes), card


class ReferenceStage:
    def __init__(
        self, family: Looks, adapter: ReferenceAdapter, pool: Pool, words: Words, vocabulary: PlanVocabulary,
        level: Level, sprites: Sprites, card: Card,
    ) -> None:  # fmt: skip
        self.family, self.pool, self.words, self.vocabulary = family, pool, words, vocabulary
        self.level, self.sprites, self.card = level, sprites, card
        for frozen in (family.network, family.plan_input, words.encoder):
            frozen.requires_grad_(False).eval()
        self.module = adapter
        family.references = References(lambda: adapter)
        self.rows = Rows(SEED, len(pool))

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Any]:
        shown = 2 if step % PAIR_EVERY == PAIR_EVERY - 1 else 1
        made = [self._row(step * size + row, shown) for row in rows or range(size)]
        raster = stack([row["raster"] for row in made])
        return {
            "raster": {field.name: getattr(raster, field.name) for field in fields(PlanRaster)},
            **{name: torch.from_numpy(np.stack([row[name] for row in made])) for name in ("target", "references")},
            **{name: torch.tensor([row[name] for row in made]) for name in ("ids", "roles", "numbers")},
        }

    def _row(self, number: int, shown: int) -> dict[str, Any]:
        draw = Draw(SEED, number, _STREAM)
        row = self.rows.drawn(number, shown)
        (caption,) = self.pool.captions(row.target)
        numbers = list(range(1, shown + 1))
        if not draw.chance(PLAIN_NUMBERS):
            numbers = draw.sample(range(1, NUMBERS + 1), shown)
        caption = "" if draw.chance(NO_WORDS) else caption
        plan = None if draw.chance(NO_PLAN) else self.pool.plan(row.target)
        grid = self.pool.targets.shape[-2:]
        return {
            "target": self.pool.targets[row.target],
            "references": self.pool.targets[list(row.references)],
            "roles": [ROLES.index(role) for role in row.roles],
            "numbers": numbers,
            "ids": caption_ids(self.words.tokenizer, caption, self.words.encoder.config.length, number),
            "raster": rasterise(plan, self.vocabulary, (grid[0], grid[1])),
        }

    def weight(self, batch: Any) -> float:
        return len(batch["ids"])

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        for part in (self.family.network, self.family.plan_input):
            part.to(device)
        with torch.no_grad():
            text, _ = self.words.encoder.to(device)(batch["ids"])
        return self._loss(batch, text, generator, self._memory(batch)), {}

    def _loss(self, batch: Any, text: Tensor, generator: torch.Generator, memory: Any) -> Tensor:
        raster = PlanRaster(**batch["raster"])
        target = self._as_learnt(batch["target"])
        if not memory:
            return self.family.loss(target, text, raster, generator, memory=())
        with self._references.painting(self.family.network):
            return self.family.loss(target, text, raster, generator, memory=memory)

    @property
    def _references(self) -> References:
        if self.family.references is None:
            raise TypeError(f"{self.family.name} lost the references that it is trained to look at")
        return self.family.references

    def _memory(self, batch: Any) -> list[tuple[Tensor, Tensor]]:
        """All references of all rows in one call, then those of each row side by side."""
        references = self._as_learnt(batch["references"]).transpose(0, 1)  # (R, B, ...)
        shown = len(references)
        numbers, roles = batch["numbers"].T.flatten(), batch["roles"].T.flatten()
        with self._references.reading(self.family.network):
            seen = self.family.recalled(references.flatten(0, 1), numbers, roles, self.module)
        return [(self.family.joined(k.chunk(shown)), self.family.joined(v.chunk(shown))) for k, v in seen]

    def _as_learnt(self, stored: Tensor) -> Tensor:
        return stored.float() if self.family.learns == "latents" else stored.long()

    def sheet(self, path: Path) -> dict[str, float]:
        """Pictures of series that are not trained on: reference, the painter's, the true one. And the loss by kind with
        the row's own references, with another row's, and with none.
        """
        device = next(self.module.parameters()).device
        figures = self._losses(device)
        parts = (self.module, self.family.network, self.family.plan_input, self.words.encoder)
        for part in parts:
            part.cpu()  # families paint where prompts are read and pictures decoded
        try:
            Image.fromarray(self._drawn()).save(path)
        finally:
            for part in parts:
                part.to(device)
        return figures

    def _drawn(self) -> Pixels:
        kinds: list[Kind] = ["face", "face", *SHARES]
        series = [draw_series(self.level, SHEET_SEED, number, kind) for number, kind in enumerate(kinds)]
        width, _ = self.family.capabilities.native_size
        requests = [_request(self.family.name, one, width, self.sprites) for one in series]
        made = [pictures[0].pixels for pictures in Engine(Only(self.family)).generate_many(requests)]
        rows = [
            np.concatenate([*(one.asset.rgb for one in request.references[:1]), mine, true], axis=1)
            for request, mine, true in zip(
                requests, made, (one.shots[0].picture(width, self.sprites) for one in series), strict=True
            )
        ]
        half = len(rows) // 2
        return np.concatenate([np.concatenate(rows[:half]), np.concatenate(rows[half:])], axis=1)

    def _losses(self, device: torch.device) -> dict[str, float]:
        """On the rows of a step far beyond a run's end, at the same times and noise."""
        batch: Any = self.batch(HELD_BACK_STEP * PAIR_EVERY, HELD_BACK)
        batch = {name: value.to(device) for name, value in batch.items() if name != "raster"} | {
            "raster": {name: value.to(device) for name, value in batch["raster"].items()}
        }
        text, _ = self.words.encoder.to(device)(batch["ids"])
        other = batch | {"references": batch["references"].roll(1, 0), "roles": batch["roles"].roll(1, 0)}

        @torch.no_grad()
        def loss(memory: Any) -> float:
            return float(self._loss(batch, text, torch.Generator(device=device).manual_seed(_NOISE), memory))

        return {"loss_own": loss(self._memory(batch)), "loss_other": loss(self._memory(other)), "loss_none": loss(())}

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        record = Training(data=self.card.training.data, pool=len(self.pool), **training)  # type: ignore[call-arg]
        write_model(folder, self.module.state_dict(), self.card.model_copy(update={"training": record}), int8=True)


def _request(model: str, series: Series, side: int, sprites: Sprites) -> Request:
    """The first picture of a series, beside the others."""
    first = series.shots[0]
    references = tuple(
        {"asset": Asset.of(series.shots[place].picture(side, sprites)), "role": SHARED[series.kind][place]}
        for place in range(1, SHOTS)
    )
    return Request.make(prompt=first.text, model=model, seed=SHEET_SEED, plan=first.plan, references=references)
