"""`triptych outpaint`: a picture continued past its edges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.api.outpaint import OutpaintResult

MAX_PLAN_BYTES = 64 * 1024


def outpaint(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG or WebP, or - for stdin.")],
    prompt: Annotated[str, typer.Argument(help="What shall stand in the new part. Default: only the place.")] = "",
    extend: Annotated[
        str | None, typer.Option("--extend", "-e", help="Pixels per edge: left=64,right=64,top=32,bottom=32.")
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Which model; see `triptych models`.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="Same seed, same picture. Default: a new one.")] = None,
    quality: Annotated[str, typer.Option(help="low, medium or high: sets steps and guidance.")] = "medium",
    steps: Annotated[int | None, typer.Option(help="Steps from noise to picture.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How strictly the words are followed; 1 is off.")] = None,
    negative: Annotated[str, typer.Option(help="What to keep away from.")] = "",
    plan: Annotated[Path | None, typer.Option(help="The plan of the whole result (JSON), instead of one.")] = None,
    no_plan: Annotated[bool, typer.Option("--no-plan", help="Paint from the words alone.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="From the picture alone, not its recipe.")] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, pattern with {prompt} {seed} {model}, or -.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Continue a picture past its edges, with its own pixels unchanged.

    The file is written only if every pixel of the picture is in it, byte by byte. How visible the seam is, against the
    picture's own gradients, is measured and told.
    """
    from triptych.cli.catalogue import check
    from triptych.cli.output import progress, read_json, read_prompt, show_bytes
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest
    from triptych.core.metadata import format_of
    from triptych.core.pictures import open_picture
    from triptych.core.plan import Plan
    from triptych.core.request import Request
    from triptych.editing.outpaint import Extents
    from triptych.editing.verify import check_lossless

    if extend is None:
        raise InvalidRequest("extend", "is missing: say which edges go how far, such as --extend left=64,right=64")
    prompt = read_prompt(prompt)
    extents = Extents.parse(extend)
    fields: dict[str, Any] = {
        "seed": seed,
        "quality": quality,
        "steps": steps,
        "guidance": guidance,
        "negative": negative,
        "plan": Plan.parse(read_json(plan, "plan", MAX_PLAN_BYTES)) if plan else None,
        "use_plan": not no_plan,
    }
    check(Request.make(prompt=prompt, model=model, **fields))
    where = target(out, 1, as_json=as_json)
    if where is not None:
        check_lossless(format_of(where.path(prompt=prompt, seed=0, index=0, model=model)), 1.0)
    if str(image) != "-":  # stdin can be read only once
        height, width = open_picture(image).pixels.shape[:2]
        extents.check((width, height))

    from triptych.api.outpaint import outpaint as continued

    with progress(1, quiet=quiet) as advance:
        result = continued(image, extents, prompt, model=model, fresh=fresh, on_event=advance, **fields)
    if where is None:
        show_bytes(result.encode(Path("stdout.png")))
        return
    path = result.save(where.path(prompt=prompt or image.stem, seed=result.image.seed, index=0, model=model))

    from triptych.cli.keeping import remember

    remember(path, result.image.recipe, quiet=quiet)
    _show(result, path, as_json=as_json, quiet=quiet)


def _show(result: OutpaintResult, path: Path, *, as_json: bool, quiet: bool) -> None:
    from triptych.cli.output import show, show_json, tell, tell_notes

    report, image = result.report, result.image
    height, width = image.pixels.shape[:2]
    if as_json:
        one = {"path": str(path), "seed": image.seed, "width": width, "height": height}
        show_json(
            {
                "images": [{**one, "pixels_sha256": image.recipe.pixels_sha256}],
                "outpaint": {"extend": vars(result.extents), **report.as_json()},
                "model": result.model,
                "family": result.family,
                "seconds": result.seconds,
                "steps": result.request.steps,
                "plan": image.plan.as_json() if image.plan else None,
                "notes": [note.as_json() for note in result.notes],
                "recipe": image.recipe.as_json(),
            }
        )
        return
    tell_notes(result.notes, quiet=quiet)
    show(path)
    kept = f"{report.changed_pixels} of the picture's {report.source_pixels} pixels changed"
    seam = f"seam {report.seam.seam_error:.2f} of the picture's own gradient"
    tell(f"{width}x{height}; {kept}; {seam}; {result.model}, seed {image.seed}", quiet=quiet)
