"""`triptych edit`: something else in a part of a picture, from the pixel lock to a fresh scene."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.api.edit import EditResult
    from triptych.cli.targets import Target
    from triptych.core.recipe import Recipe

MAX_PLAN_BYTES = 64 * 1024


def edit(
    image: Annotated[Path, typer.Argument(help="The picture: PNG, JPEG or WebP, or - for stdin.")],
    instruction: Annotated[
        str,
        typer.Argument(help="What to do (make the fox blue), or with a mask what shall stand there; - is stdin."),
    ],
    mask: Annotated[
        str | None,
        typer.Option(help="Where: a picture (transparent or white = edit), a box x,y,w,h, or words: the left fox."),
    ] = None,
    lock: Annotated[
        float | None,
        typer.Option(help="1 keeps every pixel outside the mask, 0 makes a fresh scene; between, ever freer."),
    ] = None,
    feather: Annotated[int | None, typer.Option(help="Soft pixels inside the mask. Default: by the scale.")] = None,
    grow: Annotated[int, typer.Option(help="Grow the mask by so many pixels; negative shrinks.")] = 0,
    invert: Annotated[bool, typer.Option("--invert", help="Edit what the mask leaves out.")] = False,
    model: Annotated[str, typer.Option("--model", "-m", help="Which model; see `triptych models`.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="Same seed, same edit. Default: a new one.")] = None,
    strength: Annotated[float, typer.Option(help="How much of the mask is made anew: near 0 hardly, 1 all.")] = 1.0,
    quality: Annotated[str, typer.Option(help="low, medium or high: sets steps and guidance.")] = "medium",
    steps: Annotated[int | None, typer.Option(help="Steps from noise to picture.")] = None,
    guidance: Annotated[float | None, typer.Option(help="How strictly the words are followed; 1 is off.")] = None,
    negative: Annotated[str, typer.Option(help="What to keep away from.")] = "",
    plan: Annotated[Path | None, typer.Option(help="The plan of the whole result (JSON), instead of one.")] = None,
    no_plan: Annotated[bool, typer.Option("--no-plan", help="Paint from the words alone.")] = False,
    reference: Annotated[list[str] | None, typer.Option(help="FILE[:ROLE], repeated.")] = None,
    max_cost: Annotated[
        float | None, typer.Option(help="Hosted models: most US dollars that it may cost, by the estimate.", min=0)
    ] = None,
    lora: Annotated[list[str] | None, typer.Option(help="FILE[:SCALE], repeated.")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="From the picture alone: not its recipe, and a new history.")
    ] = False,
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, pattern with {prompt} {seed} {model}, or -.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Change a picture as told, and prove that the rest is as it was.

    Without --mask and --lock the instruction is read beside what is in the picture: recolour, remove, replace, move,
    resize, swap, add or count things, another background or light, several at once. With a mask it says what shall
    stand there. At --lock 1 (the default) the file is written only if every pixel outside of what was to change is the
    same, byte by byte, at any size. `triptych history` goes back.
    """
    from triptych.cli.catalogue import check, is_hosted
    from triptych.cli.inputs import input_fields
    from triptych.cli.output import progress, read_json, read_prompt, show_bytes
    from triptych.cli.targets import target
    from triptych.core.errors import InvalidRequest
    from triptych.core.plan import Plan
    from triptych.core.request import Request
    from triptych.editing.dial import Dial
    from triptych.editing.masks import check_feather

    instruction = read_prompt(instruction)
    hosted = is_hosted(model)
    # Here the instruction says itself what changes and where that is; a hosted model sees to that on its own.
    by_words = mask is None and lock is None and not hosted
    if by_words:
        _check_words_only(grow=grow, invert=invert, strength=strength, plan=plan, no_plan=no_plan, reference=reference)
    whole = hosted and mask is None and lock is None
    dial = Dial((0.5 if whole else 1.0) if lock is None else lock)
    check_feather(feather or 0)
    inputs, told = input_fields(references=reference or (), loras=lora or ())
    fields: dict[str, Any] = {
        "seed": seed,
        "quality": quality,
        "steps": steps,
        "guidance": guidance,
        "negative": negative,
        "plan": Plan.parse(read_json(plan, "plan", MAX_PLAN_BYTES)) if plan else None,
        "use_plan": not no_plan,
        **inputs,
    }
    check(Request.make(prompt=instruction, model=model, **fields), hosted=True)
    where = target(out, 1, as_json=as_json)
    _check_format(where, instruction, model, dial.lock)
    _check_files(image, mask)
    if hosted and strength != 1:
        raise InvalidRequest("strength", f"{strength} is not allowed: {model} makes the selection anew or not at all")

    if hosted:
        from triptych.cli.accounts import editor

        by_provider = editor(
            image, instruction, mask, model, invert, grow, dial.lock, max_cost, quiet or as_json, fields
        )
    else:
        from triptych.api.edit import edit as edited
        from triptych.api.instruct import edit as instructed

    with progress(1, quiet=quiet) as advance:
        if hosted:
            result = by_provider(feather=feather, on_event=advance)
        elif by_words:
            fields = {name: value for name, value in fields.items() if name not in ("plan", "use_plan")}
            result = instructed(
                image, instruction, model=model, feather=feather, fresh=fresh, on_event=advance, **fields
            )
        else:
            result = edited(
                image,
                instruction,
                mask=mask,
                lock=dial.lock,
                model=model,
                feather=feather,
                grow=grow,
                invert=invert,
                strength=strength,
                fresh=fresh,
                on_event=advance,
                **fields,
            )
    if where is None:
        show_bytes(result.encode(Path("stdout.png")))
        return
    path = result.save(where.path(prompt=instruction, seed=result.image.seed, index=0, model=model))
    _remember(path, result, image, instruction, fresh=fresh, quiet=quiet)
    _show(result, path, told, as_json=as_json, quiet=quiet)


def _returned(result: EditResult) -> dict[str, Any]:
    """How far a hosted model's answer was from what was asked."""
    return {} if result.returned is None else {"returned": result.returned.as_json()}


def _check_words_only(**options: object) -> None:
    """Refuse what only an edit with a mask can take. `InvalidRequest` names the first such option that is given."""
    from triptych.core.errors import InvalidRequest

    unset = {"grow": 0, "invert": False, "strength": 1.0, "plan": None, "no_plan": False, "reference": None}
    for name, value in options.items():
        if value not in (unset[name], []):
            raise InvalidRequest(name, "needs --mask or --lock: without them the instruction itself says what changes")


def _check_format(where: Target | None, instruction: str, model: str, lock: float) -> None:
    """Refuse a file that could not keep the pixels before anything is painted."""
    from triptych.core.metadata import format_of
    from triptych.editing.verify import check_lossless

    if where is not None:
        check_lossless(format_of(where.path(prompt=instruction, seed=0, index=0, model=model)), lock)


def _check_files(image: Path, mask: str | None) -> None:
    """Say what is wrong with the picture or the mask before torch is imported, as far as that can be known."""
    from triptych.core.errors import InvalidRequest
    from triptych.core.pictures import open_map, open_picture
    from triptych.editing import masks

    if str(image) == "-":
        if mask == "-":
            raise InvalidRequest("mask", "- (stdin) and the picture cannot share stdin; give a file")
        return  # it can be read only once
    height, width = open_picture(image).pixels.shape[:2]
    if mask is None:
        return
    if masks.names_file(mask):
        masks.from_picture(open_map(Path(mask)).pixels, (width, height))
    elif masks.looks_like_box(mask):
        masks.from_box(mask, (width, height))


def _remember(path: Path, result: EditResult, image: Path, instruction: str, *, fresh: bool, quiet: bool) -> None:
    """The log, the inputs, and the history; trouble with any of them is told, for the picture is safe by now."""
    from triptych.cli.keeping import remember
    from triptych.cli.output import tell
    from triptych.cli.settings import data_folder
    from triptych.core.asset import Asset
    from triptych.core.errors import TriptychError
    from triptych.editing.history import History

    recipe = result.image.recipe
    remember(path, recipe, quiet=quiet)
    if recipe.step is None:
        return
    try:
        made = Asset.of(result.image.pixels, path.name)
        source, before = recipe.step.source, _recipe_of(image)
        known = before if before and before.pixels_sha256 == source.sha256 else None
        history = History(data_folder() / "history")
        profile = result.image.profile
        history.record(source, made, instruction, recipe, source_recipe=known, profile=profile, fresh=fresh)
    except TriptychError as error:
        tell(f"note  history: {error}", quiet=quiet)


def _recipe_of(image: Path) -> Recipe | None:
    """How the source was made, if it says so and still can be read."""
    from triptych.core.errors import FileProblem
    from triptych.core.readers import read_recipe

    try:
        return read_recipe(image)
    except FileProblem:
        return None


def _show(result: EditResult, path: Path, told: Any, *, as_json: bool, quiet: bool) -> None:
    from triptych.cli.output import show, show_json, tell, tell_notes

    report, image = result.report, result.image
    notes = (*told, *result.notes)
    if as_json:
        show_json(
            {
                "images": [
                    {
                        "path": str(path),
                        "seed": image.seed,
                        "width": image.pixels.shape[1],
                        "height": image.pixels.shape[0],
                        "pixels_sha256": image.recipe.pixels_sha256,
                    }
                ],
                "lock": {"position": result.lock, **report.as_json(), **_returned(result)},
                "model": result.model,
                "family": result.family,
                "seconds": result.seconds,
                "steps": result.request.steps,
                "cost": result.cost,
                "plan": image.plan.as_json() if image.plan else None,
                "notes": [note.as_json() for note in notes],
                "recipe": image.recipe.as_json(),
            }
        )
        return
    tell_notes(notes, quiet=quiet)
    show(path)
    kept = f"{report.outside_changed_pixels} of {report.outside_total_pixels} pixels outside the mask changed"
    seam = f"seam {report.seam.seam_error:.2f} of the picture's own gradient"
    seed = "" if image.seed is None else f", seed {image.seed}"
    tell(f"{kept}; {seam}; {result.model}{seed}, {result.seconds['total']:.1f} s", quiet=quiet)
