"""A picture enlarged by a network in tiles: bounded memory, no seams, any target size.

Each tile is worked on with as much context as the network can see, and only the tile is kept, so the result is the
one of the whole picture, up to float rounding. Networks that see further than `MAX_MARGIN` pixels (the deep ESRGANs)
get that much context; their seams are then bounded by what lies beyond it. Knows no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from triptych.core.errors import InvalidRequest
from triptych.upscaling.checkpoint import Model

ByteImage = npt.NDArray[np.uint8]

MAX_MARGIN = 40
TILE_BYTES = 512 * 2**20
"""What one tile's pass may take, context included."""
TILE = 256
"""The largest side of a tile, in pixels of the small picture: more is no faster."""
ALIGNED = 4
"""Tiles and margins begin at multiples of this: networks that fold the picture keep their phase."""
MAX_SIDE = 8192
MAX_PIXELS = 40_000_000
_PASSES = 4

OnTile = Callable[[int, int], None]


@dataclass(frozen=True)
class Span:
    """A tile in one direction: look at `see_from..see_to`, keep `start..stop`."""

    start: int
    stop: int
    see_from: int
    see_to: int


def spans(length: int, tile: int, margin: int) -> Iterator[Span]:
    """Cut `length` pixels into tiles of at most `tile`, each seeing up to `margin` more on both sides."""
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        yield Span(start, stop, max(start - margin, 0), min(stop + margin, length))


def target_size(width: int, height: int, *, to: int | None, scale: float | None) -> tuple[int, int]:
    """Width and height of the result. to: its longer side in pixels; scale: a factor. `InvalidRequest` for what cannot
    be.
    """
    if (to is None) == (scale is None):
        raise InvalidRequest("to", "either --to (the longer side in pixels) or --scale (a factor) is needed, not both")
    longer = max(width, height)
    factor = scale if to is None else to / longer
    assert factor is not None
    parameter, given = ("scale", f"{scale:g}") if to is None else ("to", str(to))
    if not factor > 1:
        raise InvalidRequest(parameter, f"{given} does not enlarge a picture of {width}x{height}")
    made = round(width * factor), round(height * factor)
    if max(made) > MAX_SIDE or made[0] * made[1] > MAX_PIXELS:
        raise InvalidRequest(
            parameter,
            f"{given} would make {made[0]}x{made[1]}; at most {MAX_SIDE} pixels a side and {MAX_PIXELS // 10**6} "
            "megapixels are made",
        )
    return max(made[0], 1), max(made[1], 1)


def passes(scales: tuple[int, ...], factor: float) -> tuple[int, ...]:
    """The scales of the passes whose product reaches `factor` with the least to reduce afterwards.

    The small scales come first: a pass costs as much as its own input has pixels. `InvalidRequest` beyond four passes.
    """
    reached: dict[int, tuple[int, ...]] = {1: ()}
    for _ in range(_PASSES):
        if any(product >= factor - 1e-9 for product in reached):
            break
        longer = {product * scale: (*chain, scale) for product, chain in reached.items() for scale in scales}
        reached = longer | reached
    enough = [product for product in reached if product >= factor - 1e-9]
    if not enough:
        raise InvalidRequest("scale", f"{factor:g} times is beyond {_PASSES} passes of {max(scales)} times")
    return tuple(sorted(reached[min(enough)]))


def enlarge(
    pixels: ByteImage, model: Model, size: tuple[int, int], *, fast: bool = False, on_tile: OnTile | None = None
) -> ByteImage:
    """(H, W, 3 or 4) uint8 -> (height, width, same) uint8 for size = (width, height), both larger.

    The network's passes, then down to the size with Lanczos. Transparency is enlarged by the network too; colours of
    wholly transparent pixels, which nobody has seen, are first replaced by those nearby. fast: bf16 arithmetic, where
    the model says that it costs nothing. on_tile(done, total) is called after every tile.
    """
    height, width = pixels.shape[:2]
    chain = passes(model.scales, max(size) / max(width, height))
    planes = [pixels[..., :3]]
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3]
        planes = [pixels[..., :3] if alpha.all() else bled(pixels)]
        if alpha.min() < 255:
            planes.append(np.repeat(alpha[..., None], 3, axis=2))
    count = _Count(on_tile, len(planes) * _tiles(model, height, width, chain))
    made: list[ByteImage] = []
    for plane in planes:
        for scale in chain:
            plane = upscaled(plane, model, scale, fast=fast, on_tile=count.one)
        made.append(_reduced(plane, size))
    if pixels.shape[2] == 3:
        return made[0]
    alpha = made[1][..., 1] if len(made) == 2 else np.full(made[0].shape[:2], 255, np.uint8)
    return np.concatenate([made[0], alpha[..., None]], axis=2)


@torch.inference_mode()
def upscaled(
    pixels: ByteImage,
    model: Model,
    scale: int,
    *,
    fast: bool = False,
    tile: int | None = None,
    on_tile: Callable[[], None] | None = None,
) -> ByteImage:
    """One pass of the network: (H, W, 3) uint8 -> (scale H, scale W, 3) uint8. tile: else chosen by memory."""
    height, width = pixels.shape[:2]
    side, margin = tile or tile_side(model), seen(model)
    result = np.empty((height * scale, width * scale, 3), np.uint8)
    autocast = torch.autocast("cpu", torch.bfloat16) if fast and model.fast else nullcontext()
    for rows in spans(height, side, margin):
        for columns in spans(width, side, margin):
            window = pixels[rows.see_from : rows.see_to, columns.see_from : columns.see_to]
            with autocast:
                made = model(_tensor(window), scale)
            top, left = (rows.start - rows.see_from) * scale, (columns.start - columns.see_from) * scale
            h, w = (rows.stop - rows.start) * scale, (columns.stop - columns.start) * scale
            kept = made[0, :, top : top + h, left : left + w].float().clamp_(0, 1).mul_(255).round_()
            place = slice(rows.start * scale, rows.stop * scale), slice(columns.start * scale, columns.stop * scale)
            result[place] = kept.byte().permute(1, 2, 0).numpy()
            if on_tile is not None:
                on_tile()
    return result


def seen(model: Model) -> int:
    """The context that a tile gets on each side, in pixels of the small picture."""
    return -(-min(model.margin, MAX_MARGIN) // ALIGNED) * ALIGNED


def tile_side(model: Model) -> int:
    """The side of a tile so that its pass stays within `TILE_BYTES`, context included."""
    whole = int((TILE_BYTES / model.bytes_per_pixel) ** 0.5)
    return max(min(whole - 2 * seen(model), TILE) // ALIGNED * ALIGNED, 4 * ALIGNED)


def bled(pixels: ByteImage) -> ByteImage:
    """RGB of an RGBA picture in which wholly transparent pixels have the mean colour of the visible ones around them.

    Means over ever larger squares fill what is still empty; what nothing reaches gets the mean of all.
    """
    colour, weight = pixels[..., :3].astype(np.float32), pixels[..., 3].astype(np.float32) / np.float32(255)
    if not weight.any():
        return pixels[..., :3]
    made, empty = colour.copy(), weight == 0
    total = weight.sum()
    made[empty] = (colour * weight[..., None]).sum((0, 1)) / total
    for radius in (2, 8, 32):
        below = _means(weight, radius)
        reach = empty & (below > 1e-6)
        for channel in range(3):
            above = _means(colour[..., channel] * weight, radius)
            made[..., channel][reach] = above[reach] / below[reach]
        empty &= ~reach
    return np.clip(made.round(), 0, 255).astype(np.uint8)


def _means(plane: npt.NDArray[Any], radius: int) -> npt.NDArray[np.float32]:
    """Means over squares of 2 radius + 1 pixels, less at the border, by running sums."""
    made = plane
    for axis in (0, 1):
        sums = np.concatenate([np.zeros_like(made.take([0], axis)), made.cumsum(axis, dtype=np.float64)], axis)
        place = np.arange(made.shape[axis])
        high, low = np.minimum(place + radius + 1, made.shape[axis]), np.maximum(place - radius, 0)
        made = ((sums.take(high, axis) - sums.take(low, axis)) / (2 * radius + 1)).astype(np.float32)
    return made


def _reduced(pixels: ByteImage, size: tuple[int, int]) -> ByteImage:
    """Down to (width, height) with Lanczos over all pixels that a new one covers."""
    if (pixels.shape[1], pixels.shape[0]) == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _tensor(pixels: ByteImage) -> Tensor:
    """uint8 (h, w, 3) -> float32 (1, 3, h, w) in [0, 1]."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float().div_(255)


def _tiles(model: Model, height: int, width: int, chain: tuple[int, ...]) -> int:
    """How many tiles the passes take."""
    side, count = tile_side(model), 0
    for scale in chain:
        count += -(-height // side) * -(-width // side)
        height, width = height * scale, width * scale
    return count


class _Count:
    """Counts tiles for the one who watches."""

    def __init__(self, watcher: OnTile | None, total: int) -> None:
        self._watcher, self._total, self._done = watcher, total, 0

    def one(self) -> None:
        self._done += 1
        if self._watcher is not None:
            self._watcher(self._done, self._total)
