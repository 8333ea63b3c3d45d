"""Text to lines in a box: breaking, the largest size that fits, alignment.

Measured with the very font objects that draw, at `Layout.scale` times the size, so that what fits here fits when drawn.
The ink decides: the block of lines is as high as from the highest to the lowest ink, and no ink leaves the box. All
lengths of a layout are pixels of the box. It knows neither colours nor pictures.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PIL import ImageFont

from triptych.core.errors import InvalidRequest
from triptych.typography.breaking import Way, Word, blocks_of, line_text, needs_shaping, way_of, words_of
from triptych.typography.fonts import Font, shaping
from triptych.typography.settings import MIN_SIZE, Lettering

MAX_SAMPLES = 2**26
_STEP = 0.25
"""Sizes are tried in quarters of a pixel."""
_ROUNDING = 1e-6
_RAGGED_WORDS = 400
"""Above this many words lines are filled one after another instead of evened out."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Run:
    """Characters drawn in one go. x: where their left edge stands, in box pixels. way: the base direction."""

    text: str
    x: float
    way: Way


@dataclass(frozen=True)
class Line:
    """One line. ink: x0, y0, x1, y1 of what is dark, None for a line of spaces."""

    text: str
    runs: tuple[Run, ...]
    baseline: float
    ink: Box | None


@dataclass(frozen=True)
class Layout:
    """Lines in a box of width x height pixels. scale: samples per pixel when measuring and drawing."""

    lines: tuple[Line, ...]
    size: float
    width: float
    height: float
    scale: int

    @cached_property
    def ink(self) -> Box:
        """x0, y0, x1, y1 around all lines."""
        inks = [line.ink for line in self.lines if line.ink]
        lows = [min(ink[side] for ink in inks) for side in (0, 1)]
        highs = [max(ink[side] for ink in inks) for side in (2, 3)]
        return lows[0], lows[1], highs[0], highs[1]

    @property
    def text(self) -> tuple[str, ...]:
        return tuple(line.text for line in self.lines)


@dataclass(frozen=True)
class _Measured:
    """A line before it has a place. left, right: how far ink or advance reach from the origin; top, bottom: the ink."""

    words: tuple[Word, ...]
    way: Way
    last: bool
    left: float
    right: float
    top: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left


def lay_out(lettering: Lettering, font: Font, width: float, height: float) -> Layout:
    """Lay the text out in a box of width x height pixels.

    Raises `InvalidRequest` if it does not fit: at the given size, naming the largest that does, or at any.
    """
    strange = needs_shaping(lettering.text)
    if strange and not shaping():
        raise InvalidRequest(
            "text",
            f"{strange!r} (U+{ord(strange):04X}) belongs to a script that needs shaping, and this Pillow has no Raqm; "
            "install libraqm, or Pillow from PyPI",
        )
    setter = _Setter(lettering, font, width, height)
    largest = setter.largest()
    if largest is None:
        raise InvalidRequest("text", setter.why_not())
    layout = setter.at(lettering.size or largest)
    if layout is None:
        raise InvalidRequest(
            "size", f"{lettering.size:g} pixels is too large for the box; the largest that fits is {largest:g}"
        )
    return layout


class _Setter:
    """One text, font and box, at any size."""

    def __init__(self, lettering: Lettering, font: Font, width: float, height: float) -> None:
        self.lettering, self.font, self.width, self.height = lettering, font, width, height
        self.scale = next((scale for scale in (4, 2) if width * height * scale**2 <= MAX_SAMPLES), 1)
        fixed: Way | None = None if lettering.direction == "auto" else lettering.direction
        self.paragraphs: list[tuple[tuple[Word, ...], Way]] = [
            (words_of(text), fixed or way_of(text)) for text in lettering.text.split("\n")
        ]

    def largest(self) -> float | None:
        """The largest size that fits, by bisection; None if not even the smallest does."""
        low, high = round(MIN_SIZE / _STEP), max(round(2 * self.height / _STEP), round(MIN_SIZE / _STEP)) + 1
        if self._filled(low * _STEP) is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._filled(middle * _STEP) is None else (middle, high)
        return low * _STEP

    def at(self, size: float) -> Layout | None:
        """The layout at this size, None if it does not fit."""
        filled = self._filled(size)
        if filled is None:
            return None
        lines, layout = filled
        evened = self._placed(self._evened(lines, size), size)
        return evened if self._holds(evened) else layout

    def why_not(self) -> str:
        """The sentence for a text that does not fit at the smallest size."""
        size = MIN_SIZE
        measured = [self._measured((word,), way, size) for words, way in self.paragraphs for word in words]
        widest = max(measured, key=lambda line: line.width)
        room = f"{self.width:g}x{self.height:g}"
        if widest.width > self.width:
            word = line_text(widest.words)
            shown = word if len(word) <= 40 else f"{word[:37]}..."
            return (
                f"{shown!r} is {widest.width:.0f} pixels wide even at the smallest size, {size:g}; the box has {room}"
            )
        lines = self._broken(size, self.width) or []
        ink = self._placed(lines, size).ink
        return (
            f"{len(self.lettering.text)} characters do not fit into {room} pixels, not even at the smallest size, "
            f"{size:g}: "
            f"at that width they are {ink[3] - ink[1]:.0f} high"
        )

    def _filled(self, size: float) -> tuple[list[_Measured], Layout] | None:
        """Lines that are filled one after another, and where they stand; None if they do not fit."""
        lines = self._broken(size, self.width)
        if lines is None:
            return None
        layout = self._placed(lines, size)
        return (lines, layout) if self._holds(layout) else None

    def _holds(self, layout: Layout) -> bool:
        x0, y0, x1, y1 = layout.ink
        return min(x0, y0) >= -_ROUNDING and x1 <= self.width + _ROUNDING and y1 <= self.height + _ROUNDING

    def _broken(self, size: float, width: float) -> list[_Measured] | None:
        """Lines filled one after another; None if a word is wider than the box."""
        lines: list[_Measured] = []
        for words, way in self.paragraphs:
            start = 0
            while start < len(words) or not words:
                line = self._measured(words[start : start + 1], way, size)
                if line.width > width:
                    return None
                end = start + 1
                while end < len(words):
                    longer = self._measured(words[start : end + 1], way, size)
                    if longer.width > width:
                        break
                    line, end = longer, end + 1
                lines.append(_Measured(line.words, way, end >= len(words), *_edges(line)))
                start = end
                if not words:
                    break
        return lines

    def _evened(self, lines: list[_Measured], size: float) -> list[_Measured]:
        """As many lines, but with evener ends: the least sum of squared gaps (Knuth & Plass 1981, without stretching).

        The last line of a paragraph counts only where lines are centred; elsewhere it may be short.
        """
        evened: list[_Measured] = []
        start = 0
        for words, way in self.paragraphs:
            end = next(number for number in range(start, len(lines)) if lines[number].last) + 1
            own = lines[start:end]
            few = len(own) < 2 or len(words) > _RAGGED_WORDS
            evened += own if few else self._paragraph(words, way, len(own), size)
            start = end
        return evened

    def _paragraph(self, words: tuple[Word, ...], way: Way, count: int, size: float) -> list[_Measured]:
        # best[n][j]: the least cost of the first j words on n lines, and where the last of these lines begins.
        best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
        measured: dict[tuple[int, int], _Measured] = {}
        for _ in range(count):
            row: dict[int, tuple[float, int]] = {}
            for start, (cost, _) in best[-1].items():
                for end in range(start + 1, len(words) + 1):
                    if (start, end) not in measured:
                        measured[start, end] = self._measured(words[start:end], way, size)
                    gap = self.width - measured[start, end].width
                    if gap < 0:
                        break
                    free = end == len(words) and self.lettering.align != "center"
                    total = cost + (0.0 if free else gap**2)
                    if end not in row or total < row[end][0]:
                        row[end] = total, start
            best.append(row)
        cuts = [len(words)]
        for number in range(count, 0, -1):
            cuts.append(best[number][cuts[-1]][1])
        cuts.reverse()
        pairs = list(itertools.pairwise(cuts))
        return [
            _Measured(words[start:end], way, end == len(words), *_edges(measured[start, end])) for start, end in pairs
        ]

    def _measured(self, words: tuple[Word, ...], way: Way, size: float) -> _Measured:
        text = line_text(words)
        if not text.strip():
            return _Measured(words, way, False, 0.0, 0.0, 0.0, 0.0)
        font = self.font.at(size * self.scale)
        x0, y0, x1, y1 = font.getbbox(text, "L", direction=base(way), anchor="ls")
        length = font.getlength(text, "L", direction=base(way))
        scale = self.scale
        return _Measured(words, way, False, min(x0, 0) / scale, max(x1, length) / scale, y0 / scale, y1 / scale)

    def _placed(self, lines: Sequence[_Measured], size: float) -> Layout:
        leading = self.lettering.line_height * size
        inked = [(number, line) for number, line in enumerate(lines) if line.bottom > line.top]
        top = min(number * leading + line.top for number, line in inked)
        bottom = max(number * leading + line.bottom for number, line in inked)
        spare = self.height - (bottom - top)
        first = {"top": 0.0, "middle": spare / 2, "bottom": spare}[self.lettering.valign] - top
        # Baselines stand on whole samples, and so does the ink.
        first = round(first * self.scale) / self.scale
        placed = [self._line(line, first + number * leading, size) for number, line in enumerate(lines)]
        return Layout(tuple(placed), size, self.width, self.height, self.scale)

    def _line(self, line: _Measured, baseline: float, size: float) -> Line:
        font = self.font.at(size * self.scale)
        baseline = round(baseline * self.scale) / self.scale
        stretched = self.lettering.align == "justify" and not line.last and len(line.words) > 1
        runs = self._stretched(line, font) if stretched else self._plain(line)
        boxes = [self._ink(font, run, baseline) for run in runs if run.text.strip()]
        ink = (
            (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
            if boxes
            else None
        )
        return Line(line_text(line.words), tuple(runs), baseline, ink)

    def _plain(self, line: _Measured) -> list[Run]:
        align = self.lettering.align
        if align == "justify":
            align = "right" if line.way == "rtl" else "left"
        spare = {"left": 0.0, "center": 0.5, "right": 1.0}[align] * (self.width - line.width)
        return [Run(line_text(line.words), self._on_sample(spare - line.left), line.way)]

    def _stretched(self, line: _Measured, font: ImageFont.FreeTypeFont) -> list[Run]:
        """Justified: the spare room goes evenly between the words. Words of the other direction stay one block."""
        blocks = blocks_of(line.words, line.way)
        gaps = sum(bool(space) for _, space in blocks[:-1])
        if not gaps:
            return self._plain(line)
        spare = (self.width - line.width) / gaps
        runs: list[Run] = []
        x = -line.left if line.way == "ltr" else self.width
        for text, space in blocks:
            length = font.getlength(text, "L", direction=base(line.way)) / self.scale
            room = (font.getlength(space, "L", direction=base(line.way)) / self.scale + spare) if space else 0.0
            left = x if line.way == "ltr" else x - length
            runs.append(Run(text, self._on_sample(left), line.way))
            x += (length + room) * (1 if line.way == "ltr" else -1)
        return runs

    def _ink(self, font: ImageFont.FreeTypeFont, run: Run, baseline: float) -> Box:
        x0, y0, x1, y1 = font.getbbox(run.text, "L", direction=base(run.way), anchor="ls")
        scale = self.scale
        return run.x + x0 / scale, baseline + y0 / scale, run.x + x1 / scale, baseline + y1 / scale

    def _on_sample(self, x: float) -> float:
        return math.floor(x * self.scale + _ROUNDING) / self.scale


def base(way: Way) -> str | None:
    """What Pillow is told: the paragraph's direction where it shapes, nothing where it cannot."""
    return way if shaping() else None


def _edges(line: _Measured) -> tuple[float, float, float, float]:
    return line.left, line.right, line.top, line.bottom
