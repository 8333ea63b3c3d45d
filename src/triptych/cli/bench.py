"""`triptych bench`: what the models can do, measured. `bench table` is the comparison table; others have own files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from triptych.cli.bench_advise import advise
from triptych.cli.bench_control import control
from triptych.cli.bench_dial import dial
from triptych.cli.bench_edits import edits
from triptych.cli.bench_lock import lock
from triptych.cli.bench_lora import lora
from triptych.cli.bench_memory import memory
from triptych.cli.bench_parity import parity
from triptych.cli.bench_readers import readers
from triptych.cli.bench_references import references
from triptych.cli.bench_route import route
from triptych.cli.bench_sampling import sampling
from triptych.cli.bench_seams import seams
from triptych.cli.bench_serve import serve
from triptych.cli.bench_upscale import upscale

if TYPE_CHECKING:
    from triptych.evals.table.sheets import Sheet
    from triptych.evals.table.subjects import Choice

app = typer.Typer(help="Measure the models.", rich_markup_mode=None, no_args_is_help=True)

BUILT_IN = "flow,diffusion,tokens"
PLANS = {"both": (True, False), "with": (True,), "without": (False,)}
QUICK_PROMPTS = 4


@app.callback()
def bench() -> None:
    """Measure the models."""


app.command()(readers)
app.command()(advise)
app.command()(route)
app.command()(sampling)
app.command()(memory)
app.command()(edits)
app.command()(upscale)
app.command()(lock)
app.command()(lora)
app.command()(dial)
app.command()(seams)
app.command()(control)
app.command()(references)
app.command()(serve)
app.command()(parity)


@app.command()
def table(
    models: Annotated[
        str, typer.Option(help="Names, or LABEL=FOLDER for a model folder such as that of a checkpoint.")
    ] = BUILT_IN,
    rows: Annotated[str | None, typer.Option(help="Rows, with commas. Default: all.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few prompts, one seed, low quality, with plans: minutes, not hours.")
    ] = False,
    seeds: Annotated[int | None, typer.Option(help="Pictures of each prompt. Default: 4.")] = None,
    quality: Annotated[str | None, typer.Option(help="low, medium or high. Default: medium.")] = None,
    plan: Annotated[str | None, typer.Option(help="with, without or both. Default: both.")] = None,
    split: Annotated[str, typer.Option(help="report, or development for choosing settings.")] = "report",
    prompts: Annotated[int | None, typer.Option(help="Only the first so many prompts of each row.")] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of pictures, readings and pages.")] = Path(
        "runs/table"
    ),
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Keep the pictures of an earlier run that still hold.")
    ] = True,
    reader: Annotated[Path | None, typer.Option(help="Folder of the readers, if not those of the package.")] = None,
    write_cards: Annotated[
        bool, typer.Option("--write-cards", help="Write the scores into the models' cards; needs a full report.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The table as one JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Compare models on the same prompts: painted, read by the readers, judged by rules.

    It can be killed at any moment and goes on where it was. OUT receives index.html, which shows every picture with
    what was read and whether it is right, and table.json, table.csv and table.md. docs/evaluation.md explains the rows.
    """
    from triptych.cli.output import show, show_json, tell
    from triptych.core.errors import InvalidRequest

    choice = _choice(rows, quick, seeds, quality, plan, split, prompts)
    if write_cards and not (choice.complete and True in choice.plans):
        raise InvalidRequest("write_cards", "needs the report split with all prompts, painted with plans")
    folders = _folders(models)

    from triptych.cli.subjects import CardReader, subject
    from triptych.core.registry import write_card
    from triptych.evals.table.build import Table, card_scores
    from triptych.evals.table.outputs import write_outputs
    from triptych.evals.table.sheets import as_text, sheets
    from triptych.evals.table.store import Store

    reads = CardReader.load(reader)
    subjects = [subject(label, folder) for label, folder in folders.items()]
    run = Table(subjects, choice, reads, Store(out, fresh=not resume), lambda line: tell(line, quiet=quiet))
    document = run.run()
    page = write_outputs(out, document, run.cells)
    if write_cards:
        for each in subjects:
            scores = card_scores(document, each.label)
            write_card(folders[each.label], each.card.model_copy(update={"scores": scores}))
            tell(f"{len(scores)} scores on the card of {each.label}", quiet=quiet)
    if as_json:
        show_json(document)
    elif not _shown_richly(sheets(document)):
        show(as_text(sheets(document)))
    tell(f"open {page} in a browser to see the pictures", quiet=quiet)


def _choice(
    rows: str | None,
    quick: bool,
    seeds: int | None,
    quality: str | None,
    plan: str | None,
    split: str,
    prompts: int | None,
) -> Choice:
    """The options as one choice; what is given wins over what --quick stands for. Raises `InvalidRequest`."""
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.evals.rows import ROWS, SPLITS
    from triptych.evals.table.subjects import EXTRAS, STEPS, Choice

    known = (*ROWS, *EXTRAS)
    default = tuple(name for name in known if not (quick and name == STEPS))
    chosen = tuple(one_of("rows", name.strip(), known) for name in rows.split(",")) if rows else default
    for name, value in (("seeds", seeds), ("prompts", prompts)):
        if value is not None and not 1 <= value <= 1000:
            raise InvalidRequest(name, f"{value} is not allowed: 1 to 1000")
    level: Any = one_of("quality", quality or ("low" if quick else "medium"), ("low", "medium", "high"))
    part: Any = one_of("split", split, SPLITS)
    return Choice(
        rows=tuple(dict.fromkeys(chosen)),
        seeds=seeds or (1 if quick else 4),
        quality=level,
        plans=PLANS[one_of("plan", plan or ("with" if quick else "both"), PLANS)],
        split=part,
        prompts=prompts or (QUICK_PROMPTS if quick else None),
    )


def _folders(models: str) -> dict[str, Path]:
    """Label -> model folder, each checked to be one. Raises `InvalidRequest` or `FileProblem`."""
    import re

    from triptych.cli.catalogue import check_model, registry
    from triptych.core.errors import InvalidRequest
    from triptych.core.registry import Card

    found: dict[str, Path] = {}
    for text in models.split(","):
        label, given, folder = text.strip().partition("=")
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,40}", label):
            raise InvalidRequest("models", f"{label!r} is not allowed as a name: small letters, digits, . _ and -")
        if label in found:
            raise InvalidRequest("models", f"{label!r} is given twice; LABEL=FOLDER gives it another name")
        if given:
            Card.read(Path(folder))
            found[label] = Path(folder)
            continue
        check_model(label)
        entry = registry().find(label)
        if entry.folder is None:
            raise InvalidRequest("models", f"{label!r} has no folder")
        found[label] = entry.folder
    return found


def _shown_richly(made: Sequence[Sheet]) -> bool:
    """On a terminal, draw the sheets in colour and say so; for pipes plain text is told."""
    import sys

    if not sys.stdout.isatty():
        return False
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for sheet in made:
        drawn = Table(title=sheet.title, title_justify="left", header_style="bold")
        for name in sheet.header:
            drawn.add_column(name)
        for row in sheet.rows:
            drawn.add_row(*map(Text, row))
        console.print(drawn)
        for note in sheet.notes:
            console.print(Text(note, style="dim"))
    return True
