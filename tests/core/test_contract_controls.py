"""Control maps against the contract: blank ones, and ones of another size or shape."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Control
from triptych.core.request import Request

TAKES = Capabilities(
    family="flow", native_size=(128, 128), samplers=("euler",), schedules=("linear",), steps_range=(1, 50),
    controls=("edges", "depth", "pose", "segmentation"),
)  # fmt: skip


def told(kind: str, pixels: np.ndarray, **more: float) -> list[str]:
    control = Control.model_validate({"kind": kind, "map": Asset.of(pixels, "map.png"), **more})
    _, notes = resolve(Request.make(prompt="a fox", controls=(control,)), TAKES, name="it")
    return [f"{note.action}: {note.text}" for note in notes if note.parameter == "controls"]


def drawn(width: int, height: int) -> np.ndarray:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[height // 4 : height // 2] = 255
    return pixels


@pytest.mark.parametrize("value", [0, 255])
def test_blank_edges_are_refused(value: int) -> None:
    with pytest.raises(InvalidRequest, match=r"edges: the map 'map.png' is blank; there is no edge to follow"):
        told("edges", np.full((128, 128, 3), value, np.uint8))


@pytest.mark.parametrize("kind", ["depth", "pose", "segmentation"])
def test_other_blank_maps_get_a_note(kind: str) -> None:
    assert told(kind, np.zeros((128, 128, 3), np.uint8)) == [
        f"note: {kind}: the map is blank, which asks for an empty picture"
    ]


def test_a_map_that_is_switched_off_is_not_looked_at() -> None:
    assert told("edges", np.zeros((128, 128, 3), np.uint8), weight=0) == ["ignored: edges: weight 0 switches it off"]


def test_a_map_of_the_picture_s_size_needs_no_note() -> None:
    assert told("edges", drawn(128, 128)) == []


def test_another_size_is_scaled_with_a_note() -> None:
    assert told("edges", drawn(512, 512)) == ["translated: edges: the map of 512x512 is scaled to 128x128"]


def test_another_shape_is_put_in_the_middle_with_a_note() -> None:
    assert told("depth", drawn(300, 200)) == [
        "translated: depth: the map of 300x200 has another shape than 128x128; it is put in the middle"
    ]
