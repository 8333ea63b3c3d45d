"""A sheet of pictures for a page: a row for each case under its words, a column for each way of painting it.

Knows nothing of what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from triptych.core.events import Pixels

LABEL = 14
"""Height of a line of words, in pixels."""

Row = tuple[str, Sequence[Pixels]]
"""The words of a case, and its pictures, square and all of one side."""


def draw_sheet(columns: Sequence[str], rows: Sequence[Row], side: int, path: Path, *, colours: int) -> Path:
    """Write the sheet as a PNG of at most so many colours, which keeps pages small."""
    canvas = Image.new("RGB", (side * len(columns), (side + LABEL) * len(rows) + LABEL), "white")
    pen = ImageDraw.Draw(canvas)
    for x, name in enumerate(columns):
        pen.text((x * side + 2, 1), name, fill="black")
    for y, (text, pictures) in enumerate(rows):
        top = LABEL + y * (side + LABEL)
        pen.text((2, top + 1), text, fill="black")
        for x, picture in enumerate(pictures):
            canvas.paste(Image.fromarray(picture), (x * side, top + LABEL))
    canvas.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path
