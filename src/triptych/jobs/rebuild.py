"""The gallery again from the pictures themselves: each carries its recipe. Knows no database but the table's rows."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from triptych.core.errors import FileProblem
from triptych.core.metadata import FORMATS
from triptych.core.readers import read_recipe
from triptych.core.recipe import Recipe
from triptych.jobs.crash import crash_point
from triptych.jobs.gallery import note
from triptych.jobs.schema import pictures

logger = logging.getLogger(__name__)

PICTURES = "pictures"


def rebuild(connection: Connection, folder: Path) -> int:
    """Note every picture of `folder` that has a recipe of ours and is not in the gallery; how many there were."""
    known = set(connection.execute(select(pictures.c.path)).scalars())
    added = 0
    for path, made, recipe in _with_recipes(folder):
        if str(path) not in known:
            note(connection, str(path), recipe, made)
            crash_point("rebuild.row")
            added += 1
    return added


def _with_recipes(folder: Path) -> Iterator[tuple[Path, str, Recipe]]:
    """(path, time of the last change, recipe) of each picture, the oldest first. What cannot be read is passed by."""
    found = [
        (path.stat().st_mtime, path)
        for path in folder.glob("*")
        if path.suffix.lower() in FORMATS and path.is_file() and not path.name.startswith(".")
    ]
    for changed, path in sorted(found):
        try:
            recipe = read_recipe(path)
        except FileProblem as error:
            logger.warning("not in the rebuilt gallery: %s", error)
            continue
        yield path.absolute(), datetime.fromtimestamp(changed, UTC).isoformat(timespec="seconds"), recipe
