"""`triptych log`: every picture that was made here, newest first, searchable."""

from __future__ import annotations

from typing import Annotated

import typer


def log(
    query: Annotated[str, typer.Option("--query", "-q", help="Words of the prompt, model or path.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the pictures that were made here, newest first."""
    from triptych.cli.output import show, show_json
    from triptych.cli.settings import data_folder
    from triptych.core.gallery import Gallery

    rows = Gallery(data_folder()).search(query, limit)
    if as_json:
        show_json({"pictures": [row.as_json() for row in rows]})
        return
    for row in rows:
        prompt = " ".join(row.prompt.split())
        shown = prompt if len(prompt) <= 60 else prompt[:57] + "..."
        show(f"{row.made[:16].replace('T', ' ')}  {row.model:<10}  seed {row.seed}  {shown}  {row.path}")
