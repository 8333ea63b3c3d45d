"""A contact sheet: pictures in a grid, each with its words beneath."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from triptych.core.events import Pixels

LINE = 13


def contact_sheet(
    pictures: Sequence[Pixels], labels: Sequence[str], *, columns: int = 5, cell: int = 160
) -> Image.Image:
    """Pictures scaled to `cell` pixels with up to three lines of caption under each."""
    rows = -(-len(pictures) // columns)
    height = cell + 3 * LINE + 6
    sheet = Image.new("RGB", (columns * (cell + 6) + 6, rows * (height + 6) + 6), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, (pixels, label) in enumerate(zip(pictures, labels, strict=True)):
        x, y = 6 + place % columns * (cell + 6), 6 + place // columns * (height + 6)
        picture = Image.fromarray(pixels)
        picture.thumbnail((cell, cell), Image.Resampling.LANCZOS)
        if max(picture.size) < cell:
            picture = picture.resize((cell, picture.height * cell // picture.width), Image.Resampling.BICUBIC)
        sheet.paste(picture, (x, y))
        for number, line in enumerate(textwrap.wrap(label, width=cell // 6)[:3]):
            pen.text((x + 1, y + cell + 2 + number * LINE), line, fill="black", font=font)
    return sheet
