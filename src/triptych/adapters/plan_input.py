"""The plan as an input of a painter: what stands at each cell of the latent grid, and a network to read it.

`rasterise` turns a plan into numbers per cell, `stack` collates them, `PlanInput` turns them into one vector
per token. Networks take that as `position_input` and add it to their own tokens: passing it attaches the plan,
leaving it out detaches it, and neither touches the network's weights.

It knows nothing of any family, prompt or picture.

Shapes: B pictures, L = 2 layers (0: the topmost object that covers a cell, 1: the one beneath), h x w cells,
P = patch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.adapters.plan_vocabulary import LETTER_IDS, LETTERS, NATURAL_COLOUR, NOTHING, PlanVocabulary
from triptych.core.plan import Plan
from triptych.nn.rows import with_enough_rows

LAYERS = 2
OVERHANG = 0.5
"""How far (u, v) may leave [0, 1]: the centre of a cell that a box only touches lies outside of the box."""


@dataclass(frozen=True)
class PlanRaster:
    """Plans on a grid of cells. All zeros is the raster of no plan at all."""

    noun: Tensor
    """(B, L, h, w) int16 noun number; 0 = no object here, or an unknown noun."""
    colour: Tensor
    """(B, L, h, w) int16 colour number; 0 = no object here, or an unknown colour; 1 = natural."""
    letters: Tensor
    """(B, L, 2, h, w) int16 letter number of a sign at the cell's left and right quarter; 0 = no letter."""
    place: Tensor
    """(B, L, 6, h, w) float32: u, v of the cell's centre inside the box (0 = left/top, 1 = right/bottom), width
    and height of the box in fractions of the picture, the centre's place inside its letter in [0, 1), width of
    one letter in fractions of the picture. All 0 where there is no object; the last two 0 without text."""
    scene: Tensor
    """(B, 2) int16: background number, light number."""

    def __len__(self) -> int:
        return self.scene.shape[0]

    @property
    def grid(self) -> tuple[int, int]:
        h, w = self.noun.shape[-2:]
        return h, w

    def to(self, device: torch.device | str) -> Self:
        return type(self)(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def dropped(self, mask: Tensor) -> Self:
        """Plans where `mask` (B,) is true become the raster of nothing: dropout, and guidance's empty row."""
        kept: dict[str, Tensor] = {}
        for f in fields(self):
            values: Tensor = getattr(self, f.name)
            kept[f.name] = values.masked_fill(mask.view(-1, *[1] * (values.ndim - 1)), 0)
        return type(self)(**kept)


def stack(rasters: Sequence[PlanRaster]) -> PlanRaster:
    """Collate rasters of equal grids into one batch, in order."""
    names = [f.name for f in fields(PlanRaster)]
    return PlanRaster(**{name: torch.cat([getattr(raster, name) for raster in rasters]) for name in names})


def rasterise(plan: Plan | None, vocabulary: PlanVocabulary, grid: tuple[int, int]) -> PlanRaster:
    """One plan on a grid of (h, w) latent cells, as a batch of one. None gives the raster of nothing.

    A box covers every cell that it overlaps, so that thin and partially covering objects are not lost.
    """
    h, w = grid
    noun = np.zeros((1, LAYERS, h, w), dtype=np.int16)
    colour = np.zeros((1, LAYERS, h, w), dtype=np.int16)
    letters = np.zeros((1, LAYERS, 2, h, w), dtype=np.int16)
    place = np.zeros((1, LAYERS, 6, h, w), dtype=np.float32)
    scene = np.zeros((1, 2), dtype=np.int16)
    if plan is not None:
        scene[0, 0] = vocabulary.background_ids.get(plan.background, NOTHING)
        scene[0, 1] = vocabulary.light_ids.get(plan.light or "", NOTHING)
    if plan is not None and plan.objects:
        # Row 0 of each table is "no object"; row k is the k-th object from the back.
        box = np.array([(0.0, 0.0, 1.0, 1.0), *(item.box for item in plan.objects)])
        x0, y0, x1, y1 = box.T
        width, height = x1 - x0, y1 - y0
        x, y = (np.arange(w) + 0.5) / w, (np.arange(h) + 0.5) / h
        top, beneath = _two_topmost(box[1:], x, y)
        owner = np.stack((top, beneath))  # (L, h, w)
        rows, columns = np.arange(h)[:, None], np.arange(w)[None, :]

        u = np.clip((x - x0[:, None]) / width[:, None], -OVERHANG, 1 + OVERHANG)  # (objects + 1, w)
        v = np.clip((y - y0[:, None]) / height[:, None], -OVERHANG, 1 + OVERHANG)
        known = owner > 0
        nouns = [vocabulary.noun_ids.get(item.noun, NOTHING) for item in plan.objects]
        colours = [_colour_id(item.colour, vocabulary) for item in plan.objects]
        noun[0] = np.array([NOTHING, *nouns])[owner]
        colour[0] = np.array([NOTHING, *colours])[owner]
        place[0, :, 0] = u[owner, columns] * known
        place[0, :, 1] = v[owner, rows] * known
        place[0, :, 2] = width[owner] * known
        place[0, :, 3] = height[owner] * known
        if any(item.text for item in plan.objects):
            left, right, phase, pitch = _letters(plan, x, 0.25 / w)
            letters[0, :, 0] = left[owner, columns]
            letters[0, :, 1] = right[owner, columns]
            place[0, :, 4] = phase[owner, columns]
            place[0, :, 5] = pitch[owner]
    return PlanRaster(*(torch.from_numpy(values) for values in (noun, colour, letters, place, scene)))


def _two_topmost(box: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each cell the number (1 = furthest back) of the topmost object and of the next; 0 = none."""
    x0, y0, x1, y1 = box.T[:, :, None]
    half_x, half_y = 0.5 / len(x), 0.5 / len(y)
    over_x = (x > x0 - half_x) & (x < x1 + half_x)  # (objects, w)
    over_y = (y > y0 - half_y) & (y < y1 + half_y)  # (objects, h)
    number = np.arange(1, len(box) + 1)[:, None, None]
    present = (over_y[:, :, None] & over_x[:, None, :]) * number  # (objects, h, w)
    top = present.max(axis=0)
    beneath = np.where(present == top, 0, present).max(axis=0)
    return top, beneath


def _colour_id(colour: str | None, vocabulary: PlanVocabulary) -> int:
    return NATURAL_COLOUR if colour is None else vocabulary.colour_ids.get(colour, NOTHING)


def _letters(plan: Plan, x: np.ndarray, quarter: float) -> tuple[np.ndarray, ...]:
    """Letters a quarter cell left and right of each column's centre, the centre's place inside its letter:
    each (objects + 1, w); and the width of one letter: (objects + 1,).

    Two samples per cell, for the letters of a long word are narrower than a cell.
    """
    left, right = np.zeros((2, len(plan.objects) + 1, len(x)), dtype=np.int16)
    phase = np.zeros((len(plan.objects) + 1, len(x)))
    pitch = np.zeros(len(plan.objects) + 1)
    for k, item in enumerate(plan.objects, start=1):
        if not item.text:
            continue
        x0, _, x1, _ = item.box
        # A zero at both ends stands for "outside of the word".
        word = np.array([0, *(LETTER_IDS.get(letter, NOTHING) for letter in item.text), 0])
        pitch[k] = (x1 - x0) / len(item.text)
        for row, at in ((left, x - quarter), (right, x + quarter)):
            row[k] = word[np.clip(np.floor((at - x0) / pitch[k]) + 1, 0, len(word) - 1).astype(int)]
        phase[k] = (x - x0) / pitch[k] % 1.0
    return left, right, phase, pitch


class PlanInput(nn.Module):
    """A raster of plans to one vector per token, in row order: what this noun looks like at this place.

    A gated two-layer network (SwiGLU, Shazeer 2020) over embeddings of the objects' words and waves of their
    relative places; with `patch` 2 a token is made of its 2 x 2 cells. The last layer starts at zero, so that
    attaching a fresh one changes nothing. Table sizes come from `PlanVocabulary.sizes`.
    """

    FREQUENCIES = 4

    def __init__(
        self,
        *,
        nouns: int,
        colours: int,
        backgrounds: int,
        lights: int,
        width: int,
        patch: int = 1,
        hidden: int = 192,
        embedding: int = 64,
    ) -> None:
        super().__init__()
        self.patch, self.width = patch, width
        self.noun = nn.Embedding(nouns, embedding)
        self.colour = nn.Embedding(colours, embedding)
        self.letter = nn.Embedding(len(LETTERS) + 1, embedding)
        self.background = nn.Embedding(backgrounds, embedding)
        self.light = nn.Embedding(lights, embedding)
        # One output per layer of objects (letters: and per quarter), each of value and gate.
        self.read_noun = nn.Linear(embedding, LAYERS * 2 * hidden, bias=False)
        self.read_colour = nn.Linear(embedding, LAYERS * 2 * hidden, bias=False)
        self.read_letter = nn.Linear(embedding, LAYERS * 2 * 2 * hidden, bias=False)
        self.read_background = nn.Linear(embedding, 2 * hidden, bias=False)
        self.read_light = nn.Linear(embedding, 2 * hidden, bias=False)
        self.read_place = nn.Linear((LAYERS * 6 + 2) * (1 + 2 * self.FREQUENCIES), 2 * hidden)
        self.write = nn.Linear(patch * patch * hidden, width)
        self.init_weights()

    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Words and places start with about equal say in the first layer; the last layer starts at zero."""
        words_per_cell = 4 * LAYERS + 2
        for table in (self.noun, self.colour, self.letter, self.background, self.light):
            nn.init.normal_(table.weight, generator=generator)
        words = (self.read_noun, self.read_colour, self.read_letter, self.read_background, self.read_light)
        for read in words:
            nn.init.normal_(read.weight, std=(read.in_features * words_per_cell) ** -0.5, generator=generator)
        nn.init.normal_(self.read_place.weight, std=self.read_place.in_features**-0.5, generator=generator)
        nn.init.zeros_(self.read_place.bias)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        """Raster of B plans on h x w cells -> (B, (h / P) * (w / P), width).

        cells: (2, h, w), where in the picture the middle of each cell lies (x, y); None spreads them over it evenly.
        """
        value, gate = (self._words(raster) + self.read_place(self._places(raster, cells))).chunk(2, dim=-1)
        read = value * F.silu(gate)  # (B, h, w, hidden)
        B, h, w, C = read.shape
        P = self.patch
        read = read.view(B, h // P, P, w // P, P, C).transpose(2, 3)
        return self.write(read.reshape(B, (h // P) * (w // P), P * P * C))

    def as_map(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        """The same as a feature map (B, width, h / P, w / P), the form that a convolutional network adds."""
        h, w = raster.grid
        return self(raster, cells).transpose(1, 2).unflatten(2, (h // self.patch, w // self.patch))

    def _words(self, raster: PlanRaster) -> Tensor:
        """(B, h, w, 2 * hidden): the first layer's share that words have, summed from a table.

        There are far fewer words than cells: each is projected once, and a cell only adds up rows.
        """
        B, (h, w) = len(raster), raster.grid
        layers = range(LAYERS)
        background, light = (raster.scene[:, i, None, None].expand(B, h, w) for i in (0, 1))
        numbers = [
            *(raster.noun[:, layer] for layer in layers),
            *(raster.colour[:, layer] for layer in layers),
            *(raster.letters[:, layer, side] for layer in layers for side in (0, 1)),
            background,
            light,
        ]
        # Eleven backgrounds and five lights are so few rows that their bits would depend on the number of threads.
        tables = [
            *with_enough_rows(self.read_noun, self.noun.weight).chunk(LAYERS, dim=-1),
            *with_enough_rows(self.read_colour, self.colour.weight).chunk(LAYERS, dim=-1),
            *with_enough_rows(self.read_letter, self.letter.weight).chunk(2 * LAYERS, dim=-1),
            with_enough_rows(self.read_background, self.background.weight),
            with_enough_rows(self.read_light, self.light.weight),
        ]
        starts = torch.tensor([0, *(len(table) for table in tables[:-1])], device=background.device).cumsum(0)
        rows = torch.stack(numbers, dim=-1) + starts  # (B, h, w, words per cell)
        return F.embedding_bag(rows.flatten(0, 2), torch.cat(tables), mode="sum").view(B, h, w, -1)

    def _places(self, raster: PlanRaster, cells: Tensor | None = None) -> Tensor:
        """(B, h, w, waves): the place inside of both layers' boxes, and the cell's own in the picture."""
        B, (h, w) = len(raster), raster.grid
        if cells is None:
            y = (torch.arange(h, device=raster.place.device) + 0.5) / h
            x = (torch.arange(w, device=raster.place.device) + 0.5) / w
            cells = torch.stack(torch.meshgrid(x, y, indexing="xy"))
        cell = cells.expand(B, 2, h, w)
        places = torch.cat((raster.place.flatten(1, 2), cell), dim=1).movedim(1, -1)
        frequency = math.pi * 2.0 ** torch.arange(self.FREQUENCIES, device=places.device)
        angle = (places[..., None] * frequency).flatten(-2)  # periods 2, 1, 1/2, 1/4
        return torch.cat((places, angle.sin(), angle.cos()), dim=-1)
