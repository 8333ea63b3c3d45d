"""`triptych bench advise`: precision and recall of the adviser on labelled prompts, and what its rewrites keep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.advice.measure import Case

HALVES = {"held out": "held_out.tsv", "development": "development.tsv"}
BEGIN, END = "<!-- written by triptych bench advise --write -->", "<!-- end of the figures -->"


def advise(
    cases: Annotated[Path, typer.Option(help="Folder of the labelled prompts.")] = Path("tests/advice"),
    mistakes: Annotated[bool, typer.Option("--mistakes", help="List the mistakes on the development half.")] = False,
    write: Annotated[Path | None, typer.Option(help="Write the figures into this page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the adviser: what it finds on labelled prompts, and whether its rewrites keep all other facts.

    Mistakes on the held-out half are never listed: rules are written without them.
    """
    from triptych.advice.measure import read_cases, rewrites, scores
    from triptych.cli.output import show, show_json

    halves = {name: read_cases(cases / file) for name, file in HALVES.items()}
    report = {name: _figures(found) for name, found in halves.items()}
    if write is not None:
        from triptych.cli.pages import write_between

        write_between(write, BEGIN, END, _markdown(report))
    if as_json:
        show_json(report)
        return
    for line in _markdown(report).splitlines():
        show(line)
    if mistakes:
        for one in scores(halves["development"])[1]:
            show(f"{one.prompt!r}: missed {', '.join(one.missed) or 'none'}; extra {', '.join(one.extra) or 'none'}")
        for line in rewrites(halves["development"])[1]:
            show(line)


def _figures(cases: list[Case]) -> dict[str, Any]:
    from triptych.advice.measure import clean_share, rewrites, scores

    found, _ = scores(cases)
    made, _ = rewrites(cases)
    kept, clean = clean_share(cases)
    return {
        "prompts": len(cases),
        "clean": clean,
        "clean_right": kept,
        "challenges": {
            name: {
                "cases": score.right + score.missed,
                "precision": round(score.precision, 4),
                "recall": round(score.recall, 4),
                "rewrites": made[name].made,
                "rewrites_losing_a_fact": made[name].losing,
                "rewrites_still_found": made[name].unmended,
            }
            for name, score in found.items()
        },
    }


def _markdown(report: dict[str, Any]) -> str:
    names = list(report)
    head = "| challenge | " + " | ".join(
        f"{name}: cases | precision | recall | rewrites, losing, unmended" for name in names
    )
    lines = [head + " |", "|---" * (1 + 4 * len(names)) + "|"]
    for challenge in report[names[0]]["challenges"]:
        cells = []
        for name in names:
            one = report[name]["challenges"][challenge]
            lost = f"{one['rewrites']}, {one['rewrites_losing_a_fact']}, {one['rewrites_still_found']}"
            cells.append(f"{one['cases']} | {one['precision']:.3f} | {one['recall']:.3f} | {lost}")
        lines.append(f"| `{challenge}` | " + " | ".join(cells) + " |")
    lines.append("")
    for name in names:
        one = report[name]
        lines.append(
            f"{name.capitalize()}: {one['prompts']} prompts; of {one['clean']} clean ones {one['clean_right']} are told to be clean."
        )
    return "\n".join(lines)
