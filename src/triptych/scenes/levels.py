"""The levels of the world: how much of it a model has to learn.

A model with little compute masters a small world instead of blurring a large one; its card names the level it knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.errors import InvalidRequest, one_of
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.colours import COLOURS
from triptych.scenes.nouns import MADE_NOUNS, NOUNS, SHAPE_NOUNS, SMALL_NOUNS

_MADE = {noun.name for noun in MADE_NOUNS}

LIGHTS: tuple[str, ...] = ("left", "right", "above", "behind")
"""Where the light comes from. Shadows fall the other way; with light from behind, towards the viewer."""

SIZES: tuple[str, ...] = ("tiny", "small", "normal", "large")
PLACES: tuple[str, ...] = (
    "left", "right", "top", "bottom", "centre", "top left", "top right", "bottom left", "bottom right",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Level:
    """What scenes of a level may hold.

    `max_things` counts every single thing, `max_kinds` the different ones. `sign_share` and `face_share` are the
    shares of groups that are a sign or a face. With `details`, captions may say whether there are clouds or trees.
    """

    name: str
    nouns: tuple[str, ...]
    colours: tuple[str, ...]
    backgrounds: tuple[str, ...]
    max_kinds: int
    max_things: int
    sizes: tuple[str, ...] = ("small", "normal", "large")
    places: tuple[str, ...] = PLACES
    lights: tuple[str, ...] = LIGHTS
    sign_share: float = 0.0
    face_share: float = 0.0
    details: bool = False

    def __post_init__(self) -> None:
        if not (1 <= self.max_kinds <= 3 and 1 <= self.max_things <= 6):
            raise InvalidRequest("level", f"{self.name}: max_kinds is 1 to 3 and max_things 1 to 6")
        for name in self.nouns:
            one_of("level", name, NOUNS)

    @property
    def sprites(self) -> tuple[str, ...]:
        """The nouns with one drawing each: all but signs and faces."""
        return tuple(name for name in self.nouns if name not in _MADE)


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
            nouns=tuple(NOUNS),
            colours=tuple(COLOURS),
            backgrounds=tuple(BACKGROUNDS),
            max_kinds=3,
            max_things=6,
            sizes=SIZES,
            sign_share=0.12,
            face_share=0.1,
            details=True,
        ),
    )
}


def level_of(level: str | Level) -> Level:
    """The level itself, or the one of that name. Raises `InvalidRequest` for an unknown name."""
    if isinstance(level, Level):
        return level
    return LEVELS[one_of("level", level, LEVELS)]
