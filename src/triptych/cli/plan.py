"""`triptych plan`: the plan alone, to look at and edit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DRAWN_SIDE = 512


def plan(
    prompt: Annotated[str, typer.Argument(help="What to plan; - reads it from stdin.")],
    model: Annotated[str, typer.Option("--model", "-m", help="Which model will paint it.")] = "flow",
    seed: Annotated[int | None, typer.Option(help="Same seed, same plan.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the plan (JSON) here; - is stdout.")] = None,
    draw: Annotated[Path | None, typer.Option(help="Draw the plan's boxes as a picture.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No hints.")] = False,
) -> None:
    """Write the plan of a picture: objects, boxes, colours, light, background."""
    import json
    import shlex

    from triptych.cli.catalogue import check_model
    from triptych.cli.output import STDIO, read_prompt, show, show_json, tell
    from triptych.core.errors import InvalidRequest
    from triptych.core.files import check_folder, write_atomically
    from triptych.core.metadata import format_of, save_picture
    from triptych.core.request import Request

    prompt = read_prompt(prompt)
    Request.make(prompt=prompt, model=model, seed=seed)
    if not prompt.strip():
        raise InvalidRequest("prompt", "is empty; there is nothing to plan")
    check_model(model)
    if str(out) == STDIO:
        out = None
    if draw:
        format_of(draw)
    for path in (out, draw):
        if path:
            check_folder(path.parent)

    from triptych import api

    written = api.plan(prompt, model=model, seed=seed)
    text = json.dumps(written.as_json(), ensure_ascii=False, indent=2)
    if out:
        write_atomically(out, (text + "\n").encode())
    if draw:
        import numpy as np

        from triptych.planning.draw import draw as drawing

        save_picture(draw, np.asarray(drawing(written, DRAWN_SIDE)))
    if as_json:
        show_json(written.as_json())
    elif out or draw:
        for path in filter(None, (out, draw)):
            show(path)
    else:
        show(text)
    if out:
        tell(f"edit it, then: triptych generate {shlex.quote(prompt)} --plan {shlex.quote(str(out))}", quiet=quiet)
