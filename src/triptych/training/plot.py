"""The curves of a run: `log.jsonl` drawn to a picture, one panel per figure, against the pictures seen.

What is logged every few steps is drawn faintly, with its exponential average over it; what is measured with each sample
sheet is drawn as points. Needs matplotlib (the `train` extra), which is imported when a plot is drawn.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Curve = tuple[list[float], list[float]]
"""Pictures seen, and the figure's values there."""

NOT_DRAWN = {"time", "step", "samples", "samples_per_second", "gflops", "share_of_peak", "rate", "skipped"}
COLUMNS = 3


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a log in order. Steps that were taken again after a kill replace those of before it.

    A last line that was cut by the kill is left out; a log that is not there has no records.
    """
    if not path.exists():
        return []
    records: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if records and _taken_again(records, record):
            while records and records[-1]["step"] >= record["step"]:
                records.pop()
        records.append(record)
    return records


def _taken_again(records: Sequence[dict[str, Any]], new: dict[str, Any]) -> bool:
    """Whether the log went back: a step has one record of the loss and one of what was measured, never two alike."""
    if records[-1]["step"] > new["step"]:
        return True
    same = [old for old in records[-2:] if old["step"] == new["step"]]
    return any(("loss" in old) == ("loss" in new) for old in same)


def curves(records: Sequence[dict[str, Any]]) -> tuple[dict[str, Curve], dict[str, Curve]]:
    """What was logged while training (loss, its parts, gradient norm), and what was measured with the sheets."""
    training: dict[str, Curve] = {}
    measured: dict[str, Curve] = {}
    for record in records:
        target = training if "loss" in record else measured
        for name, value in record.items():
            if name not in NOT_DRAWN and isinstance(value, int | float) and math.isfinite(value):
                xs, ys = target.setdefault(name, ([], []))
                xs.append(record["samples"])
                ys.append(value)
    return training, measured


def smoothed(values: Sequence[float]) -> list[float]:
    """Exponential average over about a twentieth of the curve.

    It is corrected for its start as Adam's moments are (Kingma & Ba 2015, section 3).
    """
    smoothing = len(values) / (len(values) + 20)
    mean, out = 0.0, list[float]()
    for count, value in enumerate(values, 1):
        mean = smoothing * mean + (1 - smoothing) * value
        out.append(mean / (1 - smoothing**count))
    return out


def draw_log(log: Path, picture: Path, title: str) -> None:
    """Draw the log to `picture` (PNG). Does nothing for an empty log; ImportError without matplotlib."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import EngFormatter

    training, measured = curves(read_log(log))
    panels = [*((name, curve, False) for name, curve in training.items()),
              *((name, curve, True) for name, curve in measured.items())]  # fmt: skip
    if not panels:
        return
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 2.5 * rows + 0.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{title} against pictures seen", fontsize=11)
    for place, (name, (xs, ys), points) in enumerate(panels, 1):
        axes = figure.add_subplot(rows, COLUMNS, place)
        if points:
            axes.plot(xs, ys, "o-", color="tab:orange", markersize=3, linewidth=1)
        else:
            axes.plot(xs, ys, color="tab:blue", alpha=0.3, linewidth=1)
            axes.plot(xs, smoothed(ys), color="tab:blue", linewidth=1.5)
        if min(ys) > 0 and max(ys) > 10 * min(ys):
            axes.set_yscale("log")
        axes.set_title(f"{name}: {ys[-1]:.4g}", fontsize=9)
        axes.set_xlim(left=0)
        axes.xaxis.set_major_formatter(EngFormatter())
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    temporary = picture.with_suffix(".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(picture)
