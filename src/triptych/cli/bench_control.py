"""`triptych bench control`: whether pictures follow the maps that are given, and what decides where plans differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.pages import Page, row

if TYPE_CHECKING:
    from triptych.evals.statistics import Interval

    Figures = Mapping[str, Mapping[str, Mapping[str, Interval]]]
    """Model, kind, condition."""

PAGE = Page("docs/control.md", "control")


def control(
    models: Annotated[str, typer.Option(help="Names, with commas.")] = "flow,diffusion",
    kinds: Annotated[str | None, typer.Option(help="Kinds of maps, with commas. Default: all.")] = None,
    scenes: Annotated[int, typer.Option(min=2, max=1000, help="So many fresh scenes, each painted 14 times.")] = 48,
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    sheet: Annotated[Path | None, typer.Option(help="Draw a sheet of the first scenes here (PNG).")] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure how well pictures follow control maps: with and without them, with a plan and without one."""
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.core.inputs import CONTROL_KINDS

    names = [name.strip() for name in models.split(",")]
    chosen = [one_of("kinds", kind.strip(), CONTROL_KINDS) for kind in kinds.split(",")] if kinds else CONTROL_KINDS
    level: Any = one_of("quality", quality, ("low", "medium", "high"))
    for name in names:
        check_model(name)
        takes = registry().capabilities(name).controls
        if missing := [kind for kind in chosen if kind not in takes]:
            raise InvalidRequest("models", f"{name} takes no maps of {', '.join(missing)}")
    if write:
        PAGE.check()

    from triptych.api import library
    from triptych.evals.control import Bench, gains, intervals
    from triptych.evals.control_holes import hole_figures
    from triptych.evals.control_sheet import draw_sheet
    from triptych.evals.readers.load import Readers
    from triptych.evals.table.painters import round_trip
    from triptych.scenes import LEVELS, Sprites

    models_ = library()
    side = min(models_.registry.capabilities(names[0]).native_size)
    trip = round_trip(models_.parts.autoencoder())
    bench = Bench(
        models_, Readers.load(), LEVELS["small"], Sprites.load(), trip, scenes, side, level, chosen,
        lambda line: tell(line, quiet=quiet),
    )  # fmt: skip
    if sheet is not None:
        tell(f"sheet: {draw_sheet(bench, names, sheet)}", quiet=quiet)
    scores = {name: bench.run(name) for name in names}
    figures = {name: intervals(each) for name, each in scores.items()}
    more = {name: gains(each) for name, each in scores.items()}
    holes = {
        f"{name}, {words}": hole_figures(bench, name, planned=planned)
        for name in names
        for words, planned in (("with the plan", True), ("no plan", False))
    }
    conditions = {"scenes": scenes, "side": side, "quality": quality}
    told = f"{scenes} scenes of {side} px, quality {quality}; in brackets 95 % intervals over scenes."
    lines = [*_lines(figures, more), "", *_hole_lines(holes), "", told]
    if write:
        PAGE.write(lines)
    if as_json:
        show_json({**conditions, "agreement": _json(figures), "gain": _json(more), "holes": _json(holes)})
        return
    for line in lines:
        show(line)


def _lines(figures: Figures, more: Figures) -> list[str]:
    """Markdown: a table of agreements for each model, and one of what the maps bring."""
    from triptych.evals.control import CONDITIONS, MEASURES

    lines: list[str] = []
    for name, kinds in figures.items():
        lines += [f"### {name}", "", *_head(["agreement", *(f"{kind}: {MEASURES[kind]}" for kind in kinds)])]
        for condition, words in CONDITIONS.items():
            lines.append(row([f"**{condition}**: {words}", *(_told(kinds[kind][condition]) for kind in kinds)]))
        lines += ["", *_head(["what the map brings", *kinds])]
        for gain in next(iter(more[name].values())):
            lines.append(row([gain, *(_told(more[name][kind][gain], sign=True) for kind in kinds)]))
        lines.append("")
    return lines[:-1]


def _hole_lines(holes: Figures) -> list[str]:
    """Markdown: what the adapter is worth where a part of a picture is painted anew."""
    from triptych.evals.control_holes import HOLES

    lines = ["### Holes filled again", "", *_head(["", "shown the rest", "not shown", "what that brings"])]
    for name, told in holes.items():
        for figure, words in HOLES.items():
            cells = (_told(told[figure][column], sign=column == "gain") for column in ("seeing", "not seeing", "gain"))
            lines.append(row([f"{name}: {words}", *cells]))
    return lines


def _head(cells: Sequence[str]) -> list[str]:
    return [row(cells), row(["---"] * len(cells))]


def _told(interval: Interval, *, sign: bool = False) -> str:
    form = "+.2f" if sign else ".2f"
    return f"{interval.value:{form}} ({interval.low:{form}} to {interval.high:{form}})"


def _json(figures: Figures) -> dict[str, Any]:
    def plain(interval: Interval) -> dict[str, float]:
        return {"value": interval.value, "low": interval.low, "high": interval.high}

    return {
        model: {kind: {name: plain(each) for name, each in told.items()} for kind, told in kinds.items()}
        for model, kinds in figures.items()
    }
