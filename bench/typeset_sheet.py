"""The picture of docs/guide/words.md: what `typeset` can do, on scenes that the world draws itself.

    python bench/typeset_sheet.py [OUT]        (docs/pictures/typeset.png; needs the emoji font)

Every panel is one call, as its caption says; the last one is painted by the flow model around its letters.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from triptych.api.typeset import typeset
from triptych.core.events import Pixels
from triptych.scenes.render import render
from triptych.scenes.sample import sample_scene
from triptych.training.sheet import contact_sheet

SIDE = 240
COLOURS = 256
"""Of the file: tracked files are few and small."""
BOARD = ((34.0, 40.0), (208.0, 72.0), (206.0, 150.0), (30.0, 178.0))
WIDE = (0.05, 0.62, 0.9, 0.34)
LONG = (
    "A long text is broken into lines that are as even as its words allow, and set as large as the box has room for: "
    "every letter stands where the font says, and not where a painter guesses."
)
PANELS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("four corners on a board", "board", "FRESH\nBREAD", {"corners": BOARD, "colour": "#fff3d0", "shadow": "soft"}),
    ("Arabic, with an outline", "desert", "مرحبا بكم في الصحراء",
     {"box": WIDE, "colour": "#7a1f00", "outline": {"width": 2.5, "colour": "#ffe9b8"}}),
    ("Hebrew with Latin and digits", "beach", "שלום לכולם!\n24 hours",
     {"box": WIDE, "colour": "white", "outline": {"width": 3, "colour": "#123a66"}}),
    ("justified, the largest size that fits", "paper", LONG,
     {"box": (0.06, 0.06, 0.88, 0.88), "colour": "#222222", "font": "DejaVu Serif", "align": "justify"}),
    ("turned by -14 degrees, soft shadow", "room", "Sale\n-50 %",
     {"box": (0.15, 0.3, 0.7, 0.45), "rotate": -14, "colour": "#ffe600", "shadow": "soft"}),
    ("letters as they are", "night", "GOOD NIGHT", {"box": WIDE}),
    ("lit as the scene is: harmonise 0.8", "night", "GOOD NIGHT", {"box": WIDE, "harmonise": 0.8}),
    ("painted around by flow: harmonise 0.5", "snow", "Ski school",
     {"box": WIDE, "colour": "#1d3f8f", "harmonise": 0.5, "model": "flow", "prompt": "snow", "painter": {"seed": 3}}),
]  # fmt: skip


def main(out: Path) -> None:
    pictures: list[Pixels] = []
    for _, place, text, fields in PANELS:
        done = typeset(scene(place), text, **fields)
        pictures.append(done.image.pixels)
        words = done.report["words"]
        print(f"{text[:24]!r}: {'confirmed' if words['confirmed'] else 'not confirmed'}, {words['score']:.2f}")
    sheet = contact_sheet(pictures, [panel[0] for panel in PANELS], columns=4, cell=SIDE)
    out.parent.mkdir(parents=True, exist_ok=True)
    sheet.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size // 1024} KiB")


def scene(place: str) -> Pixels:
    """A scene with that background; a sheet of paper, or a board that leans away, where it is no place."""
    if place == "paper":
        return np.full((SIDE, SIDE, 3), (246, 240, 226), np.uint8)
    wanted = "meadow" if place == "board" else place
    found = next(each for each in (sample_scene("small", 3, index) for index in range(2000)) if fits(each, wanted))
    if place != "board":
        return render(found, SIDE)
    image = Image.fromarray(render(found.without_objects(), SIDE))
    pen = ImageDraw.Draw(image)
    pen.rectangle((112, 120, 124, 236), fill="#6b4526")
    pen.polygon([(x + dx, y + dy) for (x, y), (dx, dy) in zip(BOARD, RIM, strict=True)], fill="#5a3a20")
    pen.polygon(BOARD, fill="#8a5a33")
    return np.asarray(image)


RIM = ((-6, -7), (6, -5), (6, 5), (-6, 7))


def fits(found: Any, place: str) -> bool:
    return found.background == place and bool(found.objects) and max(thing.box[3] for thing in found.objects) < 0.75


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "docs" / "pictures" / "typeset.png")
