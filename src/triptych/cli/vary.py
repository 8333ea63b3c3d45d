"""`triptych vary`: variants of a picture in which one thing differs, and what moved besides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.api.vary import Variant


def vary(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG or WebP, or - for stdin.")],
    change: Annotated[str, typer.Option(help="What differs: background, light, colour or pose.")],
    to: Annotated[
        str | None, typer.Option(help="What it becomes (night, left, blue, mirror). Default: drawn by the seed.")
    ] = None,
    what: Annotated[str | None, typer.Option(help="Which thing, for a colour or a pose: a noun. Default: any.")] = None,
    n: Annotated[int, typer.Option(min=1, help="So many variants, all different.")] = 1,
    model: Annotated[str, typer.Option("--model", "-m", help="Which model; see `triptych models`.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="Which variants are drawn. Default: a new one.")] = None,
    quality: Annotated[str, typer.Option(help="low, medium or high: sets steps and guidance.")] = "medium",
    fresh: Annotated[bool, typer.Option("--fresh", help="From the picture alone, not its recipe.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, pattern with {prompt} {index}, or -.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Change one thing of a picture and hold the rest by plan, seed and pixel lock.

    Tells what moved as the readers see it. A pose here is where a thing stands, how large it is, and which way it
    looks; docs/edits.md says what the painters can and cannot do.
    """

    from triptych.cli.catalogue import check_model
    from triptych.cli.keeping import remember
    from triptych.cli.output import progress, show, show_bytes, show_json, tell, tell_notes
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.core.metadata import format_of
    from triptych.core.pictures import open_picture
    from triptych.editing.verify import check_lossless

    one_of("change", change, ("background", "light", "colour", "pose"))
    one_of("quality", quality, ("low", "medium", "high"))
    if what is not None and change not in ("colour", "pose"):
        raise InvalidRequest("what", f"names a thing, which --change {change} has nothing to do with")
    check_model(model)
    where = target(out, n, default="{prompt}-{index}.png", as_json=as_json)
    if where is not None:
        check_lossless(format_of(where.path(prompt="a", seed=0, index=0, model=model)), 1.0)
    if str(image) != "-":
        open_picture(image)

    from triptych.api.vary import vary as varied

    with progress(n, quiet=quiet) as advance:
        made = varied(
            image, change, n=n, to=to, what=what, model=model, seed=seed, fresh=fresh, on_event=advance, quality=quality
        )
    if where is None:
        show_bytes(made[0].encode(Path("stdout.png")))
        return
    paths: list[Path] = []
    for index, variant in enumerate(made):
        name = f"{image.stem}-{variant.what}" if str(image) != "-" else variant.what
        path = variant.save(where.path(prompt=name, seed=variant.image.seed, index=index, model=model))
        remember(path, variant.image.recipe, quiet=quiet)
        paths.append(path)
    if as_json:
        show_json({"change": change, "model": model, "images": [_json(p, v) for p, v in zip(paths, made, strict=True)]})
        return
    for path, variant in zip(paths, made, strict=True):
        tell_notes(variant.notes, quiet=quiet)
        show(path)
        kept = f"{variant.report.outside_changed_pixels} of {variant.report.outside_total_pixels} kept pixels changed"
        tell(f"{variant.what}; moved, as read: {'; '.join(variant.moved.changed) or 'nothing'}; {kept}", quiet=quiet)


def _json(path: Path, variant: Variant) -> dict[str, object]:
    return {
        "path": str(path),
        "what": variant.what,
        "seed": variant.image.seed,
        "width": variant.image.pixels.shape[1],
        "height": variant.image.pixels.shape[0],
        "pixels_sha256": variant.image.recipe.pixels_sha256,
        "lock": variant.report.as_json(),
        "moved": variant.moved.as_json(),
        "notes": [note.as_json() for note in variant.notes],
        "seconds": variant.seconds,
        "recipe": variant.image.recipe.as_json(),
    }
