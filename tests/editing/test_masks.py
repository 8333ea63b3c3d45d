"""Masks: what each kind of bad and good one becomes, and that feathering never leaves the selection."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import InvalidRequest
from triptych.editing import masks
from triptych.editing.masks import Selection

SIZE = (40, 30)


def disc(width: int, height: int, radius: float) -> np.ndarray:
    y, x = np.indices((height, width))
    return (x - width / 2) ** 2 + (y - height / 2) ** 2 < radius**2


def texts(selection: Selection) -> str:
    return " ".join(note.text for note in selection.notes)


def test_white_is_edited() -> None:
    mask = np.zeros((30, 40), np.uint8)
    mask[5:10, 7:20] = 255
    found = masks.from_picture(mask, SIZE)
    assert found.box == (7, 5, 20, 10)
    assert found.mask.sum() == 5 * 13
    assert not found.notes


def test_grey_is_cut_at_half_and_said() -> None:
    mask = np.linspace(0, 255, 30 * 40).astype(np.uint8).reshape(30, 40)
    found = masks.from_picture(mask, SIZE)
    assert np.array_equal(found.mask, mask >= 128)
    assert "grey" in texts(found)


def test_another_size_is_refused_with_both_sizes() -> None:
    with pytest.raises(InvalidRequest, match="mask: is 40x30, but the picture is 41x30"):
        masks.from_picture(np.zeros((30, 40), np.uint8), (41, 30))


@pytest.mark.parametrize("mask", [np.zeros((30, 40, 3), np.uint8), np.zeros((30, 40), np.float32)])
def test_arrays_of_another_kind_are_refused(mask: np.ndarray) -> None:
    with pytest.raises(InvalidRequest, match="bool or uint8"):
        masks.from_picture(mask, SIZE)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("3,4,10,5", (3, 4, 13, 9)),
        ("0.25,0.5,0.5,0.5", (10, 15, 30, 30)),
        (" 3 , 4,10, 5", (3, 4, 13, 9)),
        ("-5,-5,10,10", (0, 0, 5, 5)),
        ("35,25,100,100", (35, 25, 40, 30)),
        ("0,0,1,1", (0, 0, 1, 1)),
        ("0.5,0.5,0.001,0.001", (20, 15, 21, 16)),
    ],
)
def test_boxes_in_pixels_and_fractions(text: str, box: tuple[int, int, int, int]) -> None:
    assert masks.looks_like_box(text)
    found = masks.from_box(text, SIZE)
    assert found.box == box
    assert found.mask.sum() == (box[2] - box[0]) * (box[3] - box[1])


def test_a_box_that_is_cut_says_so() -> None:
    assert "cut" in texts(masks.from_box("35,25,100,100", SIZE))
    assert not masks.from_box("5,5,10,10", SIZE).notes


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,2,3", "is not a box"),
        ("1,2,3,4,5", "is not a box"),
        ("1,,3,4", "is not a box"),
        ("5,5,0,4", "has no area"),
        ("5,5,4,-1", "has no area"),
        ("40,5,4,4", "outside of the picture, which is 40x30"),
        ("-9,5,4,4", "outside of the picture"),
    ],
)
def test_bad_boxes_get_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        masks.from_box(text, SIZE)


def test_nothing_is_refused_and_everything_is_noted() -> None:
    with pytest.raises(InvalidRequest, match="selects nothing"):
        masks.finished(Selection(np.zeros((30, 40), bool)))
    with pytest.raises(InvalidRequest, match="inverted nothing"):
        masks.finished(Selection(np.ones((30, 40), bool)), invert=True)
    whole = masks.finished(Selection(np.ones((30, 40), bool)))
    assert whole.mask.all()
    assert "whole picture" in texts(whole)


def test_invert_comes_before_grow() -> None:
    mask = disc(40, 30, 8)
    found = masks.finished(Selection(mask), invert=True, grow=2).mask
    assert np.array_equal(found, masks.grown(~mask, 2))
    assert found.sum() > (~mask).sum()


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_growing_and_shrinking_are_by_a_disc(radius: int) -> None:
    mask = disc(60, 50, 12)
    ys, xs = np.nonzero(mask)
    grid = np.indices(mask.shape)
    near = (((grid[0][..., None] - ys) ** 2 + (grid[1][..., None] - xs) ** 2).min(-1)) <= radius**2
    assert np.array_equal(masks.grown(mask, radius), near)
    shrunk = masks.grown(mask, -radius)
    assert shrunk.sum() < mask.sum()
    assert not (shrunk & ~mask).any()


def test_shrinking_does_not_eat_from_the_pictures_border() -> None:
    mask = np.zeros((30, 40), bool)
    mask[:, :20] = True
    shrunk = masks.grown(mask, -3)
    assert masks.box_of(shrunk) == (0, 0, 17, 30)


def test_shrinking_to_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="grow: -9 shrinks the mask to nothing"):
        masks.finished(Selection(disc(40, 30, 4)), grow=-9)
    with pytest.raises(InvalidRequest, match="grow: 5000 is not allowed"):
        masks.finished(Selection(disc(40, 30, 4)), grow=5000)


@pytest.mark.parametrize("feather", [0, 1, 4, 30])
def test_a_feather_stays_inside_and_rises_from_the_border(feather: int) -> None:
    mask = disc(60, 50, 15)
    weights = masks.feathered(mask, feather)
    assert (weights[~mask] == 0).all()
    assert (weights[mask] > 0).all()
    row = weights[25, 15:31]
    assert (np.diff(row) >= -1e-6).all()
    if feather <= 4:
        assert weights[25, 30] == 1
    if feather:
        assert row[row > 0][0] < 0.6


def test_a_feather_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="feather: -1"):
        masks.feathered(disc(9, 9, 3), -1)


@pytest.mark.parametrize(
    ("text", "file"), [("a.png", True), ("x/y", True), ("-", True), ("the fox", False), ("1,2,3,4", False)]
)
def test_what_names_a_file(text: str, file: bool) -> None:
    assert masks.names_file(text) is file


def test_a_name_that_no_system_allows_is_words() -> None:
    assert not masks.names_file("fox " * 2000)
