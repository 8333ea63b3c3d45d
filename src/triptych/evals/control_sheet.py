"""A sheet that shows what control maps do: for each kind one scene, painted without its map and with it.

Scenes are the bench's first ones, none chosen. Knows no file but the one it writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from triptych.core.events import Pixels
from triptych.engine import Engine
from triptych.evals import labelled
from triptych.evals.control import Bench
from triptych.evals.scene_maps import of_scene

COLOURS = 200


def draw_sheet(bench: Bench, models: Sequence[str], path: Path) -> Path:
    """A row per kind: the map; then per model the picture without it, with it, and with it but no plan."""
    columns = ["map", *(f"{model}, {what}" for model in models for what in ("no map", "map", "map, no plan"))]
    rows = [_row(bench, kind, number, models) for number, kind in enumerate(bench.kinds)]
    return labelled.draw_sheet(columns, rows, bench.side, path, colours=COLOURS)


def _row(bench: Bench, kind: str, number: int, models: Sequence[str]) -> tuple[str, list[Pixels]]:
    case = bench.cases[number % len(bench.cases)]
    requests = [
        bench.request(model, case, given, use_plan=plan)
        for model in models
        for given, plan in ((None, True), (kind, True), (kind, False))
    ]
    made = [pictures[0].pixels for pictures in Engine(bench.models).generate_many(requests)]
    return f"{kind}: {case.text}", [np.asarray(of_scene(kind, case.scene, bench.size, bench.sprites)), *made]
