"""Who a cartoon face is: eighteen numbers, and the words a person would use for them.

It knows nothing of pixels (`faces` draws them). Each number lies in 0..1, so that two identities can be compared by
their distance, and every face between two faces is a face.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from triptych.scenes.draw import Draw

HAIR_STYLES: tuple[str, ...] = ("bald", "short", "curly", "long", "bun", "spiky")
HAIR_COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (44, 38, 42),
    "brown": (104, 66, 40),
    "red": (190, 78, 36),
    "blond": (236, 196, 100),
    "grey": (166, 168, 176),
    "blue": (66, 116, 210),
}
EYE_COLOURS: dict[str, tuple[int, int, int]] = {
    "brown": (96, 58, 30),
    "green": (64, 138, 72),
    "blue": (58, 118, 206),
}
SKINS: dict[str, tuple[int, int, int]] = {
    "pale": (252, 222, 196),
    "tan": (228, 178, 132),
    "brown": (164, 110, 74),
    "dark": (102, 66, 46),
}
GLASSES: tuple[str, ...] = ("none", "none", "round", "square")  # none twice: every second face wears none
MOODS: tuple[str, ...] = ("sad", "calm", "smiling")


@dataclass(frozen=True, slots=True)
class Face:
    """An identity. Shapes are continuous; style, colours, glasses and mood are the named steps of their range."""

    skin: float
    width: float
    jaw: float
    hair_style: float
    hair_colour: float
    hair_volume: float
    eye_size: float
    eye_spacing: float
    eye_colour: float
    brow_weight: float
    brow_tilt: float
    nose: float
    mouth_width: float
    mood: float
    glasses: float
    freckles: float
    scar: float
    asymmetry: float

    def vector(self) -> tuple[float, ...]:
        """The eighteen numbers, in the order of the fields."""
        return dataclasses.astuple(self)

    @classmethod
    def from_vector(cls, vector: tuple[float, ...]) -> Face:
        """The face of eighteen numbers; each is held to 0..1."""
        return cls(*(min(max(float(value), 0.0), 1.0) for value in vector))

    def traits(self) -> dict[str, str]:
        """What can be said of the face in words; a trait that is not there is absent."""
        said = {
            "skin": step(SKINS, self.skin),
            "hair": step(HAIR_STYLES, self.hair_style),
            "hair colour": step(HAIR_COLOURS, self.hair_colour),
            "eyes": step(EYE_COLOURS, self.eye_colour),
            "mood": step(MOODS, self.mood),
        }
        if said["hair"] == "bald":
            del said["hair colour"]
        if step(GLASSES, self.glasses) != "none":
            said["glasses"] = step(GLASSES, self.glasses)
        if self.freckles > 0.75:
            said["freckles"] = "freckles"
        if self.scar_side is not None:
            said["scar"] = self.scar_side
        return said

    @property
    def scar_side(self) -> str | None:
        """The cheek with a scar, as the viewer sees it."""
        return "left" if self.scar > 0.9 else "right" if self.scar > 0.8 else None


def step(names: tuple[str, ...] | dict[str, tuple[int, int, int]], value: float) -> str:
    """The name whose equal share of 0..1 holds the value."""
    options = tuple(names)
    return options[min(int(value * len(options)), len(options) - 1)]


def draw_identity(draw: Draw) -> Face:
    return Face(*(draw.unit() for _ in dataclasses.fields(Face)))
