"""Where maps have things, and plans that were moved there."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.control import Thing, depth, pose, segmentation
from triptych.control.blobs import Blob, blobs, moved_to
from triptych.control.reach import components, reached
from triptych.control.things import legend
from triptych.core.plan import Box, Plan, PlanObject

SIZE = (128, 128)
COLOURS = legend(["fox", "car", "star"])
PLACES: dict[str, Box] = {"fox": (0.05, 0.5, 0.3, 0.9), "car": (0.5, 0.6, 0.95, 0.85), "star": (0.6, 0.05, 0.8, 0.25)}


def thing(noun: str, box: Box) -> Thing:
    mask = np.zeros(SIZE[::-1], bool)
    x0, y0, x1, y1 = (round(side * 128) for side in box)
    mask[y0:y1, x0:x1] = True
    return Thing(noun, mask, box)


THINGS = [thing(noun, box) for noun, box in sorted(PLACES.items(), key=lambda item: item[1][3])]


def outlined(boxes: list[Box]) -> np.ndarray:
    lines = np.zeros((128, 128), np.uint8)
    for x0, y0, x1, y1 in boxes:
        a, b, c, d = (round(side * 128) for side in (x0, y0, x1, y1))
        lines[b : d + 1, [a, c]] = lines[[b, d], a : c + 1] = 255
    return np.repeat(lines[..., None], 3, axis=-1)


def near(first: Box, second: Box, within: float = 0.04) -> bool:
    return all(abs(a - b) <= within for a, b in zip(first, second, strict=True))


MAPS = {
    "segmentation": segmentation(THINGS, SIZE, COLOURS),
    "depth": depth(THINGS, SIZE, horizon=0.4),
    "pose": pose(THINGS, SIZE),
    "edges": outlined(list(PLACES.values())),
}


@pytest.mark.parametrize("kind", MAPS)
def test_every_kind_of_map_tells_where_things_stand(kind: str) -> None:
    found = blobs(kind, MAPS[kind], COLOURS)
    assert len(found) == 3
    for noun, box in PLACES.items():
        (same,) = [blob for blob in found if near(blob.box, box)]
        assert same.noun == (noun if kind == "segmentation" else None)


@pytest.mark.parametrize("kind", MAPS)
def test_blank_and_noisy_maps_tell_nothing(kind: str) -> None:
    assert blobs(kind, np.zeros((64, 64, 3), np.uint8), COLOURS) == []
    if kind != "segmentation":
        ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[:, None], 64, axis=1)
        assert blobs(kind, np.repeat(ramp[..., None], 3, axis=-1), COLOURS) == []


def test_specks_belong_to_the_large_thing_beside_them_and_far_ones_to_nothing() -> None:
    mask = np.zeros((128, 128), bool)
    mask[40:80, 40:80] = True
    mask[36:38, 84:86] = True
    mask[5:7, 5:7] = True
    (one,) = blobs("segmentation", segmentation([Thing("fox", mask, (0, 0, 1, 1))], SIZE, COLOURS), COLOURS)
    assert one.box == (40 / 128, 36 / 128, 86 / 128, 80 / 128)


def test_open_lines_enclose_nothing() -> None:
    lines = np.zeros((64, 64, 3), np.uint8)
    lines[30] = 255
    lines[10:50, 20] = 255
    assert blobs("edges", lines, COLOURS) == []


def plan(*objects: tuple[str, Box], colour: str | None = None) -> Plan:
    return Plan(background="snow", objects=tuple(PlanObject(noun=n, box=box, colour=colour) for n, box in objects))


def test_things_go_to_the_places_of_their_shape() -> None:
    written = plan(("car", (0.1, 0.1, 0.6, 0.38)), ("fox", (0.6, 0.5, 0.85, 0.9)))
    found = [Blob(PLACES["fox"]), Blob(PLACES["car"])]
    moved = moved_to(written, found, whole=True)
    assert moved is not None
    assert {each.noun: each.box for each in moved.objects} == {noun: PLACES[noun] for noun in ("fox", "car")}
    assert moved.background == "snow"


def test_what_stands_lower_is_in_front() -> None:
    written = plan(("fox", (0, 0, 0.4, 0.4)), ("fox", (0.5, 0, 0.9, 0.4)))
    moved = moved_to(written, [Blob((0.1, 0.5, 0.4, 0.8)), Blob((0.5, 0.1, 0.8, 0.4))], whole=True)
    assert moved is not None
    assert [each.box[3] for each in moved.objects] == [0.4, 0.8]


def test_a_count_that_does_not_fit_leaves_the_plan_alone() -> None:
    written = plan(("fox", PLACES["fox"]))
    two = [Blob(PLACES["fox"]), Blob(PLACES["car"])]
    assert moved_to(written, two, whole=True) is None
    assert moved_to(written, [], whole=True) is None
    assert moved_to(plan(), two, whole=False) is None
    assert moved_to(plan(*[("fox", PLACES["fox"])] * 9), two * 5, whole=False) is None


def test_of_more_outlines_than_things_the_likeliest_are_taken() -> None:
    written = plan(("fox", (0.5, 0.4, 0.75, 0.8)))
    moved = moved_to(written, [Blob((0.1, 0.1, 0.4, 0.18)), Blob(PLACES["fox"])], whole=False)
    assert moved is not None
    assert moved.objects[0].box == PLACES["fox"]


def test_named_places_make_the_plan_s_things_and_keep_their_colours() -> None:
    written = plan(("fox", (0, 0, 0.2, 0.3)), colour="blue")
    found = [Blob(PLACES["car"], "car"), Blob(PLACES["fox"], "fox"), Blob(PLACES["star"], "fox")]
    moved = moved_to(written, found, whole=True)
    assert moved is not None
    assert [(each.noun, each.colour, each.box) for each in moved.objects] == [
        ("car", None, PLACES["car"]),
        ("fox", "blue", PLACES["fox"]),
        ("fox", "blue", PLACES["star"]),
    ]


def test_parts_are_joined_by_corners() -> None:
    mask = np.eye(5, dtype=bool)
    mask[0, 4] = True
    assert [part.sum() for part in components(mask)] == [5, 1]
    start = np.zeros((5, 5), bool)
    start[4, 4] = True
    assert reached(mask, start).sum() == 5
