"""Structure as an input of a painter: maps to features, and features into the network's own tokens.

One encoder reads maps of every kind; a first layer and a scale of each kind's own tell it which. At chosen points of
the network, each token h of the picture gets W_up(c * (1 + W_down norm(h))) added: c is what the map says there, so
that weights scale it, several maps add up, and no map, like a fresh W_up of zeros, changes not one bit. Lighter than
ControlNet's copy of the network (Zhang et al. 2023); like T2I-Adapter (Mou et al. 2023) it reads a map once and not at
every step, and like ControlNet-LLLite it still sees the state.

It knows no family, scene or file. Shapes: B pictures, N cells of a point in row order, C its channels, R rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

KINDS = ("edges", "depth", "pose", "segmentation", "inpaint")
"""`inpaint` is no map that a person gives: the picture with its open part blanked, and which part is not."""
PLANES = 4
"""Of a map: red, green, blue, and what is known of an inpainted picture (0 in the other kinds)."""
PATCH = 4
STRIDE = 8
"""Pixels that one cell of the encoder's features covers, on a side."""

Steer = Callable[[int, Tensor], Tensor]
"""(number of the point, tokens (B, N, C)) -> tokens with what the maps say added."""


@dataclass(frozen=True)
class Point:
    """A place in a network. channels: of its tokens; stride: pixels that one token covers, on a side."""

    channels: int
    stride: int


class ControlAdapter(nn.Module):
    """The encoder and the points. width: the encoder's channels."""

    def __init__(
        self, points: Sequence[Point], *, kinds: Sequence[str] = KINDS, width: int = 96, rank: int = 96
    ) -> None:
        super().__init__()
        self.kinds, self.points, self.rank = tuple(kinds), tuple(points), rank
        patch = PLANES * PATCH**2
        self.embed = nn.Parameter(torch.empty(len(kinds), 64, patch))
        self.embed_bias = nn.Parameter(torch.zeros(len(kinds), 64))
        self.kind_scale = nn.Parameter(torch.zeros(len(kinds), width))
        self.kind_shift = nn.Parameter(torch.zeros(len(kinds), width))
        self.shrink = nn.Conv2d(64, width, 3, stride=STRIDE // PATCH, padding=1)
        self.block = _Block(width)
        self.read = nn.ModuleList(nn.Linear(width * (point.stride // STRIDE) ** 2, rank) for point in points)
        self.down = nn.ModuleList(nn.Linear(point.channels, rank, bias=False) for point in points)
        self.up = nn.ModuleList(nn.Linear(rank, point.channels, bias=False) for point in points)
        self.init_weights()

    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """The variance of the input kept (LeCun et al. 1998), residual branches and every way out at zero."""
        nn.init.normal_(self.embed, std=self.embed.shape[-1] ** -0.5, generator=generator)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, std=layer.weight[0].numel() ** -0.5, generator=generator)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        for layer in (self.block.second, *self.up):
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]

    def features(self, maps: Tensor, kinds: Tensor) -> tuple[Tensor, ...]:
        """What maps (B, PLANES, H, W) in [0, 1] of `kinds` (B,), numbers in `self.kinds`, say at each point:
        (B, N, R), N = H W / stride^2. H and W are multiples of every stride.
        """
        cells = F.pixel_unshuffle(maps, PATCH)
        h, w = cells.shape[-2:]
        x = torch.baddbmm(self.embed_bias[kinds][..., None], self.embed[kinds], cells.flatten(2)).unflatten(2, (h, w))
        x = self.shrink(F.silu(x))
        scale, shift = self.kind_scale[kinds], self.kind_shift[kinds]
        x = x * (1 + scale[..., None, None]) + shift[..., None, None]
        x = F.silu(self.block(x))
        by_stride = {
            point.stride: F.pixel_unshuffle(x, point.stride // STRIDE).flatten(2).transpose(1, 2)
            for point in self.points
        }
        return tuple(read(by_stride[point.stride]) for read, point in zip(self.read, self.points, strict=True))

    def steer(self, features: Sequence[Tensor]) -> Steer:
        """What the network calls at its points. features: c for each, (B, N, R), weighted and added up over maps.

        Tokens beyond the N of the picture, those of reference pictures, stay as they are.
        """

        def steered(point: int, x: Tensor) -> Tensor:
            c = features[point]
            if spare := len(x) - len(c):  # copies of the last row, which `nn.rows` asks for
                c = torch.cat((c, c[-1:].expand(spare, -1, -1)))
            own = x[:, : c.shape[1]]
            gate = 1 + self.down[point](F.layer_norm(own, own.shape[-1:]))
            own = own + self.up[point](c * gate).to(own.dtype)
            return own if own.shape[1] == x.shape[1] else torch.cat((own, x[:, own.shape[1] :]), dim=1)

        return steered


class _Block(nn.Module):
    """Two convolutions with a residual, which starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))


def map_planes(pixels: np.ndarray) -> np.ndarray:
    """A map (H, W, 3) uint8 as planes (PLANES, H, W) uint8."""
    planes = np.zeros((PLANES, *pixels.shape[:2]), np.uint8)
    planes[:3] = pixels.transpose(2, 0, 1)
    return planes


def inpaint_planes(pixels: np.ndarray, repaint: np.ndarray) -> np.ndarray:
    """The map of kind `inpaint`: a picture (H, W, 3) uint8 whose part `repaint` (H, W) uint8 is open where it is 255.

    What is open to any degree is blanked to that degree, so that nothing of it can be copied.
    """
    known = 255 - repaint.astype(np.uint16)
    shown = (pixels.astype(np.uint16) * known[..., None] + 127) // 255
    return np.concatenate((shown.transpose(2, 0, 1), known[None])).astype(np.uint8)


def as_input(planes: Tensor) -> Tensor:
    """uint8 planes (B, PLANES, H, W) to what `features` takes."""
    return planes.float() / 255
