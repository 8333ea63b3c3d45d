"""`triptych bench route`: how often the router is right on labelled prompts."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from triptych.cli.pages import Page, table

PAGE = Page("docs/adviser.md", "route")
HALVES = {"held out": "route_held_out.tsv", "development": "route_development.tsv"}


def route(
    cases: Annotated[Path, typer.Option(help="Folder of the labelled prompts.")] = Path("tests/advice"),
    mistakes: Annotated[bool, typer.Option("--mistakes", help="List the mistakes on the development half.")] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the router: the job, the model among made-up cards, and among the real ones with every key and with
    none.
    """
    from triptych.advice.jobs import recognise
    from triptych.advice.measure_route import read_route_cases, route_score
    from triptych.cli.output import show, show_json
    from triptych.cli.route import candidates

    if write:
        PAGE.check()
    real = candidates()
    everything = [replace(one, ready=True) for one in real]
    keyless = [replace(one, ready=one.local) for one in real]
    halves = {name: read_route_cases(cases / file) for name, file in HALVES.items()}
    report = {name: asdict(route_score(found, everything, keyless)) for name, found in halves.items()}
    lines = table(
        [
            "prompts",
            "job recognised",
            "model right, made-up cards",
            "model right, real cards",
            "says that none is good",
        ],
        [
            [
                f"{name}, {one['cases']}",
                *(f"{100 * one[key] / one['cases']:.1f} %" for key in ("jobs", "made_up", "real")),
                f"{one['honest']} of {one['beyond']}",
            ]
            for name, one in report.items()
        ],
    )
    if write:
        PAGE.write(lines)
    if as_json:
        show_json(report)
        return
    for line in lines:
        show(line)
    for case in halves["development"] if mistakes else ():
        found = recognise(case.prompt)
        if found.job != case.job:
            show(f"{case.prompt!r}: {found.job}, not {case.job}")
