"""What the readers learn from: batches as pure functions of the step.

A picture is a fresh render, or one of the pool or its round trip, made a little worse: blurred, noised, tinted. The
readers that look closer get windows cut at boxes that are a little off, as a detector's are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from triptych.core.plan import Box
from triptych.evals.readers import crops
from triptych.evals.readers.detector import COLOUR_IGNORED, STRIDE, DetectorConfig, Targets
from triptych.evals.readers.face import NAMES, observable
from triptych.evals.readers.sign import encode_word
from triptych.evals.readers.worlds import GALLERY_EVERY, kinds_of, picture, reader_scene, reading
from triptych.evals.reading import Detection, Reading
from triptych.scenes import Level, Sprites
from triptych.scenes.draw import Draw

ByteImage = npt.NDArray[np.uint8]

ENDLESS = 1 << 30
"""Fresh renders are of any scene below this number."""
_FRESH_SHARE = 0.2
_BLUR_SHARE, _NOISE_SHARE, _TINT_SHARE = 0.35, 0.3, 0.3
_ROWS, _SIGNS, _FACES = 0x0B0, 0x516, 0xFACE
_READABLE = 2.6
"""Pixels of width per letter; smaller signs are nobody's to read."""
_OFF = 0.04
"""How far the sides of a window are off, in shares of the box: the detector's error on validation scenes and more."""


@dataclass(frozen=True)
class ReaderData:
    """The readers' endless training data. pool: (count, 3, size, size, 3)."""

    level: Level
    config: DetectorConfig
    seed: int
    sprites: Sprites
    pool: ByteImage

    def batch(self, step: int, size: int, rows: range | None = None) -> dict[str, Any]:
        """Pictures with their maps, and as many signs, faces and shadows: every tensor has a row for each row."""
        made = [self._row(step * size + row) for row in rows or range(size)]
        return {name: torch.stack([row[name] for row in made]) for name in made[0]}

    def _row(self, item: int) -> dict[str, Tensor]:
        draw = Draw(self.seed, item, _ROWS)
        pixels, true = self._example(draw)
        picture = crops.as_tensor(pixels)
        row: dict[str, Tensor] = {"picture": picture, **targets(true, self.config, len(pixels))._asdict()}
        return row | self._sign(item) | self._face(item) | _shadow(picture, true, draw)

    def _example(self, draw: Draw, kind: str | None = None) -> tuple[ByteImage, Reading]:
        """A picture, worn; of the gallery's kind where one is named."""
        fresh = draw.chance(_FRESH_SHARE)
        below = ENDLESS if fresh else len(self.pool)
        index = draw.integer(0, below - 1)
        if kind is not None:
            while kind not in kinds_of(index) or index % GALLERY_EVERY != GALLERY_EVERY - 1:
                index = (index + 1) % below
        scene = reader_scene(self.level, self.seed, index)
        size = self.config.size
        pixels = picture(scene, size, self.sprites) if fresh else self.pool[index, draw.integer(0, 2)]
        return worn(pixels, draw), reading(scene, size, self.sprites)

    def _thing(self, item: int, stream: int, noun: str) -> tuple[ByteImage, Detection, Draw]:
        """A gallery picture and its one thing of that noun, whole and, if a sign, large enough to be read."""
        for attempt in range(16):
            draw = Draw(self.seed, item, stream + (attempt << 32))
            pixels, true = self._example(draw, noun)
            for thing in true.things:
                width = (thing.box[2] - thing.box[0]) * self.config.size
                if thing.noun == noun and (thing.text is None or width >= _READABLE * (len(thing.text) + 3)):
                    return pixels, thing, draw
        return pixels, Detection(noun, 1.0, (0.0, 0.0, 1.0, 1.0), {}, text="" if noun == "sign" else None), draw

    def _sign(self, item: int) -> dict[str, Tensor]:
        pixels, thing, draw = self._thing(item, _SIGNS, "sign")
        box = crops.sign_window(jittered(thing.box, draw))
        return {
            "sign": crops.window(crops.as_tensor(pixels), box, crops.SIGN_SIZE),
            "letters": torch.tensor(encode_word(thing.text or "")),
        }

    def _face(self, item: int) -> dict[str, Tensor]:
        pixels, thing, draw = self._thing(item, _FACES, "face")
        box = crops.face_window(jittered(thing.box, draw))
        vector = observable(thing.face) if thing.face else (0.5,) * len(NAMES)
        return {
            "face": crops.window(crops.as_tensor(pixels), box, crops.FACE_SIZE),
            "vector": torch.tensor(vector),
        }


def _shadow(picture: Tensor, true: Reading, draw: Draw) -> dict[str, Tensor]:
    """The ground about one of the picture's things; a picture without any has no shadow."""
    empty = Detection("", 1.0, (0.3, 0.3, 0.7, 0.7), {})
    thing = draw.pick(true.things) if true.things else empty
    box = crops.shadow_window(jittered(thing.box, draw))
    return {
        "ground": crops.window(picture, box, crops.SHADOW_SIZE),
        "there": torch.tensor(float(thing.shadow is not None)),
        "fall": torch.tensor(thing.shadow or (0.0, 0.0)),
    }


def jittered(box: Box, draw: Draw) -> Box:
    """The box with each side off by a few hundredths of the box."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    left, top, right, bottom = (draw.uniform(-_OFF, _OFF) for _ in range(4))
    return x0 + left * width, y0 + top * height, x1 + right * width, y1 + bottom * height


def worn(pixels: ByteImage, draw: Draw) -> ByteImage:
    """Perhaps blurred (up to 1.1 px), noised (up to 8 of 255), tinted (up to 6 %)."""
    if draw.chance(_BLUR_SHARE):
        blur = ImageFilter.GaussianBlur(draw.uniform(0.3, 1.1))
        pixels = np.asarray(Image.fromarray(pixels).filter(blur))
    noisy, tinted = draw.chance(_NOISE_SHARE), draw.chance(_TINT_SHARE)
    if not (noisy or tinted):
        return pixels
    x = pixels.astype(np.float32)
    if tinted:
        gain = np.array([draw.uniform(0.94, 1.06) for _ in range(3)], np.float32)
        x = x * gain + draw.uniform(-8, 8)
    if noisy:
        key = np.array([draw.integer(0, 1 << 40), 0], dtype=np.uint64)
        noise = np.random.Generator(np.random.Philox(key=key)).standard_normal(x.shape, dtype=np.float32)
        x = x + draw.uniform(1, 8) * noise
    return x.round().clip(0, 255).astype(np.uint8)


def targets(reading: Reading, config: DetectorConfig, size: int) -> Targets:
    """The truth of one picture as maps without a batch dimension; see `Targets`.

    Around a centre a Gaussian of a twelfth of the box's sides (in each direction, after CenterNet's ttfnet variant);
    the nine cells about it learn the box, the middle one most.
    """
    cells = size // STRIDE
    heat = np.zeros((len(config.nouns), cells, cells), np.float32)
    box = np.zeros((4, cells, cells), np.float32)
    colour = np.full((cells, cells), COLOUR_IGNORED, np.int64)
    visible, at = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    grid = np.arange(cells, dtype=np.float32)
    for thing in reading.things:
        x0, y0, x1, y1 = (side * cells for side in thing.box)
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        x, y = (min(max(int(centre), 0), cells - 1) for centre in (cx, cy))
        wide, tall = max((x1 - x0) / 12, 0.6), max((y1 - y0) / 12, 0.6)
        bump = np.exp(-((grid - x) ** 2) / (2 * wide**2))[None] * np.exp(-((grid - y) ** 2) / (2 * tall**2))[:, None]
        noun = config.nouns.index(thing.noun)
        heat[noun] = np.maximum(heat[noun], bump)
        for v in range(max(y - 1, 0), min(y + 2, cells)):
            for u in range(max(x - 1, 0), min(x + 2, cells)):
                weight = 1.0 if (u, v) == (x, y) else 0.3
                if weight < at[v, u]:
                    continue
                at[v, u] = weight
                box[:, v, u] = cx - u - 0.5, cy - v - 0.5, np.log(x1 - x0), np.log(y1 - y0)
                told = thing.colour
                colour[v, u] = config.colours.index(told) if told in config.colours else COLOUR_IGNORED
                visible[v, u] = thing.visible
    return Targets(
        torch.from_numpy(heat),
        torch.from_numpy(box),
        torch.from_numpy(colour),
        torch.from_numpy(visible),
        torch.from_numpy(at),
        torch.tensor(config.backgrounds.index(reading.background or "")),
    )
