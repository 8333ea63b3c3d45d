"""A sheet that shows what control maps do: for each kind one scene, painted without its map and with it.

Scenes are the bench's first ones, none chosen. Knows no file but the one it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from triptych.core.events import Pixels
from triptych.engine import Engine
from triptych.evals.control import Bench
from triptych.evals.scene_maps import of_scene

LABEL = 14
COLOURS = 200


def draw_sheet(bench: Bench, models: Sequence[str], path: Path) -> Path:
    """A row per kind: the map; then per model the picture without it, with it, and with it but no plan."""
    columns = ["map", *(f"{model}, {what}" for model in models for what in ("no map", "map", "map, no plan"))]
    rows = [_row(bench, kind, number, models) for number, kind in enumerate(bench.kinds)]
    side = bench.side
    canvas = Image.new("RGB", (side * len(columns), (side + LABEL) * len(rows) + LABEL), "white")
    pen = ImageDraw.Draw(canvas)
    for x, name in enumerate(columns):
        pen.text((x * side + 2, 1), name, fill="black")
    for y, (text, pictures) in enumerate(rows):
        top = LABEL + y * (side + LABEL)
        pen.text((2, top + 1), text, fill="black")
        for x, picture in enumerate(pictures):
            canvas.paste(Image.fromarray(picture), (x * side, top + LABEL))
    canvas.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _row(bench: Bench, kind: str, number: int, models: Sequence[str]) -> tuple[str, list[Pixels]]:
    case = bench.cases[number % len(bench.cases)]
    requests = [
        bench.request(model, case, given, use_plan=plan)
        for model in models
        for given, plan in ((None, True), (kind, True), (kind, False))
    ]
    made = [pictures[0].pixels for pictures in Engine(bench.models).generate_many(requests)]
    return f"{kind}: {case.text}", [np.asarray(of_scene(kind, case.scene, bench.size, bench.sprites)), *made]
