"""Canvases: where the picture lies, what is new, where new things go, and that the way back keeps every pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.core.plan import Plan, PlanObject
from triptych.editing.outpaint import Canvas, Extents, extents_from, going_on
from triptych.editing.seam import seam

NATIVE = (64, 64)


def noise(width: int, height: int, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, channels), dtype=np.uint8)


def test_extents_are_read_from_words() -> None:
    assert Extents.parse("left=64, right=32") == Extents(left=64, right=32)
    assert Extents.parse("top=1,bottom=2,left=3,right=4").as_tuple == (3, 1, 4, 2)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rigth=64", "did you mean 'right'"),
        ("64", "EDGE=PIXELS"),
        ("", "EDGE=PIXELS"),
        ("left=64,left=3", "left is given twice"),
        ("left=half", "whole pixels"),
        ("left=1.5", "whole pixels"),
    ],
)
def test_what_cannot_be_read_is_said(text: str, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint) as raised:
        Extents.parse(text)
    assert raised.value.parameter == "extend"


@pytest.mark.parametrize(
    ("extents", "size", "parameter", "complaint"),
    [
        (Extents(left=-3), (64, 64), "extend", "left=-3 is not allowed: 0 to 256"),
        (Extents(top=300), (64, 80), "extend", "in two steps"),
        (Extents(), (64, 64), "extend", "moves no edge"),
        (Extents(right=8), (31, 500), "image", "31x500; at least 32"),
        (Extents(right=9000, bottom=9000), (4000, 3000), "extend", "megapixels"),
    ],
)
def test_absurd_extents_are_refused(extents: Extents, size: tuple[int, int], parameter: str, complaint: str) -> None:
    with pytest.raises(InvalidRequest, match=complaint) as raised:
        extents.check(size)
    assert raised.value.parameter == parameter


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(32, 300), st.integers(32, 300)),
    st.tuples(*[st.integers(0, 90)] * 4).filter(any),
    st.sampled_from([3, 4]),
)
def test_every_pixel_of_the_picture_comes_back(
    size: tuple[int, int], moved: tuple[int, int, int, int], channels: int
) -> None:
    extents = Extents(*moved)
    canvas = Canvas.of(extents, size, NATIVE, 16)
    assert all(side % 16 == 0 for side in (*canvas.size, *canvas.origin, *canvas.inner))
    source = noise(*size, channels)
    start, free = canvas.start(source[:, :, :3]), canvas.free()
    assert (start.width, start.height) == (free.width, free.height) == canvas.size
    painted = np.random.default_rng(1).integers(0, 256, (canvas.size[1], canvas.size[0], 3), dtype=np.uint8)
    whole = canvas.result(source, painted)
    assert whole.shape == (size[1] + moved[1] + moved[3], size[0] + moved[0] + moved[2], channels)
    assert np.array_equal(whole[extents.place(size)], source)
    new = extents.new(size)
    assert new.sum() == whole[:, :, 0].size - size[0] * size[1]
    assert channels == 3 or (whole[:, :, 3][new] == 255).all()


def test_at_the_models_own_size_the_new_part_is_the_painted_one_brighter_by_what_the_border_lacks() -> None:
    """A strip that continues the picture's stripes 20 levels too dark is lifted by 20, and keeps its stripes."""
    rows = np.where(np.arange(64) % 16 < 8, 90, 150).astype(np.uint8)
    source = np.repeat(np.repeat(rows[:, None, None], 64, 1), 3, 2)
    extents = Extents(right=32)
    canvas = Canvas.of(extents, (64, 64), NATIVE, 16)
    assert canvas.size == (96, 64)
    painted = np.repeat(np.repeat((rows - 20)[:, None, None], 96, 1), 3, 2)
    whole = canvas.result(source, painted)
    assert np.abs(whole[:, 64:].astype(int) - rows[:, None, None]).max() <= 2
    found = seam(whole, extents.new((64, 64)), source)
    assert found.seam_error < 0.2


def test_the_edge_itself_goes_on_without_a_line_and_what_differs_dissolves() -> None:
    source = np.repeat(np.repeat((np.arange(64) * 3).astype(np.uint8)[:, None, None], 64, 1), 3, 2)
    extents = Extents(left=32, top=32)
    canvas = Canvas.of(extents, (64, 64), NATIVE, 16)
    painted = np.repeat(np.repeat((255 - np.arange(96) * 2).astype(np.uint8)[:, None, None], 96, 1), 3, 2)
    whole = canvas.result(source, painted).astype(int)
    assert np.abs(whole[32:, 31] - whole[32:, 32]).max() <= 8
    assert np.abs(whole[31, 32:] - whole[32, 32:]).max() <= 8
    assert np.abs(whole[32:, 16] - whole[32:, 40]).max() > 60  # further on it is what was painted


def test_a_large_result_meets_as_well_as_a_small_one() -> None:
    source = np.full((1000, 1000, 3), 120, np.uint8)
    extents = Extents(left=900, bottom=500)
    canvas = Canvas.of(extents, (1000, 1000), NATIVE, 16)
    painted = np.full((canvas.size[1], canvas.size[0], 3), 100, np.uint8)
    whole = canvas.result(source, painted)
    assert np.abs(whole.astype(int) - 120).max() <= 2


def test_the_start_is_the_picture_with_its_edges_drawn_out() -> None:
    rows = np.where(np.arange(64) < 30, 200, 90).astype(np.uint8)
    source = np.repeat(np.repeat(rows[:, None, None], 64, 1), 3, 2)
    canvas = Canvas.of(Extents(left=16, bottom=16), (64, 64), NATIVE, 16)
    start = canvas.start(source).pixels
    assert np.array_equal(start[:64, 16:], source)
    # The horizon goes on at its own height, and the ground below.
    assert np.array_equal(start[:64, :16], source[:, :16])
    assert (start[64:] == 90).all()


def test_what_the_edge_cuts_is_not_drawn_out() -> None:
    source = np.full((64, 64, 3), 120, np.uint8)
    source[20:30, 50:] = (250, 0, 0)  # short: taken for a thing by itself
    source[34:62, 40:] = (0, 0, 250)  # long: known to be one from the plan
    canvas = Canvas.of(Extents(right=16), (64, 64), NATIVE, 16)
    thing = PlanObject(noun="car", box=(40 / 80, 33 / 64, 1.0, 63 / 64))
    start = canvas.start(source, [thing]).pixels
    assert (start[:, 64:] == 120).all()


def test_new_things_are_painted_freely_and_the_rest_from_the_drawn_out_edges() -> None:
    canvas = Canvas.of(Extents(left=64), (64, 64), NATIVE, 16)
    thing = PlanObject(noun="fox", box=(0.125, 0.5, 0.25, 0.75))
    free = canvas.free([thing]).pixels
    assert (free[:, 64:] == 0).all()
    assert (free[32:48, 16:32] == 255).all()
    assert 0 < free[0, 0] < 255


def test_boxes_move_with_the_picture() -> None:
    canvas = Canvas.of(Extents(left=64), (64, 64), NATIVE, 16)
    (fox,) = canvas.boxes(Plan(objects=(PlanObject(noun="fox", box=(0.5, 0.0, 1.0, 1.0)),))).objects
    assert fox.box == pytest.approx((0.75, 0.0, 1.0, 1.0))


FOX = PlanObject(noun="fox", box=(0.1, 0.4, 0.4, 0.8))
OWL = PlanObject(noun="owl", box=(0.6, 0.4, 0.9, 0.8))


def test_new_things_go_to_the_side_on_which_they_were_planned() -> None:
    canvas = Canvas.of(Extents(left=64, right=64), (64, 64), NATIVE, 16)
    fox, owl = canvas.put((FOX, OWL), NATIVE)
    assert 0 <= fox.box[0] < fox.box[2] <= 1 / 3
    assert 2 / 3 <= owl.box[0] < owl.box[2] <= 1
    # In the model's own pixels they are as large as planned.
    assert (fox.box[2] - fox.box[0]) * canvas.size[0] == pytest.approx(0.3 * 64)
    assert (fox.box[3] - fox.box[1]) * canvas.size[1] == pytest.approx(0.4 * 64)


def test_new_things_stand_in_the_largest_strip_and_fit() -> None:
    canvas = Canvas.of(Extents(right=32, top=16), (64, 64), NATIVE, 16)
    things = canvas.put((FOX, OWL), NATIVE)
    x0, y0, x1, y1 = canvas.strips()["right"]
    for item in things:
        a, b, c, d = (side * canvas.size[k % 2] for k, side in enumerate(item.box))
        assert x0 <= a < c <= x1
        assert y0 <= b < d <= y1
        assert (c - a) / (d - b) == pytest.approx(0.75)


def test_a_thing_that_the_edge_cuts_goes_on_where_the_edge_moves() -> None:
    half_bus = PlanObject(noun="bus", box=(0.8, 0.5, 1.0, 0.8))
    plan = Plan(objects=(half_bus, FOX))
    bus, fox = going_on(plan, Extents(right=64), 1.0).objects
    assert bus.box[2] > 1
    assert bus.box[:2] == half_bus.box[:2]
    assert fox == FOX
    assert going_on(plan, Extents(left=64), 1.0) == plan


def test_settings_come_back_or_are_called_damaged() -> None:
    canvas = Canvas.of(Extents(left=5, bottom=9), (64, 64), NATIVE, 16)
    assert extents_from(canvas.as_json()) == canvas.extents
    with pytest.raises(FileProblem, match="damaged"):
        extents_from({"extend": {"left": 3}})
