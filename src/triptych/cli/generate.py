"""`triptych generate`: pictures from a prompt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.api import Result
    from triptych.core.events import Event, Note

MAX_PLAN_BYTES = 64 * 1024


def generate(
    prompt: Annotated[str, typer.Argument(help="What to paint; - reads it from stdin.")],
    model: Annotated[
        str, typer.Option("--model", "-m", help="Which model; see `triptych models`; auto asks the router.")
    ] = "flow",
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
    init: Annotated[Path | None, typer.Option(help="Start from this picture instead of from noise.")] = None,
    strength: Annotated[
        float | None, typer.Option(help="How much of --init is made anew: near 0 hardly, 1 all.")
    ] = None,
    strength_map: Annotated[
        Path | None, typer.Option(help="Grey picture that scales the strength: white as given, black kept.")
    ] = None,
    reference: Annotated[
        list[str] | None,
        typer.Option(help="FILE[:ROLE], repeated; roles identity, style, pose, scale, layout."),
    ] = None,
    control: Annotated[
        list[str] | None,
        typer.Option(help="KIND=FILE[:WEIGHT[:START-END]], repeated; kinds edges, depth, pose, segmentation."),
    ] = None,
    lora: Annotated[list[str] | None, typer.Option(help="FILE[:SCALE], repeated: low-rank weights on top.")] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="x,y,w,h=PROMPT in fractions, or MASK.png=PROMPT, repeated.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", help="File, folder, pattern with {prompt} {seed} {index} {model}, or -."),
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Hosted models: most US dollars that it may cost, by the estimate.", min=0)
    ] = None,
    trace: Annotated[Path | None, typer.Option(help="Folder for a preview of every step.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Make pictures from a prompt."""
    from triptych.cli.catalogue import check, is_hosted
    from triptych.cli.fields import interval, size_fields
    from triptych.cli.inputs import input_fields
    from triptych.cli.keeping import remember
    from triptych.cli.output import progress, read_json, read_prompt, show_bytes, tell
    from triptych.cli.targets import target
    from triptych.cli.trace import Trace
    from triptych.core.plan import Plan
    from triptych.core.request import Request

    prompt = read_prompt(prompt)
    inputs, told = input_fields(
        init=init,
        strength=strength,
        strength_map=strength_map,
        references=reference or (),
        controls=control or (),
        loras=lora or (),
        regions=region or (),
    )
    if model == "auto":
        from triptych.cli.route import automatic

        model, note = automatic(prompt, references=bool(reference), private=max_cost == 0)
        told = [*told, note] if as_json else told
        tell(note.text, quiet=quiet or as_json)
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
        **inputs,
    }
    # All that can be known to be wrong is said before torch is imported and before anything is painted.
    request = Request.make(prompt=prompt, model=model, **fields)
    check(request, hosted=True)
    where = target(out, n, as_json=as_json)
    record = Trace(trace) if trace else None

    if is_hosted(model):
        from triptych.cli.accounts import painter

        generated = painter(request, max_cost=max_cost, previews=record is not None, quiet=quiet or as_json)
    else:
        from triptych.api import generate as generated

    with progress(n, quiet=quiet) as advance:

        def on_event(event: Event) -> None:
            advance(event)
            if record:
                record(event)

        result = generated(prompt, model=model, on_event=on_event, previews=record is not None, **fields)

    if where is None:
        image = result.images[0]
        show_bytes(image.encode())
        return
    paths = [
        image.save(where.path(prompt=prompt, seed=image.seed, index=image.index, model=result.model))
        for image in result.images
    ]
    for path, image in zip(paths, result.images, strict=True):
        remember(path, image.recipe, quiet=quiet)
    notes = [*told, *result.notes]
    if as_json:
        _show_json(result, paths, notes)
    else:
        _show(result, paths, notes, quiet)
    if record:
        tell(f"the steps are in {record.folder}", quiet=quiet)


def _show(result: Result, paths: list[Path], notes: list[Note], quiet: bool) -> None:
    import shlex

    from triptych.cli.output import show, tell, tell_notes

    tell_notes(notes, quiet=quiet)
    for path in paths:
        show(path)
    total = f"{result.seconds.get('total', 0.0):.1f} s"
    first = result.images[0]
    if first.recipe.grade == "none":
        tell(
            f"{result.model}, {total}. Nobody can make it again: {result.model} promises no two equal pictures",
            quiet=quiet,
        )
        return
    tell(
        f"{result.model}, seed {first.seed}, {total}. Again: triptych replay {shlex.quote(str(paths[0]))}", quiet=quiet
    )


def _show_json(result: Result, paths: list[Path], notes: list[Note]) -> None:
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
            "cost": result.cost,
            "plan": first.plan.as_json() if first.plan else None,
            "notes": [note.as_json() for note in notes],
            "recipe": first.recipe.as_json(),
        }
    )
