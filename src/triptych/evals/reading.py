"""What a reader says about a picture: the things that it found, and what it read from each.

The types alone, without torch: rules and pages work on readings, wherever they come from. `true_reading`, made from a
render's own scene, is what a reader without faults would say, and the known answer of every test.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.plan import Box
from triptych.scenes import Scene
from triptych.scenes.nouns import NOUNS


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing. `score` and `visible` (the share of it that nothing hides) lie in 0..1.

    colours: probability of each named colour, empty where the reader has no opinion. box: fractions of the picture.
    text: what a sign says. face: the eighteen numbers of `scenes.identity.Face`. shadow: where the shadow's tip falls,
    seen from the thing's foot, as (right, up) in shares of the thing's height; None for a thing without one.
    """

    noun: str
    score: float
    box: Box
    colours: dict[str, float]
    visible: float = 1.0
    text: str | None = None
    face: tuple[float, ...] | None = None
    shadow: tuple[float, float] | None = None

    @property
    def colour(self) -> str | None:
        """The likeliest named colour."""
        return max(self.colours, key=self.colours.__getitem__) if self.colours else None


@dataclass(frozen=True, slots=True)
class Reading:
    """A whole picture: things by falling score, and the probability of each background."""

    things: tuple[Detection, ...] = ()
    backgrounds: dict[str, float] | None = None

    @property
    def background(self) -> str | None:
        return max(self.backgrounds, key=self.backgrounds.__getitem__) if self.backgrounds else None


def true_reading(scene: Scene) -> Reading:
    """What a reader without faults says of a scene's render. A thing in its natural colour has that colour."""
    things = []
    for thing in scene.objects:
        colour = thing.colour or NOUNS[thing.noun].natural
        things.append(
            Detection(
                noun=thing.noun,
                score=1.0,
                box=thing.box,
                colours={colour: 1.0} if colour else {},
                text=thing.text,
                face=thing.face.vector() if thing.face else None,
            )
        )
    return Reading(tuple(things), {scene.background: 1.0})
