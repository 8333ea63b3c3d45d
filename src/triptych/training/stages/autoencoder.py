"""Stages `autoencoder` and `tokenizer`: pictures to latents, pictures to tokens."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.autoencoders import fsq, kl, losses
from triptych.core.registry import Card, Training
from triptych.training.data import Source, picture_batch
from triptych.training.export import write_model

FITTED_ON = 512
SHEET_PICTURES = 8


class AutoencoderStage:
    """The continuous autoencoder, started from the best linear code (PCA) of its first pictures."""

    def __init__(self, source: Source, validation: Source, config: kl.AutoencoderConfig) -> None:
        self.source, self.validation = source, validation
        self.module = kl.Autoencoder(config)
        self.module.init_from_pca(picture_batch(source, 0, FITTED_ON))

    def batch(self, step: int, size: int, rows: range | None = None) -> Tensor:
        return picture_batch(self.source, step, size, rows)

    def weight(self, batch: Tensor) -> float:
        return len(batch)

    def loss(self, batch: Tensor, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        x = batch.contiguous(memory_format=torch.channels_last)
        total, parts = losses.autoencoder_loss(self.module, x, generator)
        return total, {name: float(part) for name, part in parts.items()}

    def sheet(self, path: Path) -> dict[str, float]:
        return reconstruction_sheet(self.module, self.validation, path)

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        pictures = picture_batch(self.source, 0, FITTED_ON).to(next(self.module.parameters()).device)
        self.module.fit_normalisation(pictures)
        card = Card(
            name="autoencoder",
            description="Continuous autoencoder: 16 channels at an eighth of the picture's size.",
            config=asdict(self.module.config),
            training=Training(data=self.source.name, **training),
        )
        write_model(folder, self.module.state_dict(), card)


class TokenizerStage:
    """The discrete tokenizer, warm-started from the trained autoencoder."""

    def __init__(self, source: Source, validation: Source, autoencoder: kl.Autoencoder) -> None:
        self.source, self.validation = source, validation
        self.module = fsq.Tokenizer.from_autoencoder(autoencoder).requires_grad_(True).train()

    def batch(self, step: int, size: int, rows: range | None = None) -> Tensor:
        return picture_batch(self.source, step, size, rows)

    def weight(self, batch: Tensor) -> float:
        return len(batch)

    def loss(self, batch: Tensor, generator: torch.Generator, device: torch.device) -> tuple[Tensor, dict[str, float]]:
        x = batch.contiguous(memory_format=torch.channels_last)
        total, parts = losses.tokenizer_loss(self.module, x, generator)
        return total, {name: float(part) for name, part in parts.items()}

    def sheet(self, path: Path) -> dict[str, float]:
        return reconstruction_sheet(self.module, self.validation, path)

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        card = Card(
            name="tokenizer",
            description="Discrete tokenizer (finite scalar quantisation) at an eighth of the picture's size.",
            config=asdict(self.module.config),
            training=Training(data=self.source.name, **training),
        )
        write_model(folder, self.module.state_dict(), card)


def reconstruction_sheet(model: torch.nn.Module, validation: Source, path: Path) -> dict[str, float]:
    """Fresh pictures above their reconstructions; their PSNR in dB over 64 of them."""
    pictures = picture_batch(validation, 0, 64)
    rebuilt = model(pictures.to(next(model.parameters()).device)).float().cpu().clamp(-1, 1)
    error = (rebuilt - pictures).square().mean()
    shown = torch.stack([pictures[:SHEET_PICTURES], rebuilt[:SHEET_PICTURES]])  # (2, n, 3, H, W)
    rows, n, C, H, W = shown.shape
    canvas = shown.permute(0, 3, 1, 4, 2).reshape(rows * H, n * W, C)
    Image.fromarray(((canvas + 1) * 127.5).round().byte().numpy().astype(np.uint8)).save(path)
    return {"validation_psnr": float(losses.psnr(error))}
