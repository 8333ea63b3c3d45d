"""`triptych bench lora`: whether a LoRA of a dozen pictures teaches a style and a creature, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.pages import Page

if TYPE_CHECKING:
    from triptych.evals.lora import Lesson
    from triptych.evals.lora_bench import Shots

PAGE = Page("docs/lora.md", "lora")
PICTURES = 12
COLUMNS = 7
CELL = 88
INKS = 96
"""Colours of the sheet's palette: the page's pictures stay small."""


def lora(
    models: Annotated[str, typer.Option(help="Names, with commas.")] = "flow,diffusion,tokens",
    sets: Annotated[str | None, typer.Option(help="pencil, poster, zorp, with commas. Default: all.")] = None,
    samples: Annotated[int | None, typer.Option(help="Train on so many pictures instead of the usual.")] = None,
    prompts: Annotated[int, typer.Option(min=4, max=500, help="Fresh prompts, each painted four times.")] = 32,
    quality: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    keep: Annotated[bool, typer.Option("--keep", help="Train each again with --keep; measure both.")] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of sets and LoRAs.")] = Path("runs/lora-bench"),
    sheet: Annotated[Path | None, typer.Option(help="Draw set, before and after here (PNG).")] = None,
    write: Annotated[bool, typer.Option("--write", help=f"Write the figures into {PAGE.path}.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Train a LoRA on twelve pictures of a kind and measure what it learned, for every model and set.

    Pictures and captions alone are given, as a person would. A training that is there already in OUT is not repeated.
    Needs the emoji font, which the sets are drawn from.
    """
    from triptych.cli.catalogue import check_model, registry
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import FileProblem, one_of
    from triptych.core.files import check_folder

    names = [name.strip() for name in models.split(",")]
    level = one_of("quality", quality, ("low", "medium", "high"))
    for name in names:
        check_model(name)
    if write:
        PAGE.check()
    check_folder(out)

    from triptych.core.asset import FileAsset
    from triptych.core.inputs import Lora
    from triptych.evals.likeness import Likeness
    from triptych.evals.lora_bench import LessonBench
    from triptych.evals.lora_sets import KINDS, write_set
    from triptych.evals.readers.load import Readers
    from triptych.library import Library
    from triptych.scenes import Sprites

    chosen = [one_of("sets", name.strip(), KINDS) for name in sets.split(",")] if sets else list(KINDS)
    library = Library(registry())
    side = min(min(library.registry.capabilities(name).native_size) for name in names)
    folder = library.registry.find("text").folder
    if folder is None:
        raise FileProblem("the text part has no folder with weights")
    bench = LessonBench(
        library, Readers.load(), Likeness.load(folder), Sprites.load(), side, prompts, level,
        lambda line: tell(line, quiet=quiet),
    )  # fmt: skip
    lessons: dict[str, dict[str, Lesson]] = {}
    trained: dict[str, dict[str, dict[str, Any]]] = {}
    drawn: dict[str, dict[str, Shots]] = {}
    for kind in chosen:
        shown = bench.shown(kind, PICTURES)
        write_set(out / kind, shown)
        for name in names:
            for keeping in (False, True) if keep else (False,):
                label = f"{kind}, kept" if keeping else kind
                file = out / f"{kind}-{name}{'-kept' if keeping else ''}.safetensors"
                trained.setdefault(name, {})[label] = _trained(file, out / kind, kind, name, samples, keeping, quiet)
                lesson, shots = bench.measure(kind, name, Lora(file=FileAsset.of(file)), shown)
                lessons.setdefault(name, {})[label] = lesson
                if not keeping:
                    drawn.setdefault(kind, {})[name] = shots
                tell(_line(name, label, lesson), quiet=quiet)
    if sheet is not None:
        tell(f"sheet: {_sheet(sheet, drawn)}", quiet=quiet)
    told = f"{PICTURES} pictures of {side} px a set, {prompts} fresh prompts, quality {quality}, plans as written"
    lines = [*_table(lessons, trained), "", f"{told}; in brackets 95 % intervals over prompts."]
    if write:
        PAGE.write(lines)
    if as_json:
        figures = {name: {kind: one.as_json() for kind, one in each.items()} for name, each in lessons.items()}
        conditions = {"pictures": PICTURES, "prompts": prompts, "quality": quality}
        show_json({**conditions, "lessons": figures, "training": trained})
        return
    for line in lines:
        show(line)


def _trained(
    file: Path, data: Path, kind: str, model: str, samples: int | None, keep: bool, quiet: bool
) -> dict[str, Any]:
    """Train the LoRA, or take the one that is there; return what is known of the training."""
    from triptych.adapters.lora import read_metadata
    from triptych.cli.catalogue import registry
    from triptych.cli.output import tell
    from triptych.evals.lora_sets import KINDS
    from triptych.training.journal import Journal
    from triptych.training.lora import LoraRun, train_lora

    one = KINDS[kind]
    if not file.exists():
        started = time.monotonic()
        run = LoraRun(data, file, model, samples=samples, trigger=one.trigger, like=one.like, keep=keep)
        train_lora(run, registry(), resume=True, report=lambda line: tell(f"{model}, {kind}: {line}", quiet=quiet))
        tell(f"{model}, {kind}: trained in {time.monotonic() - started:.0f} s", quiet=quiet)
    steps = int(read_metadata(file).get("ss_steps", "0"))
    seconds = Journal(file.with_suffix(".training"), "", lambda line: None).seconds()
    return {"steps": steps, "seconds": round(seconds), "bytes": file.stat().st_size}


def _line(model: str, kind: str, lesson: Lesson) -> str:
    return (
        f"{model}, {kind}: looks {lesson.before.value:.2f} -> {lesson.after.value:.2f} (floor {lesson.floor:.2f}), "
        f"{lesson.way_of_looks:.0%} of the way, of likeness {lesson.way_of_likeness:.0%}; kept {lesson.kept:.2f}; "
        f"others {lesson.others_before:.0%} -> "
        f"{lesson.others_after:.0%}"
    )


def _table(
    lessons: Mapping[str, Mapping[str, Lesson]], trained: Mapping[str, Mapping[str, dict[str, Any]]]
) -> list[str]:
    lines = [
        "| model, set | looks: before, after | floor | way | likeness: before, after, floor | way | composition "
        "kept (another's) | nearest shown picture (of fresh ones) | other things right: before, after | training |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for model, each in lessons.items():
        for kind, one in each.items():
            run = trained[model][kind]
            lines.append(
                f"| `{model}`, {kind} | {_interval(one.before)}, **{_interval(one.after)}** | {one.floor:.2f} | "
                f"{one.way_of_looks:.0%} | {one.likeness_before:.2f}, {one.likeness_after:.2f}, "
                f"{one.likeness_floor:.2f} | {one.way_of_likeness:.0%} | "
                f"{one.kept:.2f} ({one.kept_of_others:.2f}) | {one.nearest:.0f} ({one.nearest_fresh:.0f}) | "
                f"{one.others_before:.0%}, {one.others_after:.0%} | "
                f"{run['steps']} steps, {run['seconds'] / 60:.1f} min, {run['bytes'] / 2**20:.1f} MiB |"
            )
    return lines


def _interval(distance: Any) -> str:
    return f"{distance.value:.2f} [{distance.low:.2f}, {distance.high:.2f}]"


def _sheet(path: Path, drawn: Mapping[str, Mapping[str, Shots]]) -> Path:
    """For each set what was shown, the first model's pictures before, and every model's with the LoRA."""
    import io

    import numpy as np
    from PIL import Image

    from triptych.cli.grid import Cell, draw_grid
    from triptych.core.files import write_atomically

    def small(pictures: Sequence[Any]) -> list[Cell]:
        found: list[Cell] = []
        for picture in pictures[:COLUMNS]:
            cell = Image.fromarray(picture.pixels).resize((CELL, CELL), Image.Resampling.LANCZOS)
            found.append(Cell(np.asarray(cell)))
        return found

    labels: list[str] = []
    rows: list[list[Cell]] = []
    for kind, models in drawn.items():
        for number, (model, shots) in enumerate(models.items()):
            if not number:
                labels.append(f"{kind}: shown")
                labels.append(f"{model} before")
                rows += [small(shots.shown), small(shots.before)]
            labels.append(f"{model} after")
            rows.append(small(shots.after))
    title = "LoRA: what was shown, and fresh prompts before and after"
    whole = Image.fromarray(draw_grid(title, [""] * COLUMNS, labels, rows))
    buffer = io.BytesIO()
    whole.quantize(INKS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return write_atomically(path, buffer.getvalue())
