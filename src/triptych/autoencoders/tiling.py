"""Large pictures in tiles, with bounded memory and without seams.

Each tile is worked on with as much context as the network can see (`margin`, its receptive field in latent positions),
and only the tile itself is kept. So the result is the whole picture's, up to float rounding; nothing is blended. At the
picture's border tiles end where it ends, so that the network pads there, and only there, as it does in one piece. What
this file does not know: which network it is. One with attention or normalisation over space has no bounded margin.
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
"""Kept latent positions per tile and direction: with the default margins about 100 MiB of activations."""


@dataclass(frozen=True)
class Span:
    """One tile in one direction: keep positions start..stop, look at positions see_from..see_to."""

    start: int
    stop: int
    see_from: int
    see_to: int

    @property
    def inner(self) -> slice:
        """Where the kept positions lie within the seen ones."""
        return slice(self.start - self.see_from, self.stop - self.see_from)


def spans(length: int, tile: int, margin: int) -> Iterator[Span]:
    """Cut `length` positions into tiles of at most `tile`, each seeing `margin` more on both sides where they exist."""
    if tile < 1:
        raise InvalidRequest("tile", f"{tile} is below 1 latent position")
    for start in range(0, length, tile):
        stop = min(start + tile, length)
        yield Span(start, stop, max(start - margin, 0), min(stop + margin, length))


def decode_tiled(model: Autoencoder | Tokenizer, latents: Tensor, *, tile: int = TILE) -> Tensor:
    """`model.decode` in tiles: latents (B, C, h, w), or ids (B, h, w) -> pictures (B, 3, 8h, 8w)."""
    return _tiled(model.decode, latents, latents.shape[-2:], tile, model.decoder.margin, 1, PATCH)


def encode_tiled(model: Autoencoder | Tokenizer, pictures: Tensor, *, tile: int = TILE) -> Tensor:
    """`model.encode` in tiles: pictures (B, 3, 8h, 8w) -> latents (B, C, h, w), or ids (B, h, w)."""
    check_picture(pictures)
    h, w = pictures.shape[-2] // PATCH, pictures.shape[-1] // PATCH
    return _tiled(model.encode, pictures, (h, w), tile, model.encoder.margin, PATCH, 1)


def _tiled(
    work: Callable[[Tensor], Tensor],
    source: Tensor,
    positions: tuple[int, ...],
    tile: int,
    margin: int,
    source_scale: int,
    result_scale: int,
) -> Tensor:
    """Apply `work` tile by tile; `*_scale` is how many elements of source and result one latent position spans."""
    height, width = positions
    result: Tensor | None = None
    with torch.no_grad():
        for rows in spans(height, tile, margin):
            for columns in spans(width, tile, margin):
                seen = source[..., _scaled(rows, source_scale), _scaled(columns, source_scale)]
                done = work(seen)
                if result is None:
                    shape = (*done.shape[:-2], height * result_scale, width * result_scale)
                    result = done.new_empty(shape)
                kept = done[..., _times(rows.inner, result_scale), _times(columns.inner, result_scale)]
                target_rows = slice(rows.start * result_scale, rows.stop * result_scale)
                result[..., target_rows, columns.start * result_scale : columns.stop * result_scale] = kept
    if result is None:
        raise InvalidRequest("size", f"{height} x {width} latent positions is an empty picture")
    return result


def _scaled(span: Span, scale: int) -> slice:
    return slice(span.see_from * scale, span.see_to * scale)


def _times(part: slice, scale: int) -> slice:
    return slice(part.start * scale, part.stop * scale)
