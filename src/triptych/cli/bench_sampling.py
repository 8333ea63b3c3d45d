"""`triptych bench sampling`: what guidance, steps, sampler and schedule do to quality and time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from triptych.core.events import Pixels
    from triptych.evals.rows import Prompt

ROWS = ("single", "two_objects", "counting", "colours", "binding")
"""Rows that depend on the painter; where things stand is the plan's business, which these settings do not touch."""


def sampling(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion,tokens",
    prompts: Annotated[int, typer.Option(min=5, help="Development prompts, spread evenly over the rows.")] = 60,
    out: Annotated[Path, typer.Option(help="Folder for points and plot; goes on where it stopped.")] = Path(
        "runs/sampling"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Try settings one knob at a time on development prompts, and say which is best and which is cheapest.

    Writes OUT/MODEL.jsonl (a line per setting) and OUT/curves.png (needs the `train` extra). The reported prompts of
    the table are never used. It can be killed, and goes on where it stopped.
    """
    from triptych.cli.catalogue import registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    catalogue = registry()
    takes = {name: catalogue.capabilities(name) for name in names}
    check_folder(out)
    out.mkdir(parents=True, exist_ok=True)

    from triptych.core.request import Request
    from triptych.engine import Engine
    from triptych.evals import tuning
    from triptych.evals.judge import judge
    from triptych.evals.readers.load import Readers
    from triptych.evals.rows import level_of_models
    from triptych.evals.rows import prompts as prompts_of
    from triptych.library import Library

    level = level_of_models(takes.values())
    each = -(-prompts // len(ROWS))
    asked = [prompt for row in ROWS for prompt in prompts_of(row, level, "development")[:each]]
    library, readers = Library(catalogue), Readers.load()

    def paint(requests: Sequence[Request]) -> list[Pixels]:
        return [made[0].pixels for made in Engine(library).generate_many(requests)]

    def right(those: Sequence[Prompt], pictures: Sequence[Pixels]) -> list[bool]:
        readings = readers.read(list(pictures))
        return [judge(prompt, reading).correct for prompt, reading in zip(those, readings, strict=True)]

    def report(line: str) -> None:
        tell(line, quiet=quiet)

    points = {
        name: tuning.tune(name, takes[name], asked, paint, right, out / f"{name}.jsonl", report) for name in names
    }
    try:
        from triptych.evals import curves

        curves.draw(points, out / "curves.png")
    except ImportError:
        tell("no plot: it needs pip install 'triptych[train]'", quiet=quiet)
    if as_json:
        show_json({name: [point.as_json() for point in found] for name, found in points.items()})
        return
    for name, found in points.items():
        for word, point in (("best", max(found, key=lambda point: point.score)), ("cheapest", tuning.chosen(found))):
            show(
                f"{name:<12}{word:<10}{point.score:.3f} [{point.low:.3f}, {point.high:.3f}]  "
                f"{point.forwards:.0f} forwards, {point.seconds:.2f} s  {point.setting}"
            )
