"""How the maps of a request steer a latent family: read once, scaled and added up at every step.

It stands between `Request.controls` and a `ControlAdapter`; which network is steered it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.adapters.control import ControlAdapter, Steer, as_input, inpaint_planes, map_planes
from triptych.core.asset import Asset
from triptych.core.errors import InvalidRequest
from triptych.core.request import Request
from triptych.sampling.guidance import active

INPAINT = "inpaint"
HALF = 128
"""Pixels of a strength map from which on a place counts as painted anew: the adapter knows kept and open alone."""


@dataclass(frozen=True)
class Steering:
    """What one map says at each point of the network, (N, R) each, and how much and when that counts."""

    features: tuple[Tensor, ...]
    weight: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def acts(self, step: int, total: int) -> bool:
        """Whether it counts at `step` of `total`, from 0."""
        return active(step, total, (self.start, self.end))


class Steers:
    """The adapter of a family, loaded by `make` at the first request that needs it."""

    def __init__(self, make: Callable[[], ControlAdapter]) -> None:
        self._make, self._adapter = make, None

    @property
    def adapter(self) -> ControlAdapter:
        if self._adapter is None:
            self._adapter = self._make()
        return self._adapter

    def read(self, request: Request, *, planned: bool) -> tuple[Steering, ...]:
        """The maps of a resolved request; a picture that is partly repainted is itself one, of kind `inpaint`.

        planned: whether a plan says what belongs into the picture. Then what is kept is not shown: the painter sees it
        in its own latents, and knew better without (docs/decisions/0036).
        Each map is read alone, so that its bits do not depend on how many there are.
        """
        size = (request.width or 0, request.height or 0)
        found: list[Steering] = []
        for one in request.controls:
            features = self._features(map_planes(fitted(one.kind, one.map, size)), one.kind)
            found.append(Steering(features, one.weight, one.start, one.end))
        init, mask = request.init, request.strength_map
        if init is not None and mask is not None and not planned and INPAINT in self.adapter.kinds:
            picture = _resized(init.rgb, size, Image.Resampling.LANCZOS)
            repaint = _resized(mask.rgb, size, Image.Resampling.BOX).max(axis=2)
            open_ = np.where(repaint >= HALF, 255, 0).astype(np.uint8)
            if not open_.all():  # with nothing kept there is nothing to be seen
                found.append(Steering(self._features(inpaint_planes(picture, open_), INPAINT)))
        return tuple(found)

    def _features(self, planes: np.ndarray, kind: str) -> tuple[Tensor, ...]:
        if kind not in self.adapter.kinds:
            known = ", ".join(name for name in self.adapter.kinds if name != INPAINT)
            raise InvalidRequest("controls", f"{kind} is not what this adapter was trained for (allowed: {known})")
        number = torch.tensor([self.adapter.kinds.index(kind)])
        with torch.inference_mode():
            features = self.adapter.features(as_input(torch.from_numpy(planes)[None]), number)
        return tuple(c[0] for c in features)

    def steer(self, rows: Sequence[Sequence[Steering]]) -> Steer | None:
        """What the network calls; None where no row is steered. rows: of each row of the forward what acts there."""
        if not any(rows):
            return None
        one = next(steerings for steerings in rows if steerings)[0]
        nothing = [torch.zeros_like(c) for c in one.features]
        summed = [_sum(steerings, nothing) for steerings in rows]
        return self.adapter.steer([torch.stack(point) for point in zip(*summed, strict=True)])


def _sum(steerings: Sequence[Steering], nothing: list[Tensor]) -> list[Tensor]:
    total = nothing
    for one in steerings:
        total = [c + one.weight * own for c, own in zip(total, one.features, strict=True)]
    return total


def fitted(kind: str, asset: Asset, size: tuple[int, int]) -> np.ndarray:
    """A map as (H, W, 3) uint8 of `size` (width, height): scaled as a whole, black where it has another shape.

    Lines of edges stay lines however far they are shrunk, and colours of a segmentation are not mixed.
    """
    pixels = asset.rgb
    if (asset.width, asset.height) == size:
        return pixels
    scale = min(size[0] / asset.width, size[1] / asset.height)
    inner = (max(round(asset.width * scale), 1), max(round(asset.height * scale), 1))
    if kind == "segmentation":
        scaled = _resized(pixels, inner, Image.Resampling.NEAREST)
    elif kind == "edges":
        share = min(scale, 1.0)  # what a line one pixel wide fills of a cell
        scaled = np.where(_resized(pixels, inner, Image.Resampling.BOX) >= 255 * share / 2, 255, 0).astype(np.uint8)
    else:
        scaled = _resized(pixels, inner, Image.Resampling.BOX)
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = scaled
    return canvas


def _resized(pixels: np.ndarray, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, how))
