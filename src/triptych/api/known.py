"""What is known of a picture that is to be edited: its plan, from its recipe or from readers that look at it.

A picture of ours carries the plan that it was painted from, or that an edit left; of any other the readers say what
they see, the light by the shadows.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from triptych.api.results import Image
from triptych.api.seeing import readers, seen
from triptych.api.sources import Picture, Source, open_source, rgb
from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.plan import Plan
from triptych.core.readers import read_recipe
from triptych.core.recipe import Recipe, pixels_sha256
from triptych.editing.instruct.apply import plainly
from triptych.evals.lighting import light_of

PLANNED = ("edit", "vary")
"""Steps whose settings may hold the plan of the whole picture that they made."""


@dataclass(frozen=True)
class Known:
    """picture: what is edited. plan: what stands in it. seed: what it was painted with, None if nobody knows.

    by: who says so. light_known: whether a plan without light means that there is none in particular.
    """

    picture: Picture
    plan: Plan
    seed: int | None
    by: Literal["recipe", "readers"]

    @property
    def light_known(self) -> bool:
        return self.by == "recipe"


def know(picture: Source, *, fresh: bool = False) -> Known:
    """What stands in a picture. fresh: as its pixels show, whatever its recipe says.

    Raises `FileProblem` where it cannot be read, or nobody can look at it.
    """
    opened = open_source(picture, fresh=fresh)
    recipe = None if fresh else _recipe_of(picture, opened.pixels)
    plan = plan_in(recipe) if recipe else None
    if recipe is not None and plan is not None:
        return Known(opened, plainly(plan), recipe.request.seed if recipe.request else None, "recipe")
    return Known(opened, look(rgb(opened.pixels)), None, "readers")


def look(pixels: Pixels) -> Plan:
    """The plan of what readers see in a picture, uint8 (H, W, 3)."""
    reading = readers().read([pixels])[0]
    return seen(reading).plan.model_copy(update={"light": light_of(reading)})


def plan_in(recipe: Recipe) -> Plan | None:
    """The plan of the whole picture that a recipe made, where it holds one. `FileProblem` if that is damaged."""
    if recipe.step is None:
        return recipe.request.plan if recipe.request else None
    found = recipe.step.settings.get("plan") if recipe.step.op in PLANNED else None
    return None if found is None else Plan.parse(found)


def _recipe_of(picture: Source, pixels: Pixels) -> Recipe | None:
    """The recipe of these very pixels, if there is one."""
    if isinstance(picture, Image):
        return picture.recipe
    if not isinstance(picture, str | Path):
        return None
    try:
        recipe = read_recipe(Path(picture))
    except FileProblem:
        return None
    return recipe if recipe.pixels_sha256 == pixels_sha256(pixels) else None
