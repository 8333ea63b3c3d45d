"""`triptych upscale`: a picture at a larger size."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

NAMED = {"2k": 2048, "4k": 4096}
"""Sizes that have names: their longer sides."""


def upscale(
    image: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP picture; - reads it from stdin.")],
    to: Annotated[str | None, typer.Option(help="Longer side in pixels, or 2k (2048) or 4k (4096).")] = None,
    scale: Annotated[float | None, typer.Option(help="Factor instead: 2, 4, or any above 1. Default: 4.")] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="upscaler, or a safetensors file of ESRGAN, Compact or SPAN.")
    ] = "upscaler",
    out: Annotated[
        str | None, typer.Option("--out", "-o", help="File, folder, or -. Default: the picture's name and the size.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes, hints or progress.")] = False,
) -> None:
    """Make a picture larger with a network that was trained for it.

    The built-in network knows picture-book scenes best; docs/upscaling.md has its figures, and how to use others.
    """
    import shlex

    from triptych.cli.keeping import remember
    from triptych.cli.output import show, show_bytes, show_json, tell, tell_notes
    from triptych.cli.targets import slug, target
    from triptych.core.errors import InvalidRequest
    from triptych.core.metadata import format_of
    from triptych.core.pictures import open_picture

    longer = longer_side(to)
    factor = 4.0 if to is None and scale is None else scale
    where = target(out, 1, default=f"{slug(image.stem)}-upscaled.png", as_json=as_json)
    path = where.path(prompt=image.stem, seed=None, index=0, model=model) if where else None
    # Opened here first: a file that is no picture is refused before torch is imported.
    opened = open_picture(image)
    if path and format_of(path) == "JPEG" and opened.pixels.shape[2] == 4:
        raise InvalidRequest("out", "JPEG knows no transparency, which this picture has; write png or webp")

    from triptych.api.sources import Picture
    from triptych.api.upscale import upscale as enlarge
    from triptych.upscaling.enlarge import target_size

    target_size(opened.pixels.shape[1], opened.pixels.shape[0], to=longer, scale=factor)
    with tile_progress(quiet=quiet) as on_tile:
        # Not the path: stdin can be read only once.
        source = Picture(opened.pixels, opened.name, notes=opened.notes, profile=opened.profile)
        made = enlarge(source, to=longer, scale=factor, model=model, on_tile=on_tile)
    if path is None:
        show_bytes(made.image.encode())
        return
    made.image.save(path)
    remember(path, made.image.recipe, quiet=quiet)
    notes = made.notes
    height, width = made.image.pixels.shape[:2]
    if as_json:
        show_json(
            {
                "path": str(path),
                "width": width,
                "height": height,
                "model": made.model,
                "seconds": made.seconds,
                "notes": [note.as_json() for note in notes],
                "pixels_sha256": made.image.recipe.pixels_sha256,
                "recipe": made.image.recipe.as_json(),
            }
        )
        return
    tell_notes(notes, quiet=quiet)
    show(path)
    total = f"{made.seconds['total']:.1f} s"
    tell(f"{width}x{height} by {made.model}, {total}. Again: triptych replay {shlex.quote(str(path))}", quiet=quiet)


def longer_side(to: str | None) -> int | None:
    """Pixels of "2048", "2k" or "4k"; `InvalidRequest` for anything else."""
    from triptych.core.errors import InvalidRequest

    if to is None:
        return None
    text = to.strip().lower()
    if text in NAMED:
        return NAMED[text]
    if not text.isdecimal() or len(text) > 6 or int(text) < 1:
        raise InvalidRequest("to", f"{to!r} is not allowed: the longer side in pixels, or 2k or 4k")
    return int(text)


@contextmanager
def tile_progress(*, quiet: bool) -> Generator[Callable[[int, int], None]]:
    """A bar over the tiles on stderr, only on a terminal. Gives the function that takes (done, total)."""
    import sys

    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(compact=True)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading the upscaler", total=None)
        yield lambda done, total: bar.update(task, description="enlarging", completed=done, total=total)
