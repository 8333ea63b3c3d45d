"""`triptych compare`: one prompt over models, settings or words, as a labelled grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.cli.axes import Point
    from triptych.cli.grid import Cell

MAX_DRAWN_SEED = 2**31


def compare(
    prompt: Annotated[str, typer.Argument(help="What to paint; - reads it from stdin.")],
    axis: Annotated[
        list[str],
        typer.Option(
            help="name=a,b,c: model, seed, steps, sampler, guidance, ..., or words of the prompt. Repeatable."
        ),
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="The model, where it is no axis.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="The seed of all cells. Default: one new one.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps, where they are no axis.")] = None,
    sampler: Annotated[str | None, typer.Option(help="Sampler, where it is no axis.")] = None,
    guidance: Annotated[float | None, typer.Option(help="Guidance, where it is no axis.")] = None,
    negative: Annotated[str, typer.Option(help="What to keep away from.")] = "",
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    size: Annotated[str | None, typer.Option(help="Size in pixels: WIDTHxHEIGHT.")] = None,
    no_plan: Annotated[bool, typer.Option("--no-plan", help="Paint from the words alone.")] = False,
    out: Annotated[str | None, typer.Option("--out", "-o", help="File or folder for the grid.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Draw a labelled grid: the first axis goes across, the others go down."""
    import secrets

    from triptych.cli.axes import lay_out, parse_axis
    from triptych.cli.catalogue import check_model
    from triptych.cli.fields import size_fields
    from triptych.cli.grid import draw_grid
    from triptych.cli.output import read_prompt, show, show_json, tell
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest
    from triptych.core.metadata import save_picture
    from triptych.core.request import Request

    prompt = read_prompt(prompt)
    # One seed for the whole grid, so that only the axes make a difference.
    seed = secrets.randbelow(MAX_DRAWN_SEED) if seed is None else seed
    fields: dict[str, Any] = {
        "model": model,
        "seed": seed,
        "steps": steps,
        "sampler": sampler,
        "guidance": guidance,
        "negative": negative,
        "quality": quality,
        "use_plan": not no_plan,
        **size_fields(size, None, model),
    }
    columns, rows, points = lay_out(prompt, fields, [parse_axis(text, prompt) for text in axis])
    requests = [Request.make(prompt=point.prompt, **point.fields) for row in points for point in row]
    for name in {request.model for request in requests}:
        check_model(name)
    where = target(out, 1, default="compare-{prompt}-seed{seed}.png")
    if where is None:
        raise InvalidRequest("out", "- (stdout) is not allowed for a grid; give a file")

    cells, described = _paint(points, quiet)
    path = where.path(prompt=prompt, seed=seed, index=0, model=model)
    save_picture(path, draw_grid(prompt, columns, rows, cells))
    if as_json:
        show_json({"path": str(path), "prompt": prompt, "columns": columns, "rows": rows, "cells": described})
    else:
        show(path)
        tell(f"{len(columns)} x {len(rows)} pictures, seed {seed} where it is no axis", quiet=quiet)


def _paint(points: list[list[Point]], quiet: bool) -> tuple[list[list[Cell]], list[list[dict[str, Any]]]]:
    """The cells and what --json tells of them. What a model refuses becomes a cell that says so."""
    from triptych import api
    from triptych.cli.grid import Cell
    from triptych.cli.output import tell, tell_notes
    from triptych.core.errors import InvalidRequest

    cells: list[list[Cell]] = []
    described: list[list[dict[str, Any]]] = []
    refusal: InvalidRequest | None = None
    total = sum(map(len, points))
    for row in points:
        cells.append([])
        described.append([])
        for point in row:
            try:
                result = api.generate(point.prompt, **point.fields)
            except InvalidRequest as error:
                refusal = error
                tell(f"refused  {error}", quiet=quiet)
                cells[-1].append(Cell(None, str(error)))
                described[-1].append({"refused": str(error)})
                continue
            image = result.images[0]
            cells[-1].append(Cell(image.pixels))
            described[-1].append({"seconds": result.seconds, "recipe": image.recipe.as_json()})
            tell_notes(result.notes, quiet=quiet)
            tell(f"{sum(map(len, cells))}/{total} pictures", quiet=quiet)
    if refusal and all(cell.pixels is None for row in cells for cell in row):
        raise refusal
    return cells, described
