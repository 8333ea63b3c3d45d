"""A sheet that shows what references do: for each kind the reference, the pictures that models make beside it, the true
one, and one result in the fifth round of being its own reference. The series are the bench's first ones, none chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from triptych.core.events import Pixels
from triptych.evals import labelled
from triptych.evals.references import LOOKED, Bench
from triptych.scenes.series import Kind

COLOURS = 128
EACH = 2
"""Series of each kind."""


def draw_sheet(bench: Bench, models: Sequence[str], rounds: int, path: Path) -> Path:
    """Two rows per kind."""
    columns = ["reference", "true picture"]
    for model in models:
        columns += [f"{model}, none", f"{model}, with it", f"{model}, round {rounds}"]
    rows: list[tuple[str, list[Pixels]]] = []
    for kind in LOOKED:
        rows += _rows(bench, kind, models, rounds)
    return labelled.draw_sheet(columns, rows, bench.side, path, colours=COLOURS)


def _rows(bench: Bench, kind: Kind, models: Sequence[str], rounds: int) -> list[tuple[str, list[Pixels]]]:
    series = bench.series(kind)[:EACH]
    shown = [one.shots[1].picture(bench.side, bench.sprites) for one in series]
    columns = [shown, [one.shots[0].picture(bench.side, bench.sprites) for one in series]]
    for model in models:
        columns.append(bench.painted([bench.request(model, one, 0, None) for one in series]))
        made = shown
        for number in range(rounds):
            place = 2 * (number % 2)
            made = bench.painted(
                [bench.request(model, one, place, each, number) for one, each in zip(series, made, strict=True)]
            )
            if number == 0:
                columns.append(made)
        columns.append(made)
    return [
        (f"{kind}: {one.shots[0].text}", [np.asarray(column[number]) for column in columns])
        for number, one in enumerate(series)
    ]
