"""Quality against time: the measured points of `evals.tuning` as one picture, a panel per model.

Needs matplotlib (the `train` extra), which is imported when a plot is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from triptych.evals.tuning import Point, front


def draw(points: Mapping[str, Sequence[Point]], picture: Path) -> None:
    """Score with its interval against network evaluations a picture; the line joins what nothing cheaper reaches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.2 * len(points), 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    for place, (model, measured) in enumerate(points.items(), 1):
        axes = figure.add_subplot(1, len(points), place)
        for name in dict.fromkeys(point.sweep for point in measured):
            here = [point for point in measured if point.sweep == name]
            low = [point.score - point.low for point in here]
            high = [point.high - point.score for point in here]
            xs, ys = [point.forwards for point in here], [point.score for point in here]
            axes.errorbar(xs, ys, yerr=[low, high], fmt="o", markersize=4, linewidth=0.7, alpha=0.7, label=name)
        best = front(measured)
        axes.plot([point.forwards for point in best], [point.score for point in best], "k-", linewidth=1.2)
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_ylim(0, 1.02)
        axes.set_title(model, fontsize=11)
        axes.set_xlabel("network evaluations a picture", fontsize=9)
        axes.set_ylabel("share right, development prompts", fontsize=9)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    temporary = picture.with_suffix(".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(picture)
