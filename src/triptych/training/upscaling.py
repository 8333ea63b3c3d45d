"""The pairs that the upscaler learns from: crops of large scenes, of pages and of leaves, and the small ones of each.

A row is one crop for each scale. `MIXED` pictures are in use at a time, their small versions made once, until `ROWS`
crops of each are taken. Everything is a function of (seed, row). Knows no network but the round trips that it is
handed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from triptych.evals.readers.trips import Trips
from triptych.scenes import Level, Sprites, render, sample_scene
from triptych.upscaling.degrade import harmed, shrink, some_method
from triptych.upscaling.made import chance, made

ByteImage = npt.NDArray[np.uint8]

ROWS = 8
"""Crops of one picture: drawing it costs as much as learning from two crops of it."""
MIXED = 16
"""So many rows that follow each other are of different pictures."""
TRIPS = 0.2
"""The share of scenes whose small version has been through the autoencoder or the tokenizer, as drafts have."""
PAGES, LEAVES = 0.12, 0.16
_TRIES = 3  # a crop is the liveliest of so many: skies are soon learned
_STREAM = 11


@dataclass(frozen=True)
class Pair:
    """large: (scale h, scale w, 3) uint8; small: (h, w, 3) uint8."""

    large: ByteImage
    small: ByteImage
    scale: int


class UpscalingData:
    """crop: side of the small crops in pixels; sizes: sides at which scenes are drawn, as often as they stand there."""

    def __init__(
        self,
        level: Level,
        sprites: Sprites,
        seed: int,
        scales: Sequence[int],
        *,
        crop: int,
        sizes: Sequence[int],
        trips: Trips | None = None,
    ) -> None:
        self.level, self.sprites, self.seed, self.scales = level, sprites, seed, tuple(scales)
        self.crop, self.sizes, self.trips = crop, tuple(sizes), trips
        self._pairs = lru_cache(maxsize=MIXED)(self._made_pairs)

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Tensor]:
        """Scale s: `small_xS` (n, 3, crop, crop) and `large_xS` (n, 3, s crop, s crop), both uint8."""
        made_rows = [self.row(step * size + row) for row in rows or range(size)]
        batch: dict[str, Tensor] = {}
        for place, scale in enumerate(self.scales):
            for name in ("small", "large"):
                stacked = np.stack([getattr(row[place], name) for row in made_rows])
                batch[f"{name}_x{scale}"] = torch.from_numpy(stacked).movedim(-1, 1)
        return batch

    def row(self, number: int) -> list[Pair]:
        """One crop per scale."""
        draw = chance(self.seed, number, _STREAM)
        picture = number // (ROWS * MIXED) * MIXED + number % MIXED
        return [_crop(pair, self.crop, draw) for pair in self._pairs(picture)]

    def picture(self, index: int) -> ByteImage:
        """Picture `index` at full size: mostly a scene."""
        draw = chance(self.seed, index, _STREAM + 1)
        size, fate = int(draw.choice(self.sizes)), draw.random()
        if fate < PAGES:
            return made("page", size, self.seed, index)
        if fate < PAGES + LEAVES:
            return made("leaves", size, self.seed, index)
        return render(sample_scene(self.level, self.seed, index), size, self.sprites)

    def _made_pairs(self, index: int) -> list[Pair]:
        large = self.picture(index)
        draw = chance(self.seed, index, _STREAM + 2)
        travels = self.trips is not None and draw.random() < TRIPS
        pairs: list[Pair] = []
        for scale in self.scales:
            small = shrink(large, scale, some_method(draw))
            if travels and self.trips is not None:
                small = self.trips.both(small[None], draw)[0, int(draw.integers(0, 2))]
            else:
                small = harmed(small, draw)
            pairs.append(Pair(large, small, scale))
        return pairs


def _crop(pair: Pair, side: int, draw: np.random.Generator) -> Pair:
    """The liveliest of a few places, turned and mirrored at random."""
    height, width = pair.small.shape[:2]
    places = [
        (int(draw.integers(0, height - side + 1)), int(draw.integers(0, width - side + 1))) for _ in range(_TRIES)
    ]
    top, left = max(places, key=lambda place: _life(pair.small[place[0] : place[0] + side, place[1] : place[1] + side]))
    turns, mirrored, scale = int(draw.integers(0, 4)), draw.random() < 0.5, pair.scale

    def cut(pixels: ByteImage, by: int) -> ByteImage:
        part = pixels[top * by : (top + side) * by, left * by : (left + side) * by]
        turned = np.rot90(part[:, ::-1] if mirrored else part, turns)
        return np.ascontiguousarray(turned)

    return Pair(cut(pair.large, scale), cut(pair.small, 1), scale)


def _life(pixels: ByteImage) -> float:
    """Mean difference of neighbouring pixels."""
    grey = pixels.astype(np.float32).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean())
