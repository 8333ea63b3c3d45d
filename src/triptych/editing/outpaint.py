"""A picture continued past its edges: the canvas that the model paints, the plan of it, and the way back.

The picture is scaled so that its short side is the model's, and laid into a canvas with room for what is to come. All
of the new is painted in one walk, in windows that see picture and new alike (families/tiles.py), so that corners and
long extensions are of one piece; only the new may change. Back at the picture's own size, its own pixels are laid over
the painted ones, byte for byte, and the colours of the new are brought to meet theirs at the border, as a membrane
(editing/continuing.py). Knows no model, planner or reader: plans and painted pictures are handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from triptych.core.asset import Asset
from triptych.core.errors import FileProblem, InvalidRequest, one_of
from triptych.core.events import Pixels
from triptych.core.plan import Box, Plan, PlanObject
from triptych.core.request import MAX_SIDE
from triptych.editing.continuing import drawn_out, faded, meeting
from triptych.editing.distance import Bits
from triptych.planning.fit import into_box
from triptych.scenes.nouns import NOUNS

EDGES = ("left", "top", "right", "bottom")
MAX_PIXELS = 64 * 10**6
SMALLEST_SIDE = 32
"""Pixels of a picture's short side: less is no context."""
FURTHEST = 4.0
"""An edge is moved by at most so many times the picture's short side."""
FADE = 8
"""Over so many of the model's pixels the picture's mirrored edge turns into what was painted."""
BACKGROUND = 0.35
"""Strength at which drawn out edges become a place: less leaves streaks, more forgets where the horizon is."""
AROUND = 8
"""Pixels around a thing's box that are free as well: for its shadow, and what its box does not tell."""
CUT = 0.015
"""A thing within so much of the picture's side of an edge is taken to go on beyond it."""


@dataclass(frozen=True)
class Extents:
    """Pixels by which each edge is moved outwards."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    @classmethod
    def parse(cls, text: str) -> Extents:
        """From "left=64,right=64". Raises `InvalidRequest` for an unknown edge, or what is no number of pixels."""
        found: dict[str, int] = {}
        for part in text.split(","):
            name, equals, number = (piece.strip() for piece in part.partition("="))
            if not equals:
                raise InvalidRequest(
                    "extend", f"{part.strip()!r} is not allowed: EDGE=PIXELS, such as left=64,right=64"
                )
            edge = one_of("extend", name, EDGES)
            if edge in found:
                raise InvalidRequest("extend", f"{edge} is given twice")
            try:
                found[edge] = int(number)
            except ValueError:
                raise InvalidRequest("extend", f"{edge}={number} is not allowed: whole pixels are needed") from None
        return cls(**found)

    def check(self, size: tuple[int, int]) -> None:
        """Raises `InvalidRequest` for extents that a picture (width, height) cannot take."""
        for edge in EDGES:
            pixels, most = getattr(self, edge), int(FURTHEST * min(size))
            if not 0 <= pixels <= most:
                why = f"0 to {most}, {FURTHEST:g} times the short side of this picture; go further in two steps"
                raise InvalidRequest("extend", f"{edge}={pixels} is not allowed: {why}")
        if not any(self.as_tuple):
            raise InvalidRequest("extend", "moves no edge; give at least one, such as right=64")
        if min(size) < SMALLEST_SIDE:
            given = f"the picture is {size[0]}x{size[1]}"
            raise InvalidRequest(
                "image", f"{given}; at least {SMALLEST_SIDE} pixels on a side are needed to go on from"
            )
        width, height = self.whole(size)
        if width * height > MAX_PIXELS:
            given = f"would give {width}x{height}, {width * height / 1e6:.0f} megapixels"
            raise InvalidRequest("extend", f"{given}; at most {MAX_PIXELS // 10**6} megapixels are allowed")

    @property
    def as_tuple(self) -> tuple[int, int, int, int]:
        return self.left, self.top, self.right, self.bottom

    def whole(self, size: tuple[int, int]) -> tuple[int, int]:
        """(width, height) of the result."""
        return size[0] + self.left + self.right, size[1] + self.top + self.bottom

    def place(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Where the picture (width, height) lies in the result: rows and columns."""
        return slice(self.top, self.top + size[1]), slice(self.left, self.left + size[0])

    def new(self, size: tuple[int, int]) -> Bits:
        """(height, width) of the result, True where it is not the picture."""
        width, height = self.whole(size)
        mask = np.ones((height, width), np.bool_)
        mask[self.place(size)] = False
        return mask


@dataclass(frozen=True)
class Canvas:
    """What the model paints, in its own pixels.

    size: (width, height). origin: where the picture's corner lies on it. inner: (width, height) of the picture on it.
    source: (width, height) of the picture itself. All but `source` are multiples of what the model takes.
    """

    extents: Extents
    source: tuple[int, int]
    size: tuple[int, int]
    origin: tuple[int, int]
    inner: tuple[int, int]

    @classmethod
    def of(cls, extents: Extents, source: tuple[int, int], native: tuple[int, int], multiple: int) -> Canvas:
        """The canvas for a picture (width, height) and a model; raises `InvalidRequest` where it would be too large.

        The picture's sides are rounded to the model's grid, so that its border is one between cells of the latent.
        """
        shrink = min(source) / min(native)
        inner = tuple(max(round(side / shrink / multiple), 1) * multiple for side in source)
        before, after = extents.as_tuple[:2], extents.as_tuple[2:]

        def cells(pixels: int, axis: int) -> int:
            return -(-pixels * inner[axis] // (source[axis] * multiple)) * multiple

        origin = cells(before[0], 0), cells(before[1], 1)
        size = origin[0] + inner[0] + cells(after[0], 0), origin[1] + inner[1] + cells(after[1], 1)
        if max(size) > MAX_SIDE:
            given = f"the model would have to paint {size[0]}x{size[1]} at once"
            raise InvalidRequest("extend", f"{given}, and {MAX_SIDE} on a side is the most; do it in several steps")
        return cls(extents, source, size, origin, (inner[0], inner[1]))

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the picture for one of the model's, across and down."""
        return self.source[0] / self.inner[0], self.source[1] / self.inner[1]

    @property
    def shown(self) -> tuple[float, float, float, float]:
        """x0, y0, x1, y1 on the canvas of what becomes the result; beyond it the model paints to the end of a cell."""
        left, top, right, bottom = self.extents.as_tuple
        (across, down), (x, y), (width, height) = self.scale, self.origin, self.inner
        x0, y0 = max(x - left / across, 0.0), max(y - top / down, 0.0)
        return x0, y0, min(x + width + right / across, self.size[0]), min(y + height + bottom / down, self.size[1])

    def start(self, pixels: Pixels, things: Sequence[PlanObject] = ()) -> Asset:
        """The picture on the canvas, its edges drawn out over what is new: that is where the painter starts from.

        pixels: uint8 (H, W, 3). things: what stands in the picture, with boxes of the canvas; it is not drawn out.
        """
        (x, y), (width, height) = self.origin, self.inner
        inner = pixels
        if (width, height) != self.source:
            inner = np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
        canvas = np.zeros((self.size[1], self.size[0], 3), np.uint8)
        canvas[y : y + height, x : x + width] = inner
        place = slice(y, y + height), slice(x, x + width)
        return Asset.of(drawn_out(canvas, place, self._covered(things)), "the picture on its canvas")

    def free(self, things: Sequence[PlanObject] = (), background: float = BACKGROUND) -> Asset:
        """How freely the model paints: 0 where the picture is, 255 where one of the things shall stand beyond it.

        Elsewhere the drawn out edges are kept as far as `background` says, so that places go on as they are.
        """
        (x, y), (width, height) = self.origin, self.inner
        plane = np.full((self.size[1], self.size[0]), round(255 * background), np.uint8)
        plane[self._covered(things, grown=AROUND)] = 255
        plane[y : y + height, x : x + width] = 0
        return Asset.of(plane, "what is new")

    def _covered(self, things: Sequence[PlanObject], grown: int = 0) -> Bits:
        """(h, w) of the canvas, True in the boxes, each grown by so many pixels."""
        width, height = self.size
        mask = np.zeros((height, width), np.bool_)
        for item in things:
            x0, y0, x1, y1 = (round(side * self.size[k % 2]) for k, side in enumerate(item.box))
            mask[max(y0 - grown, 0) : max(y1 + grown, 0), max(x0 - grown, 0) : max(x1 + grown, 0)] = True
        return mask

    def boxes(self, plan: Plan) -> Plan:
        """A plan of the picture as one of the canvas."""
        (x, y), (width, height), (across, down) = self.origin, self.inner, self.size
        objects = [
            item.model_copy(
                update={
                    "box": (
                        (x + item.box[0] * width) / across,
                        (y + item.box[1] * height) / down,
                        (x + item.box[2] * width) / across,
                        (y + item.box[3] * height) / down,
                    )
                }
            )
            for item in plan.objects
        ]
        return plan.model_copy(update={"objects": tuple(objects)})

    def strips(self) -> dict[str, Box]:
        """Of each edge that moves, the part of the canvas that is new and will be seen, in the model's pixels.

        Corners belong to the strips at the sides.
        """
        (x, y), (width, height) = self.origin, self.inner
        x0, y0, x1, y1 = self.shown
        found = {
            "left": (x0, y0, x, y1),
            "right": (x + width, y0, x1, y1),
            "top": (x, y0, x + width, y),
            "bottom": (x, y + height, x + width, y1),
        }
        return {edge: found[edge] for edge in EDGES if getattr(self.extents, edge)}

    def put(self, wanted: Sequence[PlanObject], native: tuple[int, int]) -> list[PlanObject]:
        """New things, planned for a picture of the model's own size, at their size in the new parts of the canvas.

        With new parts on both sides each thing goes to the side on which it was planned; else all go to the largest.
        What is too large for a strip is made smaller.
        """
        strips = self.strips()
        found: list[PlanObject] = []
        for axis, pair in ((0, ("left", "right")), (1, ("top", "bottom"))):
            if all(edge in strips for edge in pair):
                halves: tuple[list[PlanObject], list[PlanObject]] = ([], [])
                for item in wanted:
                    halves[item.box[axis] + item.box[axis + 2] >= 1].append(item)
                for edge, things in zip(pair, halves, strict=True):
                    found += self._fitted(things, strips[edge], native)
                return found
        largest = max(strips.values(), key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        return self._fitted(wanted, largest, native)

    def _fitted(self, things: Sequence[PlanObject], strip: Box, native: tuple[int, int]) -> list[PlanObject]:
        """Things moved together into a strip, given in the model's pixels."""
        (width, height), (x0, y0, x1, y1) = self.size, strip
        box = (x0 / width, y0 / height, x1 / width, y1 / height)
        return into_box(things, box, (native[0] / width, native[1] / height))

    def result(self, source: Pixels, painted: Pixels) -> Pixels:
        """The whole picture: the source's own pixels, and around them the painted ones, which meet them.

        source: uint8 (H, W, 3 or 4); painted: (h, w, 3) of the canvas. Where the source has transparency, the new is
        opaque.
        """
        width, height = self.extents.whole(self.source)
        new, place = self.extents.new(self.source), self.extents.place(self.source)
        large = np.asarray(Image.fromarray(painted).resize((width, height), Image.Resampling.BICUBIC, box=self.shown))
        known = large.copy()
        known[place] = source[:, :, :3]
        whole = np.full((height, width, source.shape[2]), 255, np.uint8)
        whole[:, :, :3] = meeting(known, large, new, place)
        faded(whole, source, place, (FADE * self.scale[1], FADE * self.scale[0]))
        whole[place] = source
        return whole

    def as_json(self) -> dict[str, Any]:
        """For the settings of a recipe's step."""
        return {"extend": dict(zip(EDGES, self.extents.as_tuple, strict=True)), "canvas": list(self.size)}


def extents_from(settings: Any) -> Extents:
    """From the settings of a recipe that anyone may have written; `FileProblem` if it cannot be."""
    try:
        return Extents(**{edge: int(settings["extend"][edge]) for edge in EDGES})
    except (KeyError, TypeError, ValueError) as error:
        raise FileProblem(f"the recipe is damaged: the extents do not fit: {error}") from None


def going_on(plan: Plan, extents: Extents, aspect: float) -> Plan:
    """The plan of a picture in which things that an edge cuts reach beyond it, where that edge moves.

    A noun's drawing has a known shape, so what is seen of its height tells its width, and the other way round. aspect:
    width over height of the picture.
    """
    return plan.model_copy(update={"objects": tuple(_whole(item, extents, aspect) for item in plan.objects)})


def _whole(item: PlanObject, extents: Extents, aspect: float) -> PlanObject:
    noun = NOUNS.get(item.noun)
    if noun is None:
        return item
    x0, y0, x1, y1 = item.box
    width, height = (y1 - y0) * noun.aspect / aspect, (x1 - x0) * aspect / noun.aspect
    if extents.right and x1 > 1 - CUT:
        x1 = max(x1, x0 + width)
    elif extents.left and x0 < CUT:
        x0 = min(x0, x1 - width)
    elif extents.bottom and y1 > 1 - CUT:
        y1 = max(y1, y0 + height)
    elif extents.top and y0 < CUT:
        y0 = min(y0, y1 - height)
    return item.model_copy(update={"box": (x0, y0, x1, y1)})
