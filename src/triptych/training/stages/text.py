"""Stages `text` and `planner`: words to states, words to a plan.

`text` trains encoder, image tower and a plan writer together: captions against pictures (InfoNCE), and captions to the
scene graph behind them; pictures of a folder have no plans, and there the contrastive loss is all. `planner` trains the
final writer, which reads deeper, on captions without pictures, which are cheap; the encoder is frozen by then.
"""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.plan import Plan
from triptych.core.registry import Card, Training
from triptych.planning.draw import draw
from triptych.planning.metrics import facts_match
from triptych.planning.tokens import PAD, PlanTokens
from triptych.planning.writer import PlanWriter, PlanWriterConfig
from triptych.sampling import noise
from triptych.text.clip import ImageTower, ImageTowerConfig
from triptych.text.encoder import TextEncoder
from triptych.text.objective import text_stage_loss
from triptych.text.tokenizer import Tokenizer
from triptych.training.data import Source, to_tensor
from triptych.training.export import write_model
from triptych.training.sheet import contact_sheet

TOWER_SIZE = 64
CHECKED = 64
SHOWN = 16
SPELLED = 0.03
"""Share of the known words that training spells out, so that spelling is read too."""


def caption_ids(tokenizer: Tokenizer, caption: str, length: int, key: int) -> list[int]:
    """Token ids of a caption, now and then with a word spelled; `key` decides where."""
    chance = noise.uniform(key, 0, 0, (length,)).tolist()
    return list(tokenizer.encode(caption, length, spell=lambda word: chance[min(word, length - 1)] < SPELLED).ids)


SIDES_SHARE = 0.7
"""Of the planner's captions that name one kind of thing, so many are passed over for another one, a few times."""
MORE_TRIES = 3
FURTHER = 2**40
"""How far in the endless book the other caption stands: beyond every run's end."""


def fresh_writer(tokens: PlanTokens, encoder: TextEncoder, *, reading_layers: int) -> PlanWriter:
    """A writer of the encoder's width, heads and depth."""
    sizes = encoder.config
    return PlanWriter(
        PlanWriterConfig(
            vocabulary=len(tokens),
            length=tokens.max_length,
            context=sizes.width,
            width=sizes.width,
            layers=sizes.layers,
            heads=sizes.heads,
            reading_layers=reading_layers,
        )
    )


class TextStage:
    def __init__(
        self, source: Source, validation: Source, tokenizer: Tokenizer, encoder: TextEncoder, tokens: PlanTokens
    ) -> None:
        self.source, self.validation = source, validation
        self.tokenizer, self.tokens = tokenizer, tokens
        width, heads = encoder.config.width, encoder.config.heads
        writer = fresh_writer(tokens, encoder, reading_layers=0)
        tower = ImageTower(ImageTowerConfig(size=TOWER_SIZE, width=width, heads=heads))
        self.module = nn.ModuleDict({"encoder": encoder, "tower": tower, "writer": writer})

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        rows = rows or range(size)
        examples = [self.source.example(step * size + row) for row in rows]
        # Captions take turns: dense wordings and short ones.
        captions = [
            example.captions[(step + row) % len(example.captions)] for row, example in zip(rows, examples, strict=True)
        ]
        pictures = to_tensor(np.stack([example.pixels for example in examples]))
        length = self._part("encoder").config.length
        ids = [
            caption_ids(self.tokenizer, text, length, step * size + row)
            for row, text in zip(rows, captions, strict=True)
        ]
        batch = {"ids": torch.tensor(ids), "pictures": F.interpolate(pictures, TOWER_SIZE, mode="area")}
        plans = [example.plan for example in examples if example.plan is not None]
        if len(plans) == len(examples):
            batch["plan_ids"] = torch.tensor([self.tokens.padded(plan, self.tokens.max_length) for plan in plans])
        return batch

    def weight(self, batch: Any) -> float:
        return len(batch["ids"])

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        """Of several processes each contrasts the captions and pictures of its own rows."""
        total, parts = text_stage_loss(self._part("encoder"), self._part("tower"), self._part("writer"), batch)
        return total, {name: float(part) for name, part in parts.items()}

    def sheet(self, path: Path) -> dict[str, float]:
        """Pictures with the captions that they pick, or where plans are known a plan of a fresh caption."""
        encoder = self._part("encoder")
        figures = retrieval_sheet(encoder, self._part("tower"), self.tokenizer, self.validation, path)
        return figures | plan_sheet(encoder, self._part("writer"), self.tokenizer, self.tokens, self.validation, path)

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        encoder, tower = self._part("encoder"), self._part("tower")
        tensors = {f"encoder.{name}": value for name, value in encoder.state_dict().items()}
        tensors |= {f"tower.{name}": value for name, value in tower.state_dict().items()}
        card = Card(
            name="text",
            description="Text encoder with its contrastive image tower (CLIP).",
            config={
                "encoder": asdict(encoder.config),
                "tower": asdict(tower.config),
                "tokenizer": self.tokenizer.as_json(),
            },
            training=Training(data=self.source.name, **training),
        )
        write_model(folder, tensors, card)
        if self.validation.words_only(0)[1] is not None:  # without plans the writer has learned nothing
            write_planner(folder.parent / "planner", self._part("writer"), self.tokens, self.source.name, training)

    def _part(self, name: str) -> Any:
        return self.module[name]


class PlannerStage:
    """The writer, with an encoder of its own.

    It begins as a copy of the painters', whose states must stay what they are, and which tell "left of" from "right of"
    only faintly: it takes an encoder that may change to learn sides (docs/decisions/0025).
    """

    def __init__(
        self,
        source: Source,
        validation: Source,
        tokenizer: Tokenizer,
        encoder: TextEncoder,
        tokens: PlanTokens,
    ) -> None:
        self.source, self.validation = source, validation
        self.tokenizer, self.tokens = tokenizer, tokens
        writer = fresh_writer(tokens, encoder, reading_layers=2)
        self.module = nn.ModuleDict({"writer": writer, "encoder": copy.deepcopy(encoder).requires_grad_(True)})

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        items = [step * size + row for row in rows or range(size)]
        pairs = [self._pair(item) for item in items]
        length = self._part("encoder").config.length
        ids = [caption_ids(self.tokenizer, text, length, item) for item, (text, _) in zip(items, pairs, strict=True)]
        plans = [self.tokens.padded(plan, self.tokens.max_length) for _, plan in pairs if plan is not None]
        return {"ids": torch.tensor(ids), "plan_ids": torch.tensor(plans)}

    def _pair(self, item: int) -> tuple[str, Plan | None]:
        """A caption and its plan. Which side a thing is on is learned last, so captions with sides come more often."""
        text, plan = self.source.words_only(item)
        tries = 0
        while plan and len({thing.noun for thing in plan.objects}) == 1 and tries < MORE_TRIES:
            if float(noise.uniform(item, tries, 0, (1,))) > SIDES_SHARE:
                break
            tries += 1
            text, plan = self.source.words_only(item + tries * FURTHER)
        return text, plan

    def weight(self, batch: Any) -> float:
        return float((batch["plan_ids"] != PAD).sum())

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        states, _ = self._part("encoder")(batch["ids"])
        return self._part("writer").loss(states, batch["plan_ids"]), {}

    def sheet(self, path: Path) -> dict[str, float]:
        encoder, writer = self._part("encoder"), self._part("writer")
        return plan_sheet(encoder, writer, self.tokenizer, self.tokens, self.validation, path)

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        write_planner(folder, self._part("writer"), self.tokens, self.source.name, training, self.module.state_dict())

    def _part(self, name: str) -> Any:
        return self.module[name]


def write_planner(
    folder: Path,
    writer: PlanWriter,
    tokens: PlanTokens,
    data: str,
    training: dict[str, Any],
    tensors: dict[str, Tensor] | None = None,
) -> None:
    """tensors: of writer and encoder, where the writer has its own; else it reads with the text part's encoder."""
    card = Card(
        name="planner",
        description="Writes the plan of a picture from its prompt.",
        parts=("text",),
        config={"writer": asdict(writer.config), "tokens": tokens.as_json()},
        training=Training(data=data, **training),
    )
    write_model(folder, tensors or {f"writer.{name}": value for name, value in writer.state_dict().items()}, card)


def retrieval_sheet(
    encoder: TextEncoder, tower: ImageTower, tokenizer: Tokenizer, validation: Source, path: Path
) -> dict[str, float]:
    """Share of fresh pictures that pick their own caption among all; some of them with their pick drawn to `path`."""
    device = next(tower.parameters()).device
    examples = [validation.example(item) for item in range(CHECKED)]
    captions = [example.captions[0] for example in examples]
    ids = torch.tensor([tokenizer.encode(text, encoder.config.length).ids for text in captions], device=device)
    pictures = to_tensor(np.stack([example.pixels for example in examples])).to(device)
    similarity = tower(F.interpolate(pictures, TOWER_SIZE, mode="area")) @ encoder(ids)[1].float().T
    picks = [captions[pick] for pick in similarity.argmax(1).tolist()]
    contact_sheet([example.pixels for example in examples[:SHOWN]], picks[:SHOWN], columns=8).save(path)
    right = sum(pick == caption for pick, caption in zip(picks, captions, strict=True))
    return {"picks_caption": right / CHECKED}


def plan_sheet(
    encoder: TextEncoder, writer: PlanWriter, tokenizer: Tokenizer, tokens: PlanTokens, validation: Source, path: Path
) -> dict[str, float]:
    """Plans of fresh captions: the share that keeps every stated fact of the truth; the first one drawn to `path`.

    Nothing where the truth is not known.
    """
    device = next(writer.parameters()).device
    right: dict[str, float] = {}
    for item in range(CHECKED):
        text, truth = validation.words_only(item)
        if truth is None:
            return {}
        ids = torch.tensor([tokenizer.encode(text, encoder.config.length).ids], device=device)
        states, _ = encoder.to(device)(ids)
        uniforms = noise.uniform(item, 0, 0, (tokens.max_length + 1,)).tolist()
        plan = writer.write(states[0], tokens, uniforms.__getitem__)
        for name, value in facts_match(plan, truth).items():
            right[f"plan_{name}"] = right.get(f"plan_{name}", 0.0) + float(value) / CHECKED
        if item == 0:
            draw(plan, 256).save(path)
    return right
