"""`triptych bench dial`: what happens between the pixel lock and a fresh scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from triptych.core.events import Pixels
    from triptych.evals.dial import Case


def dial(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion,tokens",
    pictures: Annotated[int, typer.Option(min=2, max=10_000, help="Pictures, each at every position.")] = 60,
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "low",
    out: Annotated[Path, typer.Option(help="Folder for MODEL.jsonl and dial.png; goes on where it stopped.")] = Path(
        "runs/dial"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Edit the same places of the same scenes at every position of the dial, and measure what changes.

    Prints change outside, seam, likeness and success with 95 % intervals, and whether anything lies between the two
    ends. Scenes are drawn with the emoji font. It can be killed, and goes on where it stopped.
    """
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.lines import append_lines, read_lines
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import one_of
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    for name in names:
        check_model(name)
    one_of("quality", quality, ("low", "medium", "high"))
    check_folder(out)

    from triptych.core import registry as models_there
    from triptych.evals import dial as dials
    from triptych.evals.likeness import Likeness
    from triptych.evals.readers.load import Readers
    from triptych.scenes import Sprites

    folder = models_there.builtin_folder()
    readers, tower, sprites = Readers.load(folder / "readers"), Likeness.load(folder / "text"), Sprites.load()
    report: dict[str, Any] = {}
    means: dict[str, Any] = {}
    for name in names:
        takes = registry().capabilities(name)
        path = out / f"{name}-{quality}.jsonl"
        lines = read_lines(path)
        done = {(line["number"], line["position"]) for line in lines}
        for number in range(pictures):
            missing = [position for position in dials.POSITIONS if (number, position) not in done]
            if not missing:
                continue
            one = dials.case(number, takes.native_size[0], sprites)
            before = readers.read([one.pixels])[0]
            for position in missing:
                pixels = _painted(one, position, name, quality)
                alike = tower.similarity(one.pixels, pixels)
                found = dials.figures(one, pixels, before, readers.read([pixels])[0], alike)
                lines.append({"number": number, "position": position, **found})
            append_lines(path, lines[-len(missing) :])
            tell(f"{name} {number + 1}/{pictures}: {one.instruction}", quiet=quiet)
        means[name] = dials.summary([line for line in lines if line["number"] < pictures])
        report[name] = {
            "pictures": pictures,
            "quality": quality,
            "positions": {
                _label(position): {key: [round(v, 4) for v in (i.value, i.low, i.high)] for key, i in found.items()}
                for position, found in means[name].items()
            },
            "middle": dials.middle(means[name]),
        }
    _plot(means, out / "dial.png", quiet)
    if as_json:
        show_json(report)
        return
    for name, found in report.items():
        show(f"{name}, {pictures} pictures, quality {quality}")
        show(f"{'lock':<6}" + "".join(f"{key:>15}" for key in dials.FIGURES))
        for label, values in found["positions"].items():
            cells = [f"{values[key][0]:.3f}" if key in values else "" for key in dials.FIGURES]
            show(f"{label:<6}" + "".join(f"{cell:>15}" for cell in cells))
        show(f"middle ground: {json.dumps(found['middle'])}")


def _painted(one: Case, position: float, model: str, quality: str) -> Pixels:
    """The picture of a case at one position."""
    from triptych import api
    from triptych.api.edit import edit
    from triptych.evals.dial import FREE

    if position == FREE:
        return api.generate(one.instruction, model=model, seed=one.number, quality=quality).images[0].pixels
    result = edit(
        one.pixels,
        one.instruction,
        mask=one.mask,
        lock=position,
        model=model,
        seed=one.number,
        quality=quality,
    )
    return result.image.pixels


def _label(position: float) -> str:
    return "free" if position < 0 else f"{position:g}"


def _plot(means: dict[str, Any], path: Path, quiet: bool) -> None:
    from triptych.cli.output import tell
    from triptych.evals.dial import drawn

    try:
        figure = drawn(means)
    except ImportError:
        tell("no plot: it needs pip install 'triptych[train]'", quiet=quiet)
        return
    temporary = path.with_suffix(".tmp")
    figure.savefig(temporary, format="png")
    temporary.replace(path)
    tell(f"the plot is {path}", quiet=quiet)
