"""The levels of the world: how much of it a model has to learn.

A model with little compute masters a small world instead of blurring a large one; its card names the level it knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.errors import one_of
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.colours import COLOURS
from triptych.scenes.nouns import GLYPH_NOUNS, SHAPE_NOUNS, SMALL_NOUNS

LIGHTS: tuple[str, ...] = ("left", "right", "above", "behind")
"""Where the light comes from. Shadows fall the other way; with light from behind, towards the viewer."""

SIZES: tuple[str, ...] = ("tiny", "small", "normal", "large")
PLACES: tuple[str, ...] = (
    "left", "right", "top", "bottom", "centre", "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """What scenes of a level may hold. `max_things` counts every single thing, `max_kinds` the different ones."""

    name: str
    nouns: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[str, ...]
    max_kinds: int
    max_things: int
    sizes: tuple[str, ...] = ("small", "normal", "large")
    places: tuple[str, ...] = PLACES
    lights: tuple[str, ...] = LIGHTS
    signs: bool = False
    faces: bool = False


_SMALL_COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
_SMALL_BACKGROUNDS = (
    "plain", "meadow", "beach", "night", "snow", "forest", "desert", "room", "underwater", "sunset",
)  # fmt: skip

LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level(
            name="shapes",
            nouns=tuple(noun.name for noun in SHAPE_NOUNS),
            colours=_SMALL_COLOURS,
            backgrounds=("plain", "meadow", "night"),
            max_kinds=3,
            max_things=4,
        ),
        Level(
            name="small",
            nouns=SMALL_NOUNS,
            colours=_SMALL_COLOURS,
            backgrounds=_SMALL_BACKGROUNDS,
            max_kinds=3,
            max_things=4,
        ),
        Level(
            name="full",
            nouns=tuple(noun.name for noun in (*GLYPH_NOUNS, *SHAPE_NOUNS)),
            colours=tuple(COLOURS),
            backgrounds=tuple(BACKGROUNDS),
            max_kinds=3,
            max_things=6,
            sizes=SIZES,
            signs=True,
            faces=True,
        ),
    )
}


def level_of(level: str | Level) -> Level:
    """The level itself, or the one of that name. Raises `InvalidRequest` for an unknown name."""
    if isinstance(level, Level):
        return level
    return LEVELS[one_of("level", level, LEVELS)]
