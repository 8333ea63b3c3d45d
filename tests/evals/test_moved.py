"""What moved between two pictures, and where the light comes from, told from readings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from triptych.evals.lighting import light_of
from triptych.evals.moved import matched, moved
from triptych.evals.reading import Detection, Reading
from triptych.scenes.render import FALL

FOX = Detection("fox", 0.9, (0.1, 0.5, 0.4, 0.8), {"orange": 1.0}, shadow=FALL["left"])
CAR = Detection("car", 0.9, (0.6, 0.6, 0.9, 0.8), {"red": 1.0}, shadow=FALL["left"])
BEFORE = Reading((FOX, CAR), {"meadow": 1.0})
GREY = np.full((50, 50, 3), 100, np.uint8)


def at(thing: Detection, *box: float) -> Detection:
    return dataclasses.replace(thing, box=box)  # type: ignore[arg-type]


def found(after: Reading, pixels: np.ndarray = GREY):
    return moved(BEFORE, after, GREY, pixels, (0, 10))


def test_nothing_moves_in_the_same_picture() -> None:
    assert found(BEFORE).changed == ()
    assert found(BEFORE).as_json()["rest_mean_difference"] == 0


@pytest.mark.parametrize(
    ("thing", "status"),
    [
        (at(FOX, 0.3, 0.5, 0.6, 0.8), "moved"),
        (at(FOX, 0.05, 0.45, 0.45, 0.85), "resized"),
        (at(FOX, 0.11, 0.5, 0.41, 0.8), "same"),
        (dataclasses.replace(FOX, colours={"blue": 1.0}), "recoloured"),
        (dataclasses.replace(FOX, box=(0.3, 0.5, 0.6, 0.8), colours={"blue": 1.0}), "recoloured and moved"),
    ],
)
def test_a_thing_is_told_to_have_moved_or_changed(thing: Detection, status: str) -> None:
    told = found(Reading((thing, CAR), {"meadow": 1.0}))
    assert [each.status for each in told.things] == [status, "same"]


def test_what_comes_and_what_goes_and_what_changes_around() -> None:
    owl = Detection("owl", 0.8, (0.5, 0.1, 0.6, 0.2), {"brown": 1.0})
    dark = GREY.copy()
    dark[:20] = 40
    told = found(Reading((CAR, owl), {"night": 1.0}), dark)
    assert told.changed == ("background: meadow -> night", "fox: gone", "owl: new")
    assert told.rest > 20
    assert told.as_json()["things"][0]["mean_difference"] == 0


def test_two_of_a_noun_are_matched_by_where_they_stand() -> None:
    left, right = at(FOX, 0.0, 0.5, 0.3, 0.8), at(FOX, 0.6, 0.5, 0.9, 0.8)
    assert matched((left, right), (at(right, 0.55, 0.5, 0.85, 0.8), at(left, 0.1, 0.5, 0.4, 0.8))) == {0: 1, 1: 0}


@pytest.mark.parametrize("light", ["left", "right", "behind"])
def test_shadows_tell_the_light(light: str) -> None:
    things = tuple(dataclasses.replace(thing, shadow=FALL[light]) for thing in (FOX, CAR))
    assert light_of(Reading(things, None)) == light


def test_without_a_shadow_or_with_light_from_above_no_light_is_told() -> None:
    bare = dataclasses.replace(FOX, shadow=None)
    above = dataclasses.replace(FOX, shadow=FALL["above"])
    assert light_of(Reading((bare,), None)) is None
    assert light_of(Reading((above,), None)) is None
    assert light_of(Reading((), None)) is None
