"""`triptych replay`: make a picture again from the recipe inside it, and say whether it is the same one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def replay(
    file: Annotated[Path, typer.Argument(help="A picture made by Triptych, or its recipe (JSON).")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No hints.")] = False,
) -> None:
    """Make a picture again and compare: exact, within tolerance, or different (exit code 1)."""
    from triptych.cli.catalogue import check_model
    from triptych.cli.output import show, show_json, tell
    from triptych.cli.settings import data_folder
    from triptych.core.errors import InvalidRequest
    from triptych.core.readers import read_recipe

    # Read here first: a file that is no picture of ours is refused before torch is imported.
    recipe = read_recipe(file)
    if recipe.family == "hosted":
        made = f"was made by the hosted model {recipe.model}"
        raise InvalidRequest("file", f"{file} {made}, which promises no two equal pictures; generate it anew instead")
    if recipe.request is not None:
        check_model(recipe.model)

    from triptych import api

    report = api.replay(file, home=data_folder())
    same_weights = report.image.recipe.weights_sha256 == recipe.weights_sha256
    if as_json:
        show_json(
            {
                "file": str(file),
                "verdict": report.verdict,
                "max_difference": report.max_difference,
                "same_weights": same_weights,
                "grade": recipe.grade,
                "model": recipe.model,
                "seed": recipe.request.seed if recipe.request else None,
                "made_by": recipe.triptych,
                "pixels_sha256": recipe.pixels_sha256,
            }
        )
    else:
        show(report.verdict)
    if report.verdict != "exact":
        levels = f"largest difference {report.max_difference} of 255" if report.max_difference is not None else ""
        promise = f"made by version {recipe.triptych} with the grade {recipe.grade!r}"
        changed = "" if same_weights else "the weights of the model have changed since"
        tell("; ".join(filter(None, (levels, promise, changed))), quiet=quiet)
    if report.verdict == "different":
        raise typer.Exit(1)
