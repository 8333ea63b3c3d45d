"""The readers' door: pictures in, readings out.

The four networks look at each picture on its own, in float32, so that a reading is the same in any company. Torch is
imported here and below, never by who only handles readings.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.events import Pixels
from triptych.core.registry import Card, Registry, builtin_folder
from triptych.evals.readers import crops
from triptych.evals.readers.decode import decode
from triptych.evals.readers.detector import Detector, DetectorConfig, Maps
from triptych.evals.readers.face import FaceReader, vector_of
from triptych.evals.readers.shadow import ShadowReader
from triptych.evals.readers.sign import SignReader, greedy
from triptych.evals.reading import Detection, Reading

NAME = "readers"


class ReaderNetworks(nn.Module):
    """All four as one module: what is trained, and what a weights file holds."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        self.detector = Detector(config)
        self.sign, self.face, self.shadow = SignReader(), FaceReader(), ShadowReader()
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


class Readers:
    """Networks that are ready to read. `card` is None for ones that are still being trained."""

    def __init__(self, networks: ReaderNetworks, card: Card | None = None) -> None:
        self.networks, self.card = networks.eval(), card

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """The readers of a model folder, or those of the package.

        `FileProblem` if they are missing, altered, or do not fit their card.
        """
        folder = folder or builtin_folder() / NAME
        card = Card.read(folder)
        registry = Registry()
        registry.register(card, folder)
        registry.check(card.name)
        try:
            networks = ReaderNetworks(_config(card.config))
            tensors: dict[str, Tensor] = {}
            for file in card.files:
                tensors |= load_file(folder / file)
            networks.load_state_dict({name: _whole(tensor) for name, tensor in tensors.items()})
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise FileProblem(f"the readers in {folder} do not fit their card: {error}") from error
        return cls(networks.requires_grad_(False), card)

    def read(self, pictures: Sequence[Pixels]) -> list[Reading]:
        """The reading of each picture, uint8 (H, W, 3) of any size; another than the readers' own is resampled."""
        return [self._read(picture) for picture in pictures]

    def maps(self, picture: Pixels) -> Maps:
        """What the detector says of one picture, before it is decoded."""
        with torch.inference_mode():
            return self.networks.detector(self._prepared(picture)[None])

    def _prepared(self, pixels: Pixels) -> Tensor:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or 0 in pixels.shape:
            raise InvalidRequest("pictures", f"{pixels.dtype} {pixels.shape} is not a uint8 picture (H, W, 3)")
        size = self.networks.config.size
        if pixels.shape[:2] != (size, size):
            pixels = np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))
        return crops.as_tensor(pixels)

    @torch.inference_mode()
    def _read(self, pixels: Pixels) -> Reading:
        networks = self.networks
        picture = self._prepared(pixels)
        slope, shift = networks.detector.calibration.tolist()
        reading = decode(networks.detector(picture[None]), networks.config, (slope, shift))
        return dataclasses.replace(reading, things=tuple(self._closer(picture, thing) for thing in reading.things))

    def _closer(self, picture: Tensor, thing: Detection) -> Detection:
        """The thing with what its own reader says, and its shadow."""
        if thing.noun == "sign":
            window = crops.window(picture, crops.sign_window(thing.box), crops.SIGN_SIZE)
            classes = self.networks.sign(window[None])[0].argmax(-1).tolist()
            thing = dataclasses.replace(thing, text=greedy(classes))
        elif thing.noun == "face":
            window = crops.window(picture, crops.face_window(thing.box), crops.FACE_SIZE)
            thing = dataclasses.replace(thing, face=vector_of(self.networks.face(window[None])[0]))
        ground = crops.window(picture, crops.shadow_window(thing.box), crops.SHADOW_SIZE)
        there, right, up = self.networks.shadow(ground[None])[0].tolist()
        return dataclasses.replace(thing, shadow=(right, up) if there > 0 else None)


def _config(data: dict[str, Any]) -> DetectorConfig:
    """From JSON, whose lists were tuples."""
    told: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return DetectorConfig(**told)


def _whole(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
