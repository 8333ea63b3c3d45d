"""`triptych bench references`: what each role takes over, against no reference and the ceiling, and what drifts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.pages import Page, row

if TYPE_CHECKING:
    from triptych.evals.references import Bench, Told
    from triptych.evals.statistics import Interval

PAGE = Page("docs/references.md", "references")


def references(
    models: Annotated[str, typer.Option(help="Names, with commas.")] = "flow,tokens",
    cases: Annotated[int, typer.Option(min=2, max=1000, help="So many series of each kind.")] = 64,
    drifting: Annotated[int, typer.Option(min=2, max=1000, help="So many series for the drift.")] = 24,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Rounds in which each result is the next reference.")] = 5,
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    guidance: Annotated[float | None, typer.Option(help="Instead of the model's own beside references.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Draw a sheet of the first series here (PNG).")] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure references: identity of faces and things, style, pose, scale and layout, and drift per role."""
    from triptych.cli.catalogue import check_model
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import InvalidRequest, one_of

    names = [name.strip() for name in models.split(",")]
    level: Any = one_of("quality", quality, ("low", "medium", "high"))
    for name in names:
        check_model(name)
    if write:
        PAGE.check()

    from triptych.api import library
    from triptych.evals.readers.load import Readers
    from triptych.evals.reference_sheet import draw_sheet
    from triptych.evals.references import Bench
    from triptych.evals.table.painters import round_trip
    from triptych.scenes import LEVELS, Sprites

    models_ = library()
    side = min(models_.registry.capabilities(names[0]).native_size)
    for name in names:
        if not models_.registry.capabilities(name).max_references:
            raise InvalidRequest("models", f"{name} takes no reference pictures")
    parts = {name: "tokenizer" if models_.registry.capabilities(name).token_sampling else "autoencoder"
             for name in names}  # fmt: skip
    trips = {name: round_trip(getattr(models_.parts, part)()) for name, part in parts.items()}
    fields = {} if guidance is None else {"guidance": guidance}
    bench = Bench(
        models_, Readers.load(), LEVELS["small"], Sprites.load(), trips, cases, side, level, fields,
        lambda line: tell(line, quiet=quiet),
    )  # fmt: skip
    figures = {name: _measured(bench, name) for name in names}
    bench.cases = drifting
    drifts = {name: _drifted(bench, name, rounds) for name in names}
    if sheet is not None:
        tell(f"sheet: {draw_sheet(bench, names, rounds, sheet)}", quiet=quiet)
    told = (
        f"{cases} series of {side} px a kind, {drifting} for the drift, quality {quality}; 95 % intervals over series."
    )
    lines = [*_lines(figures), *_drift_lines(drifts), told]
    if write:
        PAGE.write(lines)
    if as_json:
        show_json({"cases": cases, "side": side, "quality": quality, "figures": figures, "drift": drifts})
        return
    for line in lines:
        show(line)


def _measured(bench: Bench, model: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind or role -> measure -> condition -> interval; the gain beside them where a reference was looked at."""
    from triptych.adapters.reference import ROLES as EYES
    from triptych.evals.references import LOOKED, PLACED

    takes = bench.models.family(model).capabilities.reference_roles
    told: dict[str, Told] = {}
    if set(EYES) <= set(takes):
        told |= {kind: bench.run(model, kind) for kind in LOOKED}
    told |= {role: bench.placed(model, role) for role in PLACED if role in takes}
    return {kind: _intervals(kind, each) for kind, each in told.items()}


def _intervals(kind: str, told: Told) -> dict[str, dict[str, Any]]:
    from triptych.evals.references import difference, interval, measures_of

    return {
        name: {
            **{condition: _plain(interval(scores, name)) for condition, scores in told.items()},
            "gain": _plain(difference(told["with"], told["none"], name)),
        }
        for name in measures_of(kind)
    }


def _drifted(bench: Bench, model: str, rounds: int) -> dict[str, dict[str, list[dict[str, float]]]]:
    """Kind -> measure -> interval of each round."""
    from triptych.adapters.reference import ROLES as EYES
    from triptych.evals.references import LOOKED, interval, measures_of

    if not set(EYES) <= set(bench.models.family(model).capabilities.reference_roles):
        return {}
    found = {kind: bench.drift(model, kind, rounds) for kind in LOOKED}
    return {
        kind: {name: [_plain(interval(scores, name)) for scores in told] for name in measures_of(kind)}
        for kind, told in found.items()
    }


def _lines(figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """A table for each model."""
    from triptych.evals.references import CONDITIONS, measures_of

    lines: list[str] = []
    for model, kinds in figures.items():
        head = ["role, shown by", "measure", *CONDITIONS.values(), "what the reference brings"]
        lines += [f"### {model}", "", row(head), row(["---"] * len(head))]
        for kind, measures in kinds.items():
            for name, told in measures.items():
                cells = [_told(told.get(condition)) for condition in CONDITIONS]
                lines.append(row([_kind(kind), measures_of(kind)[name], *cells, _told(told["gain"], sign=True)]))
        lines.append("")
    return lines


def _drift_lines(drifts: Mapping[str, Mapping[str, Mapping[str, Sequence[Any]]]]) -> list[str]:
    from triptych.evals.references import measures_of

    rounds = max(
        (len(each) for kinds in drifts.values() for told in kinds.values() for each in told.values()), default=0
    )
    if not rounds:
        return []
    head = ["drift", "measure", *(f"round {number}" for number in range(1, rounds + 1))]
    lines = ["### Each result as the next reference", "", row(head), row(["---"] * len(head))]
    for model, kinds in drifts.items():
        for kind, measures in kinds.items():
            for name, told in measures.items():
                lines.append(row([f"{model}, {_kind(kind)}", measures_of(kind)[name], *map(_told, told)]))
    return [*lines, ""]


def _kind(kind: str) -> str:
    shown = {"face": "identity, faces", "tint": "identity, recoloured things"}
    return shown.get(kind, kind)


def _told(told: Mapping[str, float] | None, *, sign: bool = False) -> str:
    if told is None:
        return ""
    form = "+.2f" if sign else ".2f"
    return f"{told['value']:{form}} ({told['low']:{form}} to {told['high']:{form}})"


def _plain(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}
