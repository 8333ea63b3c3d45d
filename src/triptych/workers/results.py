"""Pictures of jobs on the disk: `pictures/<job>-<index>.png`, published whole, and read again after a crash.

The file is the truth: whatever an earlier attempt published is not painted again, and its recipe says all about it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.readers import read_recipe
from triptych.core.recipe import Recipe
from triptych.jobs.publishing import publish

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Pictures:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    def publish(self, job: str, index: int, about: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Recipe]:
        """Write the file; what the job's result says of it. `ValueError` for what no worker of ours would send."""
        if not data.startswith(SIGNATURE):
            raise ValueError("what came as a picture is no PNG file")
        recipe = Recipe.parse(about["recipe"], source="the recipe of a worker's picture")
        path = publish(self._path(job, index), data)
        return _image(path, recipe, int(about["width"]), int(about["height"])), recipe

    def of(self, job: str) -> dict[int, dict[str, Any]]:
        """index -> image, of every picture of the job that is there and whole."""
        found: dict[int, dict[str, Any]] = {}
        for path in self.folder.glob(f"{job}-*.png"):
            with contextlib.suppress(FileProblem, ValueError):
                recipe = read_recipe(path)
                request = recipe.request
                if request is not None and request.width and request.height:
                    found[int(path.stem.rpartition("-")[2])] = _image(path, recipe, request.width, request.height)
        return found

    def told(self, job: str) -> dict[str, Any]:
        """What a worker tells of a finished job, from the recipe of its first picture. Notes and times are lost."""
        recipe = read_recipe(self._path(job, 0))
        plan = recipe.request.plan if recipe.request else None
        return {
            "notes": [],
            "model": recipe.model,
            "family": recipe.family,
            "seconds": {},
            "plan": plan.model_dump(mode="json") if plan else None,
        }

    def _path(self, job: str, index: int) -> Path:
        return self.folder / f"{job}-{index}.png"


def _image(path: Path, recipe: Recipe, width: int, height: int) -> dict[str, Any]:
    return {
        "path": str(path),
        "seed": recipe.request.seed if recipe.request else None,
        "width": width,
        "height": height,
        "pixels_sha256": recipe.pixels_sha256,
        "format": "png",
    }
