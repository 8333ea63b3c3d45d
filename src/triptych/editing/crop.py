"""Which part of a picture the model looks at for an edit, and the way there and back.

A model paints pictures of its own size and shape. An edit of a larger picture works in a window around the selection,
with a margin of what surrounds it, of the model's shape; where the picture has too little room for that shape, the
window is continued by mirroring. The window is scaled to the model's size and the answer is scaled back. Parts of a
selection that lie far apart get windows of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.events import Pixels
from triptych.editing.distance import Bits
from triptych.editing.masks import PixelBox, box_of

CONTEXT = 0.5
"""Margin around the selection's box on each side, as a share of the box's longer side."""
MAX_WINDOWS = 4
_CELLS = 48
"""Parts of a selection are told apart on a grid of so many cells along the longer side."""


@dataclass(frozen=True)
class Window:
    """box: what of the picture it covers, in pixels; all within the picture. pad: how many mirrored pixels continue it
    on the left, at the top, right and bottom. size: (width, height) at which the model paints it.
    """

    box: PixelBox
    pad: tuple[int, int, int, int]
    size: tuple[int, int]

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the box, without the mirrored border."""
        x0, y0, x1, y1 = self.box
        return y1 - y0, x1 - x0

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of the model's."""
        return self._whole[0] / self.size[0]

    def cut(self, plane: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The window's part of the picture or mask, (h, w, ...); a view."""
        x0, y0, x1, y1 = self.box
        return plane[y0:y1, x0:x1]

    def to_model(self, part: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The window's part of the picture, uint8 (h, w, 3), at the model's size; mirrored where it has to go on."""
        left, top, right, bottom = self.pad
        part = np.ascontiguousarray(part)
        if any(self.pad):
            part = np.pad(part, ((top, bottom), (left, right), (0, 0)), mode="symmetric")
        if part.shape[1::-1] == self.size:
            return part
        return np.asarray(Image.fromarray(part).resize(self.size, Image.Resampling.LANCZOS))

    def seen(self, part: Bits) -> Bits:
        """The window's part of a mask (h, w) at the model's size: True where any pixel underneath is."""
        left, top, right, bottom = self.pad
        part = np.pad(part, ((top, bottom), (left, right)))
        for axis, side in ((0, self.size[1]), (1, self.size[0])):
            length = part.shape[axis]
            starts = np.arange(side) * length // side
            stops = np.maximum(-(-(np.arange(side) + 1) * length // side), starts + 1)
            counts = np.cumsum(part, axis=axis, dtype=np.int32)
            counts = np.insert(counts, 0, 0, axis=axis)
            part = np.take(counts, stops, axis=axis) > np.take(counts, starts, axis=axis)
        return part

    def from_model(self, painted: Pixels) -> Pixels:
        """The model's picture at the window's own pixels, (h, w, 3), without the mirrored border."""
        # Enlarging with Lanczos rings at the edges of flat drawings; bicubic does so less.
        enlarged = self._whole[0] > self.size[0]
        return self._scaled(painted, Image.Resampling.BICUBIC if enlarged else Image.Resampling.LANCZOS)

    def spread(self, plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """A plane of the model's size at the window's own pixels, (h, w), linearly: zeros stay zeros."""
        return self._scaled(plane, Image.Resampling.BILINEAR)

    @property
    def _whole(self) -> tuple[int, int]:
        """(width, height) with the mirrored border."""
        return self.shape[1] + self.pad[0] + self.pad[2], self.shape[0] + self.pad[1] + self.pad[3]

    def _scaled(self, plane: npt.NDArray[Any], kind: Image.Resampling) -> npt.NDArray[Any]:
        if plane.shape[1::-1] != self._whole:
            plane = np.asarray(Image.fromarray(np.ascontiguousarray(plane)).resize(self._whole, kind))
        (height, width), (left, top, _, _) = self.shape, self.pad
        return plane[top : top + height, left : left + width]

    def fraction(self, box: PixelBox) -> tuple[float, float, float, float]:
        """A box in pixels of the picture, as fractions of what the model sees."""
        x0, y0 = self.box[0] - self.pad[0], self.box[1] - self.pad[1]
        width, height = self._whole
        return (box[0] - x0) / width, (box[1] - y0) / height, (box[2] - x0) / width, (box[3] - y0) / height


def window_for(box: PixelBox, picture: tuple[int, int], native: tuple[int, int], *, context: float = CONTEXT) -> Window:
    """The window around a box. picture, native: (width, height) of the picture and of what the model paints.

    It has the model's shape, is no smaller than the model's picture where there is room, and lies within the picture
    as far as that reaches; what is missing is mirrored.
    """
    x0, y0, x1, y1 = box
    margin = context * max(x1 - x0, y1 - y0)
    wide, tall = x1 - x0 + 2 * margin, y1 - y0 + 2 * margin
    scale = max(wide / native[0], tall / native[1], 1.0)
    # A window that nearly covers the picture may as well: the model then sees where the picture ends.
    whole = max(picture[0] / native[0], picture[1] / native[1])
    scale = min(scale, max(whole, (x1 - x0) / native[0], (y1 - y0) / native[1]))
    sides = [max(round(native[k] * scale), box[k + 2] - box[k]) for k in (0, 1)]
    spans = [_span(box[k], box[k + 2], sides[k], picture[k]) for k in (0, 1)]
    (left, right, before_x, after_x), (top, bottom, before_y, after_y) = spans
    return Window((left, top, right, bottom), (before_x, before_y, after_x, after_y), native)


def _span(low: int, high: int, side: int, limit: int) -> tuple[int, int, int, int]:
    """Start and stop along one direction, and how much is missing on both ends; centred on low..high."""
    if side >= limit:
        before = min(max((side - limit) // 2, 0), side - limit)
        return 0, limit, before, side - limit - before
    start = min(max((low + high - side) // 2, 0), limit - side)
    return start, start + side, 0, 0


def parts_of(mask: Bits, native: tuple[int, int], *, context: float = CONTEXT) -> list[tuple[Window, PixelBox]]:
    """A window and the box of what is selected in it, for each part of the selection that deserves its own.

    One window for all, unless that would shrink the picture, the selection falls apart, and the parts' windows are
    few, do not meet and are smaller.
    """
    height, width = mask.shape
    size = (width, height)
    whole = box_of(mask)
    single = window_for(whole, size, native, context=context)
    if single.scale <= 1:
        return [(single, whole)]
    boxes = _merged(_pieces(mask, whole), size, native, context)
    if not 1 < len(boxes) <= MAX_WINDOWS:
        return [(single, whole)]
    return [(window_for(box, size, native, context=context), box) for box in boxes]


def _pieces(mask: Bits, whole: PixelBox) -> list[PixelBox]:
    """Boxes around the connected parts, as far as a coarse grid tells them apart."""
    x0, y0, x1, y1 = whole
    part = mask[y0:y1, x0:x1]
    step = max(-(-max(part.shape) // _CELLS), 1)
    rows, columns = (-(-side // step) for side in part.shape)
    padded = np.zeros((rows * step, columns * step), np.bool_)
    padded[: part.shape[0], : part.shape[1]] = part
    grid = padded.reshape(rows, step, columns, step).any(axis=(1, 3))
    free = {(int(r), int(c)) for r, c in zip(*np.nonzero(grid), strict=True)}
    boxes: list[PixelBox] = []
    while free:
        queue, cells = [free.pop()], []
        while queue:
            r, c = queue.pop()
            cells.append((r, c))
            near = {(r + dr, c + dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)} & free
            free -= near
            queue += near
        top, left = min(r for r, _ in cells) * step, min(c for _, c in cells) * step
        bottom, right = (max(r for r, _ in cells) + 1) * step, (max(c for _, c in cells) + 1) * step
        a, b, c_, d = box_of(padded[top:bottom, left:right])
        boxes.append((x0 + left + a, y0 + top + b, x0 + left + c_, y0 + top + d))
    return sorted(boxes)


def _merged(
    boxes: Sequence[PixelBox], size: tuple[int, int], native: tuple[int, int], context: float
) -> list[PixelBox]:
    """Boxes joined until their windows no longer meet; stops joining when there are too many to be worth it."""
    found = list(boxes)
    if len(found) > 8 * MAX_WINDOWS:
        return found
    again = True
    while again:
        again = False
        for i in range(len(found)):
            for j in range(i + 1, len(found)):
                first, second = (window_for(found[k], size, native, context=context).box for k in (i, j))
                if not again and _meet(first, second):
                    a, b = found[i], found[j]
                    found[i] = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
                    del found[j]
                    again = True
                    break
            if again:
                break
    return found


def _meet(a: PixelBox, b: PixelBox) -> bool:
    return max(a[0], b[0]) < min(a[2], b[2]) and max(a[1], b[1]) < min(a[3], b[3])
