"""What is remembered of a picture once it is safe on the disk: the log, and the pictures that went into it."""

from __future__ import annotations

from pathlib import Path

from triptych.core.recipe import Recipe


def remember(path: Path, recipe: Recipe, *, quiet: bool = False) -> None:
    """Note the picture in the log and keep its inputs. A broken log or full disk is told, and nothing more."""
    from triptych.cli.inputs import keep_inputs
    from triptych.cli.output import tell
    from triptych.cli.settings import data_folder
    from triptych.core.errors import TriptychError
    from triptych.core.gallery import Gallery

    home = data_folder()
    for what, work in (
        ("log", lambda: Gallery(home).add(path, recipe)),
        ("inputs", lambda: keep_inputs(recipe, home / "inputs")),
    ):
        try:
            work()
        except TriptychError as error:
            tell(f"note  {what}: {error}", quiet=quiet)
