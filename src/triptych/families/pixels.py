"""Between the bytes of a picture and what networks take: pixels to tensors, tensors to pixels, masks to grids."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.core.asset import Asset
from triptych.core.errors import NotANumber
from triptych.core.events import Pixels


def to_pixels(picture: Tensor) -> Pixels:
    """(3, H, W) in [-1, 1] -> uint8 (H, W, 3). Not-a-number is an error, never a black picture."""
    if not torch.isfinite(picture).all():
        raise NotANumber("the picture came out as not-a-number; try less guidance or more steps")
    scaled = ((picture.float().clamp(-1, 1) + 1) * 127.5).round()
    return scaled.byte().permute(1, 2, 0).contiguous().numpy()


def to_picture(asset: Asset, size: tuple[int, int]) -> Tensor:
    """A picture that goes in -> (3, H, W) in [-1, 1], scaled to size (width, height) where it has another one."""
    pixels = asset.rgb
    if (asset.width, asset.height) != size:
        # Lanczos with its support widened for shrinking, as Pillow has it: no aliasing in either direction.
        pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1) / 127.5 - 1


def freedom_of(mask: Asset, grid: tuple[int, int]) -> Tensor:
    """A grey map -> (h, w) in [0, 1]: each cell is as free as its freest pixel.

    The largest and not the mean: a cell at the border of a mask holds pixels that shall change, and what lies outside
    can be put back pixel by pixel.
    """
    h, w = grid
    grey = mask.pixels if mask.channels == 1 else mask.rgb.max(axis=2)
    rows = np.arange(h + 1) * mask.height // h
    columns = np.arange(w + 1) * mask.width // w
    cells = [[grey[_span(rows, r), _span(columns, c)].max() for c in range(w)] for r in range(h)]
    return torch.tensor(np.array(cells, dtype=np.float32) / 255)


def _span(edges: np.ndarray, cell: int) -> slice:
    """The pixels of a cell; at least one, where the map is smaller than the grid."""
    return slice(int(edges[cell]), max(int(edges[cell + 1]), int(edges[cell]) + 1))
