"""`triptych bench seams`: do the places show where pictures are put together, and is what was asked still in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.pages import Page, table

if TYPE_CHECKING:
    from triptych.core.events import Pixels
    from triptych.evals.reading import Reading

PAGE = Page("docs/seams.md", "seams")
PARTS = ("outpaint", "sizes", "regions")
SIZES = "128x128,192x128,256x128,384x128,128x256,256x256,512x256"
ROWS = ("single", "two_objects", "counting", "colours", "position")
"""Rows of the table that the sizes are asked, so many prompts of each that they come to the cases."""

TABLES: tuple[tuple[str, dict[str, str], Callable[[dict[str, Any]], bool]], ...] = (
    (
        "Beyond the edges",
        {
            "changed": "pixels of the source that changed",
            "seam_error": "seam against the picture's own gradient",
            "below_own_gradient": "share of cases below it",
            "largest_seam_error": "largest",
            "across": "difference across the border, against the usual",
        },
        lambda figures: "across" in figures,
    ),
    (
        "Larger than the models were trained",
        {
            "correct": "what was asked is in it",
            "seam_error": "window borders against the picture's own gradient",
            "grid": "other borders of tokens against the same",
            "against_grid": "window borders against those",
        },
        lambda figures: "grid" in figures,
    ),
    (
        "Regions",
        {"landed": "things in their region", "right": "in their colour too", "both": "the whole case right"},
        lambda figures: "landed" in figures,
    ),
)
"""Title of a table, its columns, and which figures belong in it."""

Line = dict[str, float]


def seams(
    models: Annotated[str, typer.Option(help="Models, separated by commas.")] = "flow,diffusion",
    cases: Annotated[int, typer.Option(min=5, max=1000, help="Cases of each part; of each size for sizes.")] = 50,
    parts: Annotated[str, typer.Option(help="What is measured: outpaint, sizes, regions.")] = ",".join(PARTS),
    sizes: Annotated[str, typer.Option(help="Sizes, WIDTHxHEIGHT, separated by commas.")] = SIZES,
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    out: Annotated[Path, typer.Option(help="Folder for the figures and a sheet; goes on where it stopped.")] = Path(
        "runs/seams"
    ),
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Measure the borders of outpaintings and windows, and whether regions and large pictures hold what was asked.

    outpaint: held-out scenes of 64 to 400 pixels, one to four edges moved. sizes: prompts of the table at each size,
    read by the readers, and the borders of the windows. regions: two prompts in two boxes, against one prompt for all.
    Every figure with its 95 % interval. Scenes are drawn with the emoji font.
    """
    from triptych.cli.catalogue import check_model
    from triptych.cli.fields import size_fields
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import one_of
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",") if name.strip()]
    for name in names:
        check_model(name)
    chosen = [one_of("parts", part.strip(), PARTS) for part in parts.split(",") if part.strip()]
    wanted = [size_fields(size.strip(), None, names[0]) for size in sizes.split(",") if size.strip()]
    one_of("quality", quality, ("low", "medium", "high"))
    check_folder(out)
    if write:
        PAGE.check()

    from triptych.evals import seams as measured

    report: dict[str, Any] = {}
    for name in names:
        found = report.setdefault(name, {})
        for part in chosen:
            if part == "outpaint":
                jobs = {"outpaint": _outpaint(name, quality, out)}
            elif part == "regions":
                jobs = {
                    "regions": _regions(name, quality, plain=False),
                    "one prompt": _regions(name, quality, plain=True),
                }
            else:
                jobs = {
                    f"{size['width']}x{size['height']}": _size(name, quality, size["width"], size["height"], cases)
                    for size in wanted
                }
            for label, job in jobs.items():
                lines = _carried_on(out / f"{name}-{quality}-{label.replace(' ', '-')}.jsonl", cases, job, quiet)
                found[label] = measured.summary([{k: v for k, v in line.items() if k != "number"} for line in lines])
                tell(f"{name} {label} done", quiet=quiet)
    lines = [*_tables(report), "", f"{cases} cases a line, quality {quality}; in brackets 95 % intervals over cases."]
    if write:
        PAGE.write(lines)
    if as_json:
        show_json({"cases": cases, "quality": quality, "models": report})
        return
    for line in lines:
        show(line)


def _tables(report: dict[str, dict[str, Any]]) -> list[str]:
    """A table for each part that was measured, a row for each model and size."""
    found = [(model, label, figures) for model, each in report.items() for label, figures in each.items()]
    lines: list[str] = []
    for title, shown, is_one in TABLES:
        rows = [(model, label, figures) for model, label, figures in found if is_one(figures)]
        if rows:
            head = ["model", "what", *shown.values()]
            cells = [
                [f"`{model}`", label, *(_told(figures.get(key)) for key in shown)] for model, label, figures in rows
            ]
            lines += ["", f"### {title}", "", *table(head, cells)]
    return lines[1:]


def _told(value: float | list[float] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return f"{value[0]:.3f} ({value[1]:.3f} to {value[2]:.3f})"
    return f"{value:g}"


def _carried_on(path: Path, cases: int, job: Callable[[int], Line], quiet: bool) -> list[Line]:
    """The figures of all cases: those that the file holds, and the rest, which it then holds too."""
    from triptych.cli.lines import append_lines, read_lines
    from triptych.cli.output import tell

    lines: list[Line] = read_lines(path)
    done = {line["number"] for line in lines}
    for number in range(cases):
        if number in done:
            continue
        lines.append({"number": number, **job(number)})
        append_lines(path, lines[-1:])
        tell(f"{path.stem} {number + 1}/{cases}", quiet=quiet)
    return [line for line in lines if line["number"] < cases]


def _outpaint(model: str, quality: str, out: Path) -> Callable[[int], Line]:
    """Continue held-out scenes. The first pictures are kept for the sheet."""
    from triptych.api.outpaint import outpaint
    from triptych.evals import seams as measured
    from triptych.scenes import Sprites

    sprites = Sprites.load()

    def job(number: int) -> Line:
        case = measured.outpaint_case(number, "small", sprites)
        made = outpaint(case.pixels, case.extents, case.prompt, model=model, seed=number, quality=quality)
        if number < 12:
            made.save(out / f"{model}-outpaint-{number}.png")
        return measured.outpaint_figures(case, made.image.pixels)

    return job


def _regions(model: str, quality: str, *, plain: bool) -> Callable[[int], Line]:
    """Two things in two regions, or asked for in one prompt."""
    from triptych import api
    from triptych.cli.catalogue import registry
    from triptych.evals import seams as measured
    from triptych.evals.rows import level_of_models

    level, read = level_of_models([registry().capabilities(model)]), _reader()

    def job(number: int) -> Line:
        case = measured.region_case(number, level)
        fields: dict[str, Any] = {} if plain else {"regions": case.regions}
        prompt = case.plain if plain else case.prompt
        made = api.generate(prompt, model=model, seed=case.seed, quality=quality, **fields)
        return measured.region_figures(case, read(made.images[0].pixels))

    return job


def _size(model: str, quality: str, width: int, height: int, cases: int) -> Callable[[int], Line]:
    """Prompts of the table at a size: is it right, and do window borders show."""
    from triptych import api
    from triptych.cli.catalogue import registry
    from triptych.evals import seams as measured
    from triptych.evals.judge import judge
    from triptych.evals.rows import level_of_models, prompts

    takes = registry().capabilities(model)
    level, read = level_of_models([takes]), _reader()
    each = -(-cases // len(ROWS))
    asked = [prompt for row in ROWS for prompt in prompts(row, level, "report")[:each]]

    def job(number: int) -> Line:
        prompt = asked[number]
        fields: dict[str, Any] = {"width": width, "height": height, "quality": quality}
        made = api.generate(prompt.text, model=model, seed=prompt.seed(0), **fields).images[0].pixels
        correct = float(judge(prompt, read(made)).correct)
        return {"correct": correct, **measured.tile_figures(made, takes.native_size, takes.size_multiple // 8)}

    return job


def _reader() -> Callable[[Pixels], Reading]:
    from triptych.core import registry as models_there
    from triptych.evals.readers.load import Readers
    from triptych.evals.wide import read_wide

    readers = Readers.load(models_there.builtin_folder() / "readers")
    return lambda pixels: read_wide(readers.read, pixels)
