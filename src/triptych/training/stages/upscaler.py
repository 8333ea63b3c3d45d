"""Stage `upscaler`: small pictures to large ones, 2x and 4x at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.core.registry import Card, Training
from triptych.evals.upscaling import lanczos, psnr
from triptych.training.export import write_model
from triptych.training.upscaling import Pair, UpscalingData
from triptych.upscaling.degrade import shrink
from triptych.upscaling.network import Upscaler, UpscalerConfig

SHEET_PICTURES = 12
_SHOWN = 4


@dataclass(frozen=True)
class UpscalerSizes:
    """crop: side of the small crops; sizes: at which pictures are drawn; the network's width and blocks."""

    crop: int
    sizes: tuple[int, ...]
    width: int = 48
    blocks: int = 10


SIZES = {
    "tiny": UpscalerSizes(16, (64,), 8, 1),
    "cpu": UpscalerSizes(48, (256, 384, 512, 512)),
    "gpu": UpscalerSizes(64, (256, 384, 512, 768)),
}


class UpscalerStage:
    """data: what is learned from; validation: the same of a seed that is never learned from."""

    def __init__(self, data: UpscalingData, validation: UpscalingData, sizes: UpscalerSizes) -> None:
        self.data, self.validation = data, validation
        self.module = Upscaler(UpscalerConfig(sizes.width, sizes.blocks, data.scales))

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        return self.data.batch(step, size, rows)

    def weight(self, batch: dict[str, Tensor]) -> float:
        return len(next(iter(batch.values())))

    def loss(
        self, batch: dict[str, Tensor], generator: torch.Generator, device: torch.device
    ) -> tuple[Tensor, dict[str, float]]:
        """Mean absolute difference over both scales: it keeps edges sharper than squares do (Zhao et al. 2017)."""
        losses: dict[str, Tensor] = {}
        for scale in self.data.scales:
            small, large = (batch[f"{name}_x{scale}"].float() / 255 for name in ("small", "large"))
            losses[f"x{scale}"] = (self.module(small, scale).float() - large).abs().mean()
        return torch.stack(list(losses.values())).mean(), {name: float(loss.detach()) for name, loss in losses.items()}

    def sheet(self, path: Path) -> dict[str, float]:
        """Validation pictures enlarged 4x: Lanczos, the network, the truth; and what is gained over Lanczos in dB."""
        figures: dict[str, float] = {}
        for scale in self.data.scales:
            gains: list[float] = []
            rows: list[np.ndarray] = []
            for index in range(SHEET_PICTURES):
                large = self.validation.picture(index)
                pair = Pair(large, shrink(large, scale), scale)
                ours, theirs = self._enlarged(pair), lanczos(pair.small, scale)
                gains.append(psnr(ours, large) - psnr(theirs, large))
                if index < _SHOWN:
                    side = min(large.shape[0], 256)
                    top = (large.shape[0] - side) // 2
                    window = (slice(top, top + side), slice(top, top + side))
                    rows.append(np.concatenate([theirs[window], ours[window], large[window]], axis=1))
            figures[f"gain_x{scale}_db"] = float(np.mean(gains))
            if scale == max(self.data.scales):
                width = min(row.shape[1] for row in rows)
                Image.fromarray(np.concatenate([row[:, :width] for row in rows])).save(path)
        return figures

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        card = Card(
            name="upscaler",
            description="Upscaler: 2x and 4x, one convolutional network with two heads.",
            config=asdict(self.module.config),
            training=Training(data=f"upscaling-{self.data.level.name}-{self.data.seed}", **training),
        )
        write_model(folder, self.module.state_dict(), card)

    @torch.no_grad()
    def _enlarged(self, pair: Pair) -> np.ndarray:
        device = next(self.module.parameters()).device
        x = torch.from_numpy(pair.small.copy()).movedim(-1, 0)[None].to(device).float() / 255
        y = self.module(x, pair.scale).float().clamp(0, 1)[0].movedim(0, -1)
        return (y * 255).round().byte().cpu().numpy()
