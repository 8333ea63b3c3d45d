"""`triptych control`: a map of a picture's structure, for `generate --control` to follow."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def control(
    kind: Annotated[str, typer.Argument(help="edges, segmentation, depth or pose.")],
    file: Annotated[Path, typer.Argument(help="The picture; - reads it from stdin.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The map. Default: NAME-KIND.png here.")] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Local folder of a depth or pose model, for photographs; never downloaded."),
    ] = None,
    sigma: Annotated[float | None, typer.Option(help="Edges: blur before looking, in pixels. Default: 1.")] = None,
    low: Annotated[float | None, typer.Option(help="Edges: slope that continues an edge. Default: 50.")] = None,
    high: Annotated[float | None, typer.Option(help="Edges: slope that begins one. Default: 120.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes or hints.")] = False,
) -> None:
    """Make a control map of a picture: edges, segmentation, depth or pose.

    Edges are the pixels' own. The others are exact for what Triptych planned, as good as the readers for what looks
    like the built-in world, and need --weights for photographs.
    """
    import shlex

    from triptych.cli.output import STDIO, show, show_json, tell, tell_notes
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.core.files import check_folder
    from triptych.core.inputs import CONTROL_KINDS
    from triptych.core.metadata import format_of, save_picture

    one_of("kind", kind, CONTROL_KINDS)
    given = {name: value for name, value in (("sigma", sigma), ("low", low), ("high", high)) if value is not None}
    if given and kind != "edges":
        raise InvalidRequest(next(iter(given)), f"not allowed with {kind}: it is a setting of edges")
    stem = "stdin" if str(file) == STDIO else file.stem
    out = out or Path(f"{stem}-{kind}.png")
    format_of(out)
    check_folder(out.parent)
    if out.exists() and str(file) != STDIO and file.exists() and out.samefile(file):
        raise InvalidRequest("out", f"{out} is the picture itself; give the map another name")

    from triptych.api.control import control_map

    made = control_map(kind, file, weights=weights, **given)
    path = save_picture(out, made.pixels)
    legend = {noun: f"#{r:02x}{g:02x}{b:02x}" for noun, (r, g, b) in (made.legend or {}).items()}
    if as_json:
        height, width = made.pixels.shape[:2]
        told = {"path": str(path), "kind": kind, "source": made.source, "width": width, "height": height}
        notes = {"notes": [note.as_json() for note in made.notes]}
        show_json(told | notes | ({"legend": legend} if made.legend is not None else {}))
        return
    tell_notes(made.notes, quiet=quiet)
    for noun, colour in legend.items():
        tell(f"{colour} {noun}", quiet=quiet)
    show(path)
    tell(f'follow it: triptych generate "..." --control {kind}={shlex.quote(str(path))}', quiet=quiet)
