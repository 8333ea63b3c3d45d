"""Draws a labelled grid of pictures: columns and rows named, a cell that could not be made says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from triptych.core.events import Pixels

PAPER, INK, FAINT, REFUSED = (255, 255, 255), (24, 24, 28), (110, 110, 118), (236, 236, 240)
GAP = 8
MIN_CELL = 96
TITLE_SIZE, LABEL_SIZE, REASON_SIZE = 18, 14, 12
MAX_TITLE_LINES = 3


@dataclass(frozen=True)
class Cell:
    """A picture, or the reason why there is none."""

    pixels: Pixels | None
    reason: str = ""


def draw_grid(title: str, columns: Sequence[str], rows: Sequence[str], cells: Sequence[Sequence[Cell]]) -> Pixels:
    """One picture of all cells, `cells[row][column]`; smaller pictures are centred in the largest one's
    frame.

    A column or row with an empty label gets no space for one.
    """
    made = [cell.pixels for row in cells for cell in row if cell.pixels is not None]
    cell_height = max([MIN_CELL, *(pixels.shape[0] for pixels in made)])
    cell_width = max([MIN_CELL, *(pixels.shape[1] for pixels in made)])
    label_font, title_font = _font(LABEL_SIZE), _font(TITLE_SIZE)

    left = GAP + max((int(label_font.getlength(label)) for label in rows if label), default=-GAP) + GAP
    left = min(left, cell_width + 2 * GAP)
    width = left + len(columns) * (cell_width + GAP)
    title_lines = _wrap(title, title_font, width - 2 * GAP)[:MAX_TITLE_LINES]
    column_lines = [_wrap(label, label_font, cell_width) for label in columns]
    label_top = 2 * GAP + len(title_lines) * _line_height(TITLE_SIZE)
    top = label_top + max(map(len, column_lines)) * _line_height(LABEL_SIZE) + GAP // 2
    height = top + len(rows) * (cell_height + GAP)

    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    _text(draw, title_lines, GAP, GAP, title_font, TITLE_SIZE, INK)
    for number, lines in enumerate(column_lines):
        _text(draw, lines, left + number * (cell_width + GAP), label_top, label_font, LABEL_SIZE, FAINT)
    for y, (label, row) in enumerate(zip(rows, cells, strict=True)):
        cell_top = top + y * (cell_height + GAP)
        lines = _wrap(label, label_font, left - 2 * GAP)
        _text(draw, lines, GAP, cell_top + GAP, label_font, LABEL_SIZE, FAINT)
        for x, cell in enumerate(row):
            corner = left + x * (cell_width + GAP), cell_top
            _place(sheet, draw, cell, corner, (cell_width, cell_height))
    return np.asarray(sheet)


def _place(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, cell: Cell, corner: tuple[int, int], frame: tuple[int, int]
) -> None:
    if cell.pixels is None:
        draw.rectangle((*corner, corner[0] + frame[0] - 1, corner[1] + frame[1] - 1), fill=REFUSED)
        font = _font(REASON_SIZE)
        lines = _wrap(cell.reason, font, frame[0] - 2 * GAP)
        shown = lines[: (frame[1] - 2 * GAP) // _line_height(REASON_SIZE)]
        _text(draw, shown, corner[0] + GAP, corner[1] + GAP, font, REASON_SIZE, FAINT)
        return
    picture = Image.fromarray(cell.pixels)
    sheet.paste(picture, (corner[0] + (frame[0] - picture.width) // 2, corner[1] + (frame[1] - picture.height) // 2))


def _text(
    draw: ImageDraw.ImageDraw,
    lines: Sequence[str],
    x: int,
    y: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    size: int,
    colour: tuple[int, int, int],
) -> None:
    for number, line in enumerate(lines):
        draw.text((x, y + number * _line_height(size)), line, fill=colour, font=font)


def _wrap(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> list[str]:
    """The text in lines of at most `width` pixels; a single word that is longer is cut."""
    lines: list[str] = []
    for word in text.split():
        while font.getlength(word) > width and len(word) > 1:
            word = word[:-1]
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _line_height(size: int) -> int:
    return round(size * 1.3)
