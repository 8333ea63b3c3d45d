"""Pictures larger than a model was trained on: in windows of its own size, and from small to large.

A network that is shown more cells than in training repeats strokes and tears shapes (docs/decisions/0047). So it is
only ever shown a window of its own size. Where windows overlap, their predictions are averaged at every step (Bar-Tal
et al. 2023, "MultiDiffusion"), each weighing most in its middle. Two things keep the picture one:

- The plan is read for the whole picture and cut like the latent: a window knows where in the picture it lies, and
  shows its part of a thing that is larger than it. Boxes are measured in windows, as they were in training.
- A picture whose short side is longer than the model's is painted at the short side that the model knows first, then
  enlarged, at most twofold at a time, and gone over in windows with little noise (Du et al. 2024, "DemoFusion", which
  is the hires fix of older tools): the composition is that of the small picture.

This file counts cells of latents and moves tensors; it knows no network, sampler or pixel.

(h, w): cells of a latent; unit: cells that positions and sizes of windows are multiples of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from math import isqrt

import torch
from torch import Tensor

from triptych.adapters.plan_input import PlanRaster
from triptych.families.reading import Reading
from triptych.families.steering import Steering

Size = tuple[int, int]

OVERLAP = 0.75
"""Share of a window that its neighbour sees too, while shapes are made."""
REFINE_OVERLAP = 0.5
"""The same while an enlarged picture is gone over."""
REFINE = 0.17
"""Strength of going over an enlarged picture: more washes out what a window cannot name, such as half a window pane."""
GROWTH = 2.0
"""An enlarged picture is at most so many times larger than the one before."""
LONGEST_WHOLE = 1.5
"""One of no more cells than in training is looked at whole while its long side is within so many of the model's."""


@dataclass(frozen=True)
class Window:
    """A part of a latent, in cells."""

    top: int
    left: int
    height: int
    width: int

    def cut(self, plane: Tensor) -> Tensor:
        """The window's part of a plane (..., h, w); a view."""
        return plane[..., self.top : self.top + self.height, self.left : self.left + self.width]

    def cut_tokens(self, tokens: Tensor, size: Size) -> Tensor:
        """The window's part of tokens (N, C) that lie row by row on a grid over the whole latent."""
        cells = isqrt(size[0] * size[1] // len(tokens))  # along each side of a token
        rows, columns = size[0] // cells, size[1] // cells
        if rows * columns != len(tokens):
            raise ValueError(f"{len(tokens)} tokens do not lie on a grid over {size[0]} x {size[1]} cells")
        part = Window(*(side // cells for side in (self.top, self.left, self.height, self.width)))
        grid = tokens.view(rows, columns, -1)
        return grid[part.top : part.top + part.height, part.left : part.left + part.width].flatten(0, 1)

    def cut_position(self, position: Tensor, size: Size) -> Tensor:
        """The window's part of what a family reads of a plan: tokens (N, C), or a map (C, h, w)."""
        return self.cut_tokens(position, size) if position.ndim == 2 else self.cut(position)

    def cut_reading(self, reading: Reading, size: Size) -> Reading:
        """What is read of a request, as this window sees it; the words are the same for all."""
        steering = tuple(self._cut_steering(one, size) for one in reading.steering)
        return replace(reading, position=self.cut_position(reading.position, size), steering=steering)

    def _cut_steering(self, steering: Steering, size: Size) -> Steering:
        return replace(steering, features=tuple(self.cut_tokens(each, size) for each in steering.features))


@dataclass(frozen=True)
class Stage:
    """One walk from noise to picture. size: of its latent. windows: empty where the network sees all of it.

    measure: (height, width) of what boxes of the plan are fractions of, in shares of the picture.
    """

    size: Size
    windows: tuple[Window, ...] = ()
    measure: tuple[float, float] = (1.0, 1.0)

    @property
    def seen(self) -> Size:
        """The size that the network is shown."""
        return (self.windows[0].height, self.windows[0].width) if self.windows else self.size


def stages(size: Size, native: Size, unit: int, *, grows: bool = True) -> tuple[Stage, ...]:
    """The walks to a picture of this size, from the smallest; native: the size that the model was trained at.

    grows: False where a part of the picture stays as it is, which has things of its own size in it: then there is one
    walk, at that size.
    """
    sizes = _sizes(size, min(native), unit) if grows else [size]
    first = tiled(sizes[0], native, unit, OVERLAP)
    height, width = first.seen
    measure = (height / first.size[0], width / first.size[1])
    return tuple(
        replace(first if number == 0 else tiled(each, native, unit, REFINE_OVERLAP), measure=measure)
        for number, each in enumerate(sizes)
    )


def _sizes(size: Size, short: int, unit: int) -> list[Size]:
    """From a short side that the model knows to `size`, in equal steps of at most GROWTH."""
    growth = max(min(size) / short, 1.0)
    count = math.ceil(math.log(growth, GROWTH) - 1e-9) if growth > 1 else 0
    steps = [growth ** (number / count - 1) for number in range(count)] if count else []
    found = [tuple(max(round(side * step / unit), 1) * unit for side in size) for step in steps]
    return [(h, w) for h, w in dict.fromkeys(found) if (h, w) != size] + [size]


def tiled(size: Size, native: Size, unit: int, overlap: float) -> Stage:
    """One walk at this size, in windows where the network is not to see it whole. overlap: share of two neighbours."""
    height, width = size
    fits = height <= native[0] and width <= native[1]
    small = height * width <= native[0] * native[1] and max(height / native[0], width / native[1]) <= LONGEST_WHOLE
    if fits or small:
        return Stage(size)
    window = min(height, native[0]), min(width, native[1])
    tops, lefts = (_starts(side, seen, unit, overlap) for side, seen in zip(size, window, strict=True))
    return Stage(size, tuple(Window(top, left, *window) for top in tops for left in lefts))


def _starts(side: int, window: int, unit: int, overlap: float) -> list[int]:
    """Where windows begin along one side: evenly spread multiples of the unit, from one border to the other."""
    room = side - window
    count = math.ceil(room / max(window * (1 - overlap), unit))
    return (
        list(dict.fromkeys(round(room * number / count / unit) * unit for number in range(count + 1))) if room else [0]
    )


def measured(raster: PlanRaster, stage: Stage) -> PlanRaster:
    """A plan's raster with its boxes in fractions of what the network sees, and not of the picture.

    Where in the picture a cell lies, and where inside of a box, stays as it is.
    """
    if stage.measure == (1.0, 1.0):
        return raster
    place = raster.place.clone()
    place[:, :, 2] /= stage.measure[1]
    place[:, :, 3] /= stage.measure[0]
    place[:, :, 5] /= stage.measure[1]
    return replace(raster, place=place)


def frame(freedom: Tensor) -> Tensor | None:
    """Where in the picture each cell lies, (2, h, w) as x and y in fractions, when what is kept is the picture.

    freedom: (h, w), 0 where something is kept. A picture that is continued beyond its edges has its sky at its own
    top: cells beyond lie at the edge that they are nearest to, and so continue what is there. None if nothing is kept.
    """
    kept = freedom == 0
    if not bool(kept.any()):
        return None
    along: list[Tensor] = []
    for axis in (1, 0):  # x, then y
        places = kept.any(dim=1 - axis).nonzero()
        first, last = int(places[0]), int(places[-1]) + 1
        cells = torch.arange(freedom.shape[axis])
        along.append((cells.clamp(first, last - 1) - first + 0.5) / (last - first))
    return torch.stack(torch.meshgrid(*along, indexing="xy"))
