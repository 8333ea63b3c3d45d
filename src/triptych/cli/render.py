"""`triptych render`: a draft's picture at full quality and size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def render(
    file: Annotated[Path, typer.Argument(help="A picture made by `triptych generate`, most often with --quality low.")],
    to: Annotated[str | None, typer.Option(help="Longer side in the end: pixels, 2k or 4k.")] = None,
    scale: Annotated[
        float | None, typer.Option(help="Enlarge what is painted so many times; 1 leaves it. Default: 4.")
    ] = None,
    quality: Annotated[str, typer.Option(help="low, medium or high: of the painting.")] = "high",
    size: Annotated[str | None, typer.Option(help="Paint at WIDTHxHEIGHT. Default: the draft's size.")] = None,
    strength: Annotated[
        float | None, typer.Option(help="Start from the draft and paint this share anew; 1 is from noise.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, or -. Default: the draft's name and -render.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Paint a draft again with the same composition, better and larger.

    Same plan and seed, the settings of --quality, then enlarged by the upscaler. The report says how far what stands
    where agrees with the draft.
    """
    import shlex

    from triptych.cli.catalogue import check_model
    from triptych.cli.fields import parse_size
    from triptych.cli.keeping import remember
    from triptych.cli.output import progress, show, show_bytes, show_json, tell, tell_notes
    from triptych.cli.targets import slug, target
    from triptych.cli.upscale import longer_side
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.core.readers import read_recipe

    longer = longer_side(to)
    if longer is not None and scale is not None:
        raise InvalidRequest("to", "given together with --scale; only one of the two is allowed")
    one_of("quality", quality, ("low", "medium", "high"))
    painted_size = parse_size(size) if size else None
    where = target(out, 1, default=f"{slug(file.stem)}-render.png", as_json=as_json)
    path = where.path(prompt=file.stem, seed=None, index=0, model="render") if where else None
    # Read here first: a file that is no picture of ours is refused before torch is imported.
    recipe = read_recipe(file)
    if recipe.request is not None:
        check_model(recipe.model)

    from triptych.api.render import render as painted_again

    with progress(1, quiet=quiet) as on_event:
        made = painted_again(
            file, to=longer, scale=scale, quality=quality, size=painted_size, strength=strength, on_event=on_event
        )
    if path is None:
        show_bytes(made.image.encode())
        return
    made.image.save(path)
    remember(path, made.image.recipe, quiet=quiet)
    height, width = made.image.pixels.shape[:2]
    if as_json:
        show_json(
            {
                "path": str(path),
                "width": width,
                "height": height,
                "painted": list(made.painted.shape[1::-1]),
                "composition": made.composition.as_json(),
                "model": made.request.model,
                "seconds": made.seconds,
                "notes": [note.as_json() for note in made.notes],
                "pixels_sha256": made.image.recipe.pixels_sha256,
                "recipe": made.image.recipe.as_json(),
            }
        )
        return
    tell_notes(made.notes, quiet=quiet)
    show(path)
    same = made.composition
    kept = f"{same.pairs} of {same.before} things where they were (overlap {same.iou:.2f})" if same.iou else "no things"
    again = f"Again: triptych replay {shlex.quote(str(path))}"
    tell(f"{width}x{height}, {made.seconds['total']:.1f} s; {kept}. {again}", quiet=quiet)
