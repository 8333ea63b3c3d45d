"""`triptych generate`: pictures from a prompt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.api import Result
    from triptych.core.events import Event

MAX_PLAN_BYTES = 64 * 1024


def generate(
    prompt: Annotated[str, typer.Argument(help="What to paint; - reads it from stdin.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Which model; see `triptych models`.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="Same seed, same picture. Default: a new one.")] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many pictures.")] = 1,
    size: Annotated[str | None, typer.Option(help="Size in pixels: WIDTHxHEIGHT.")] = None,
    aspect: Annotated[str | None, typer.Option(help="Aspect ratio instead of a size: 16:9.")] = None,
    quality: Annotated[str, typer.Option(help="low, medium or high: sets steps and guidance.")] = "medium",
    steps: Annotated[int | None, typer.Option(help="Steps from noise to picture.")] = None,
    sampler: Annotated[str | None, typer.Option(help="How the steps are taken.")] = None,
    schedule: Annotated[str | None, typer.Option(help="How the noise is spread over the steps.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How strictly the prompt is followed; 1 is off.")] = None,
    guidance_interval: Annotated[
        str | None, typer.Option(help="Part of the steps where guidance acts: 0.1,0.8.")
    ] = None,
    guidance_rescale: Annotated[float | None, typer.Option(help="Against over-exposure by guidance: 0 to 1.")] = None,
    negative: Annotated[str, typer.Option(help="What to keep away from.")] = "",
    temperature: Annotated[float | None, typer.Option(help="Token models: 0 is greedy, 1 as trained.")] = None,
    top_k: Annotated[int | None, typer.Option(help="Token models: draw from the k likeliest; 0 is all.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Token models: draw from the likeliest share.")] = None,
    plan: Annotated[
        Path | None, typer.Option(help="Paint this plan (JSON, - for stdin) instead of writing one.")
    ] = None,
    no_plan: Annotated[bool, typer.Option("--no-plan", help="Paint from the words alone.")] = False,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="File, folder, pattern with {prompt} {seed} {index} {model}, or -."),
    ] = None,
    trace: Annotated[Path | None, typer.Option(help="Folder for a preview of every step.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Make pictures from a prompt."""
    from triptych.cli.catalogue import check
    from triptych.cli.fields import interval, size_fields
    from triptych.cli.output import progress, read_json, read_prompt, tell
    from triptych.cli.targets import target
    from triptych.cli.trace import Trace
    from triptych.core.errors import InvalidRequest
    from triptych.core.plan import Plan
    from triptych.core.request import Request

    prompt = read_prompt(prompt)
    fields: dict[str, Any] = {
        "seed": seed,
        "n": n,
        "quality": quality,
        "steps": steps,
        "sampler": sampler,
        "schedule": schedule,
        "guidance": guidance,
        "guidance_interval": interval(guidance_interval),
        "guidance_rescale": guidance_rescale,
        "negative": negative,
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "plan": Plan.parse(read_json(plan, "plan", MAX_PLAN_BYTES)) if plan else None,
        "use_plan": not no_plan,
        **size_fields(size, aspect, model),
    }
    # All that can be known to be wrong is said before torch is imported and before anything is painted.
    check(Request.make(prompt=prompt, model=model, **fields))
    where = target(out, n)
    if where is None and as_json:
        raise InvalidRequest("out", "- (stdout) and --json cannot share stdout; give a file")
    record = Trace(trace) if trace else None

    from triptych import api

    with progress(n, quiet=quiet) as advance:

        def on_event(event: Event) -> None:
            advance(event)
            if record:
                record(event)

        result = api.generate(prompt, model=model, on_event=on_event, previews=record is not None, **fields)

    if where is None:
        from triptych.core.metadata import encode_picture

        image = result.images[0]
        sys.stdout.buffer.write(encode_picture(image.pixels, image.recipe))
        sys.stdout.buffer.flush()
        return
    paths = [
        image.save(where.path(prompt=prompt, seed=image.seed, index=image.index, model=result.model))
        for image in result.images
    ]
    _log(result, paths, quiet)
    if as_json:
        _show_json(result, paths)
    else:
        _show(result, paths, quiet)
    if record:
        tell(f"the steps are in {record.folder}", quiet=quiet)


def _show(result: Result, paths: list[Path], quiet: bool) -> None:
    import shlex

    from triptych.cli.output import show, tell, tell_notes

    tell_notes(result.notes, quiet=quiet)
    for path in paths:
        show(path)
    total = f"{result.seconds.get('total', 0.0):.1f} s"
    first = result.images[0]
    tell(
        f"{result.model}, seed {first.seed}, {total}. Again: triptych replay {shlex.quote(str(paths[0]))}", quiet=quiet
    )


def _show_json(result: Result, paths: list[Path]) -> None:
    from triptych.cli.output import show_json

    first = result.images[0]
    images = [
        {
            "path": str(path),
            "seed": image.seed,
            "index": image.index,
            "width": image.pixels.shape[1],
            "height": image.pixels.shape[0],
            "pixels_sha256": image.recipe.pixels_sha256,
            "plan": image.plan.as_json() if image.plan else None,
        }
        for path, image in zip(paths, result.images, strict=True)
    ]
    show_json(
        {
            "images": images,
            "model": result.model,
            "family": result.family,
            "seconds": result.seconds,
            "steps": result.request.steps,
            "plan": first.plan.as_json() if first.plan else None,
            "notes": [note.as_json() for note in result.notes],
            "recipe": first.recipe.as_json(),
        }
    )


def _log(result: Result, paths: list[Path], quiet: bool) -> None:
    """Note the pictures. They are safe on the disk by now, so a broken log is told and nothing more."""
    from triptych.cli.output import tell
    from triptych.cli.settings import data_folder
    from triptych.core.errors import TriptychError
    from triptych.core.gallery import Gallery

    gallery = Gallery(data_folder())
    try:
        for path, image in zip(paths, result.images, strict=True):
            gallery.add(path, image.recipe)
    except TriptychError as error:
        tell(f"note  log: {error}", quiet=quiet)
