"""Stage `readers`: the judge's four networks, trained together on renders and round trips (`evals.readers`).

Each has weights of its own; the loss is the sum of theirs. The export calibrates the detector's scores on validation
scenes and measures the ceilings that stand on the card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from triptych.core.registry import Card, Training
from triptych.evals.readers import pool, worlds
from triptych.evals.readers.ceilings import card_scores, measure
from triptych.evals.readers.data import ReaderData
from triptych.evals.readers.decode import PRESENT, decode, fit, match
from triptych.evals.readers.detector import DetectorConfig, Targets, detector_loss
from triptych.evals.readers.face import face_loss
from triptych.evals.readers.load import NAME, ReaderNetworks, Readers
from triptych.evals.readers.shadow import shadow_loss
from triptych.evals.readers.sign import sign_loss
from triptych.evals.readers.trips import Trips
from triptych.evals.reading import Reading
from triptych.scenes import Level, Sprites
from triptych.scenes.colours import COLOURS
from triptych.training.export import through_half, write_model

SHEET_PICTURES = 16
_SHEET_SCENES = 64
_NORM_ROWS = 32


@dataclass(frozen=True)
class ReaderSizes:
    """pool: scenes that are kept with their round trips. settled: batches of 32 behind the norms' statistics. fitted,
    measured: scenes behind the calibration and behind the ceilings. widths: the detector's."""

    pool: int
    settled: int
    fitted: int
    measured: int
    widths: tuple[int, int, int, int] = (32, 64, 96, 128)


SIZES = {
    "tiny": ReaderSizes(16, 1, 2, 2, (8, 16, 16, 16)),
    "cpu": ReaderSizes(3_600, 16, 400, 300),
    "gpu": ReaderSizes(100_000, 64, 2_000, 2_000, (48, 96, 144, 192)),
}


class ReadersStage:
    """folder: where the pool lies; trips: the autoencoder and the tokenizer whose round trips are read."""

    def __init__(
        self, level: Level, size: int, sprites: Sprites, trips: Trips, sizes: ReaderSizes, folder: Path,
        report: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.level, self.sprites, self.trips, self.sizes = worlds.with_made(level), sprites, trips, sizes
        config = DetectorConfig(self.level.nouns, tuple(COLOURS), self.level.backgrounds, size, sizes.widths)
        seed = worlds.TRAINING_SEED
        pictures = pool.build(folder, self.level, size, seed, sizes.pool, sprites, trips, report)
        self.data = ReaderData(self.level, config, seed, sprites, pictures)
        self.module = ReaderNetworks(config)

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        return self.data.batch(step, size, rows)

    def weight(self, batch: dict[str, Tensor]) -> float:
        return len(batch["picture"])

    def loss(
        self, batch: dict[str, Tensor], generator: torch.Generator, device: torch.device
    ) -> tuple[Tensor, dict[str, float]]:
        maps = self.module.detector(batch["picture"].contiguous(memory_format=torch.channels_last))
        truth = Targets(**{name: batch[name] for name in Targets._fields})
        total, parts = detector_loss(maps, truth)
        closer = {
            "sign": sign_loss(self.module.sign(batch["sign"]), batch["letters"]),
            "face": face_loss(self.module.face(batch["face"]), batch["vector"]),
            "shadow": shadow_loss(self.module.shadow(batch["ground"]), batch["there"], batch["fall"]),
        }
        parts |= {name: float(loss.detach()) for name, loss in closer.items()}
        return total + torch.stack(list(closer.values())).sum(), parts

    def sheet(self, path: Path) -> dict[str, float]:
        """Validation scenes with what the readers see in them; F1 of the detections at an uncalibrated 0.3."""
        pictures, truths = self._validation(_SHEET_SCENES)
        readings = self._readers().read(list(pictures))
        drawn = [_drawn(each, reading) for each, reading in zip(pictures, readings, strict=True)][:SHEET_PICTURES]
        rows = [np.concatenate(drawn[start : start + 4], axis=1) for start in range(0, SHEET_PICTURES, 4)]
        Image.fromarray(np.concatenate(rows)).save(path)
        hits = found = there = 0
        for reading, true in zip(readings, truths, strict=True):
            present = [thing for thing in reading.things if thing.score >= PRESENT]
            hits += len(match(present, true.things))
            found, there = found + len(present), there + len(true.things)
        return {"validation_f1": 2 * hits / max(found + there, 1)}

    def export(self, folder: Path, training: dict[str, Any]) -> None:
        self._settle_norms()
        through_half(self.module)
        readers = self._readers()
        pictures, truths = self._validation(self.sizes.fitted)
        calibration = self.module.detector.calibration
        calibration.copy_(torch.tensor([1.0, 0.0]))
        raw = [decode(readers.maps(each), self.module.config, least=1e-4) for each in pictures]
        calibration.copy_(torch.tensor(fit(raw, truths)).half().float())
        card = Card(
            name=NAME,
            description="Readers: a detector of the world's things, and closer looks at signs, faces and shadows.",
            config=asdict(self.module.config),
            training=Training(data=f"scenes-{self.level.name}-{self.module.config.size}-{self.data.seed}", **training),
            scores=card_scores(measure(readers, self.level, self.sprites, self.trips, self.sizes.measured)),
        )
        write_model(folder, self.module.state_dict(), card)

    @torch.no_grad()
    def _settle_norms(self) -> None:
        """The statistics of the batch norms, anew for the averaged weights that are exported."""
        norms = [layer for layer in self.module.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over the batches that follow
        device = next(self.module.parameters()).device
        self.module.train()
        for step in range(self.sizes.settled):
            batch = {name: tensor.to(device) for name, tensor in self.batch(step, _NORM_ROWS).items()}
            self.loss(batch, torch.Generator(), device)
        self.module.eval()

    def _readers(self) -> Readers:
        return Readers(self.module)

    def _validation(self, count: int) -> tuple[np.ndarray, list[Reading]]:
        """Pictures (count, H, W, 3) of scenes that the readers were not trained on, a third as each of the three.

        The trips are harmed as those of training: what models paint is never as clean as a render.
        """
        size, seed = self.module.config.size, worlds.VALIDATION_SEED
        scenes = [worlds.reader_scene(self.level, seed, index) for index in range(count)]
        pictures = np.stack([worlds.picture(scene, size, self.sprites) for scene in scenes])
        for start in range(0, count, pool.CHUNK):
            part = pictures[start : start + pool.CHUNK]
            harm = np.random.Generator(np.random.Philox(key=np.array([seed, start], dtype=np.uint64)))
            both = self.trips.both(part, harm)
            for i in range(len(part)):
                if (start + i) % 3:
                    part[i] = both[i, (start + i) % 3 - 1]
        return pictures, [worlds.reading(scene, size, self.sprites) for scene in scenes]


def _drawn(pixels: np.ndarray, reading: Reading) -> np.ndarray:
    """The picture at twice its size with the boxes that count, what is in them and how sure that is."""
    image = Image.fromarray(pixels).resize((pixels.shape[1] * 2, pixels.shape[0] * 2))
    brush = ImageDraw.Draw(image)
    for thing in reading.things:
        if thing.score < PRESENT:
            continue
        x0, y0, x1, y1 = (side * image.width for side in thing.box)
        brush.rectangle((x0, y0, x1, y1), outline=(255, 0, 160))
        words = f"{thing.colour} {thing.noun} {thing.score:.2f} {thing.text or ''}"
        brush.text((max(x0, 0) + 2, max(y0, 0) + 1), words, fill=(255, 0, 160), stroke_width=1, stroke_fill="white")
    return np.asarray(image)
