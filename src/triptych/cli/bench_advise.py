"""`triptych bench advise`: precision and recall of the adviser on labelled prompts, and what its rewrites keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.pages import Page, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triptych.advice.measure import Case

PAGE = Page("docs/adviser.md", "advise")
HALVES = {"held out": "held_out.tsv", "development": "development.tsv"}
OTHERS = "others_labels.tsv"


def advise(
    cases: Annotated[Path, typer.Option(help="Folder of the labelled prompts.")] = Path("tests/advice"),
    others: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file of prompts of other people that are labelled too (tests/advice/README.md), repeated."
        ),
    ] = None,
    mistakes: Annotated[bool, typer.Option("--mistakes", help="List the mistakes, but for the held-out half.")] = False,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the adviser: what it finds on labelled prompts, and whether its rewrites keep all other facts.

    Mistakes on the held-out half are never listed: rules are written without them.
    """
    from triptych.advice.measure import read_cases, read_others, rewrites, scores
    from triptych.cli.output import show, show_json

    if write:
        PAGE.check()
    groups = {name: read_cases(cases / file) for name, file in HALVES.items()}
    if others:
        groups |= read_others(others, cases / OTHERS)
    report = {name: _figures(found) for name, found in groups.items()}
    if write:
        PAGE.write(_page(report))
    if as_json:
        show_json(report)
    else:
        for line in _page(report):
            show(line)
    for name, group in groups.items() if mistakes and not as_json else ():
        if name == "held out":
            continue
        for one in scores(group)[1]:
            show(f"{one.prompt!r}: missed {', '.join(one.missed) or 'none'}; extra {', '.join(one.extra) or 'none'}")
        for line in rewrites(group)[1]:
            show(line)


def _figures(cases: Sequence[Case]) -> dict[str, Any]:
    from triptych.advice.measure import clean_share, rewrites, scores

    found, mistakes = scores(cases)
    made, _ = rewrites(cases)
    quiet, clean = clean_share(cases)
    return {
        "prompts": len(cases),
        "all_labels_right": len(cases) - len(mistakes),
        "clean": clean,
        "clean_right": quiet,
        "challenges": {
            name: {
                "cases": score.right + score.missed,
                "precision": round(score.precision, 4),
                "recall": round(score.recall, 4),
                "rewrites": made[name].made,
                "losing": made[name].losing,
                "still_found": made[name].unmended,
            }
            for name, score in found.items()
        },
    }


def _page(report: dict[str, Any]) -> list[str]:
    """The report as tables, one for each group of prompts."""
    lines: list[str] = []
    for name, group in report.items():
        rows = [
            [
                f"`{challenge}`",
                str(one["cases"]),
                *(f"{one[share]:.3f}" if one["cases"] else "-" for share in ("precision", "recall")),
                *(str(one[count]) for count in ("rewrites", "losing", "still_found")),
            ]
            for challenge, one in group["challenges"].items()
        ]
        head = ["challenge", "cases", "precision", "recall", "rewrites", "lose another fact", "still found after"]
        told = (
            f"{name[:1].upper()}{name[1:]}: {group['prompts']} prompts, "
            f"{group['all_labels_right']} with exactly their labels; "
            f"of {group['clean']} clean ones {group['clean_right']} are told to be clean."
        )
        lines += [told, "", *table(head, rows), ""]
    return lines[:-1]
