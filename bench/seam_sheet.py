"""A sheet of outpaintings: the first of `bench seams`, none chosen, with marks at the corners of the old picture.

python bench/seam_sheet.py [FOLDER] [MODEL] [OUT]   (runs/seams, flow, docs/pictures/outpaint.png)
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from triptych.core.readers import read_recipe
from triptych.editing.outpaint import extents_from

HEIGHT, WIDTH, GAP, MARK = 190, 1000, 8, 7


def marked(path: Path) -> Image.Image:
    """One picture at the sheet's scale, with a mark at each corner of what was there before."""
    step = read_recipe(path).step
    assert step is not None
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    scale = HEIGHT / picture.height
    small = picture.resize((round(picture.width * scale), HEIGHT), Image.Resampling.LANCZOS)
    extents, draw = extents_from(step.settings), ImageDraw.Draw(small)
    x0, y0 = extents.left * scale, extents.top * scale
    x1, y1 = x0 + step.source.width * scale - 1, y0 + step.source.height * scale - 1
    for x, y, across, down in ((x0, y0, 1, 1), (x1, y0, -1, 1), (x0, y1, 1, -1), (x1, y1, -1, -1)):
        for dx, dy in ((MARK * across, 0), (0, MARK * down)):
            draw.line((x, y, x + dx, y + dy), fill="white", width=2)
    return small


def sheet(pictures: list[Image.Image]) -> Image.Image:
    """Rows as full as they get, in the order given."""
    rows: list[list[Image.Image]] = [[]]
    for picture in pictures:
        if rows[-1] and sum(each.width + GAP for each in rows[-1]) + picture.width > WIDTH:
            rows.append([])
        rows[-1].append(picture)
    whole = Image.new("RGB", (WIDTH, len(rows) * (HEIGHT + GAP) - GAP), "white")
    for number, row in enumerate(rows):
        x = 0
        for picture in row:
            whole.paste(picture, (x, number * (HEIGHT + GAP)))
            x += picture.width + GAP
    return whole


def main(folder: Path, model: str, out: Path) -> None:
    paths = [path for number in range(12) if (path := folder / f"{model}-outpaint-{number}.png").exists()]
    out.parent.mkdir(parents=True, exist_ok=True)
    made = sheet([marked(path) for path in paths])
    made.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(out, optimize=True)
    print(out, out.stat().st_size)


if __name__ == "__main__":
    given = [*sys.argv[1:], *("runs/seams", "flow", "docs/pictures/outpaint.png")[len(sys.argv) - 1 :]]
    main(Path(given[0]), given[1], Path(given[2]))
