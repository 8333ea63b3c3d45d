"""Large pictures in tiles, with bounded memory and without seams.

Each tile is worked on with as much context as the network can see (`margin`, its receptive field in latent
positions), and only the tile itself is kept. So the result is the whole picture's, up to float rounding;
nothing is blended. At the picture's border tiles end where it ends, so that the network pads there, and only
there, as it does in one piece. What this file does not know: what a network is made of. One with attention or
normalisation over space has no bounded margin, and no place here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from triptych.autoencoders.backbone import PATCH, check_picture
from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.kl import Autoencoder
from triptych.core.errors import InvalidRequest

TILE = 64
"""Latent positions that a tile keeps in each direction."""


@dataclass(frozen=True)
class Span:
    """A tile in one direction, in latent positions: look at `see_from..see_to`, keep `start..stop`."""

    start: int
    stop: int
    see_from: int
    see_to: int

    def seen(self, scale: int) -> slice:
        """What the network looks at, within the source, whose positions have `scale` elements."""
        return slice(self.see_from * scale, self.see_to * scale)

    def kept(self, scale: int) -> slice:
        """What is kept of the network's answer, whose positions have `scale` elements."""
        return slice((self.start - self.see_from) * scale, (self.stop - self.see_from) * scale)

    def place(self, scale: int) -> slice:
        """Where that belongs in the result."""
        return slice(self.start * scale, self.stop * scale)


def spans(length: int, tile: int, margin: int) -> Iterator[Span]:
    """Cut `length` positions into tiles of at most `tile`, each seeing up to `margin` more on both sides."""
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        yield Span(start, stop, max(start - margin, 0), min(stop + margin, length))


def decode_tiled(model: Autoencoder | Tokenizer, latents: Tensor, *, tile: int = TILE) -> Tensor:
    """`model.decode` in tiles: latents (B, C, h, w), or ids (B, h, w) -> pictures (B, 3, 8h, 8w)."""
    return _tiled(model.decode, latents, tile, model.decoder.margin, source_scale=1, result_scale=PATCH)


def encode_tiled(model: Autoencoder | Tokenizer, pictures: Tensor, *, tile: int = TILE) -> Tensor:
    """`model.encode` in tiles: pictures (B, 3, 8h, 8w) -> latents (B, C, h, w), or ids (B, h, w)."""
    check_picture(pictures)
    return _tiled(model.encode, pictures, tile, model.encoder.margin, source_scale=PATCH, result_scale=1)


@torch.no_grad()
def _tiled(
    work: Callable[[Tensor], Tensor],
    source: Tensor,
    tile: int,
    margin: int,
    *,
    source_scale: int,
    result_scale: int,
) -> Tensor:
    """Apply `work` tile by tile; a latent position spans `*_scale` elements in each direction."""
    if tile < 1:
        raise InvalidRequest("tile", f"{tile} is below 1 latent position")
    height, width = (side // source_scale for side in source.shape[-2:])
    result: Tensor | None = None
    for rows in spans(height, tile, margin):
        for columns in spans(width, tile, margin):
            done = work(source[..., rows.seen(source_scale), columns.seen(source_scale)])
            if result is None:
                result = done.new_empty((*done.shape[:-2], height * result_scale, width * result_scale))
            kept = done[..., rows.kept(result_scale), columns.kept(result_scale)]
            result[..., rows.place(result_scale), columns.place(result_scale)] = kept
    if result is None:
        raise InvalidRequest("size", f"{height} x {width} latent positions is an empty picture")
    return result
