"""Stage `lora`: low-rank weights for a painter that is there, from a handful of pictures.

The painter, its plan input and all parts stay as they are; what is trained is `adapters.lora.TrainedLora` alone. The
loss, the batches and the shares without words or plan are those that the painter was trained with, so that guidance
and `--no-plan` still work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from triptych.adapters.lora import PREFIXES, TrainedLora, Words, write_lora
from triptych.core.plan import Plan
from triptych.core.registry import Card
from triptych.core.request import Request
from triptych.engine import Engine
from triptych.training.pool import Pool
from triptych.training.sheet import contact_sheet
from triptych.training.stages.painter import SHEET_SEED, Only, PainterStage, Paints
from triptych.training.stages.painter import Words as Reading

FILE = "lora.safetensors"


@dataclass(frozen=True)
class About:
    """What stands in the header of the file, apart from what training adds. pictures: without their mirror images."""

    title: str
    words: Words
    pictures: int
    learning_rate: float
    batch: int


class LoraStage(PainterStage):
    """A painter stage whose painter is frozen. `sheet_prompts` are painted without the LoRA, and with it below."""

    def __init__(
        self,
        family: Paints,
        lora: TrainedLora,
        pool: Pool,
        reading: Reading,
        sheet_prompts: list[tuple[str, Plan | None]],
        card: Card,
        about: About,
    ) -> None:
        super().__init__(family, pool, reading, family.vocabulary, sheet_prompts, card)
        self.about = about
        for part in (family.network, family.plan_input):
            part.requires_grad_(False)
        self.module: nn.Module = lora  # type: ignore[assignment]
        self.lora = lora

    def loss(self, batch: Any, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        self.family.network.to(device)
        self.family.plan_input.to(device)
        with self.lora.attached():
            return super().loss(batch, generator, device)

    def sheet(self, path: Path) -> dict[str, float]:
        """The same prompts, plans and seeds without the LoRA and with it. Return how far the pixels moved."""
        requests = [
            Request(prompt=prompt, model=self.family.name, seed=SHEET_SEED, plan=plan, use_plan=plan is not None)
            for prompt, plan in self.sheet_prompts
        ]
        device = next(self.lora.parameters()).device
        for part in (self.lora, self.family.network, self.family.plan_input, self.words.encoder):
            part.cpu()
        try:
            before = Engine(Only(self.family)).generate_many(requests)
            with self.lora.attached():
                after = Engine(Only(self.family)).generate_many(requests)
        finally:
            self.lora.to(device)
        pictures = [made[0].pixels for made in (*before, *after)]
        labels = [f"before: {prompt}" for prompt, _ in self.sheet_prompts]
        labels += [f"after: {prompt}" for prompt, _ in self.sheet_prompts]
        contact_sheet(pictures, labels, columns=len(self.sheet_prompts)).save(path)
        moved = [np.abs(a.astype(float) - b) for a, b in zip(pictures, pictures[len(before) :], strict=False)]
        return {"moved_grey_levels": float(np.mean(moved))}

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        """Write the LoRA as one file, with what it is in the header."""
        folder.mkdir(parents=True, exist_ok=True)
        prefix = PREFIXES[self.card.family]
        write_lora(folder / FILE, self.lora.tensors(prefix), self._header(training))

    def _header(self, training: dict[str, Any]) -> dict[str, str]:
        """Words that other tools read (Kohya's `ss_`, the model specification's), and our own under `triptych`."""
        about, words = self.about, self.about.words
        captions: dict[str, int] = {}
        for item in range(len(self.pool)):
            for caption in self.pool.captions(item):
                captions[caption] = captions.get(caption, 0) + 1
        return {
            "triptych": json.dumps(
                {
                    "base": words.base,
                    "base_sha256": words.base_sha256,
                    "trigger": words.trigger,
                    "stands_for": words.stands_for,
                    "rank": self.lora.rank,
                    "alpha": self.lora.alpha,
                    "pictures": about.pictures,
                    "samples": training["samples"],
                }
            ),
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.architecture": f"triptych-{self.card.family}/lora",
            "modelspec.implementation": "diffusers",
            "modelspec.title": about.title,
            "modelspec.trigger_phrase": words.trigger,
            "modelspec.resolution": "x".join(map(str, self.family.capabilities.native_size)),
            "ss_base_model_version": words.base,
            "ss_sd_model_hash": words.base_sha256,
            "ss_network_module": "networks.lora",
            "ss_network_dim": str(self.lora.rank),
            "ss_network_alpha": str(self.lora.rank),
            "ss_num_train_images": str(about.pictures),
            "ss_batch_size_per_device": str(about.batch),
            "ss_steps": str(training["steps"]),
            "ss_learning_rate": str(about.learning_rate),
            "ss_tag_frequency": json.dumps({about.title: captions}),
        }
