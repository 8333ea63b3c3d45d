"""Known answers of decoding: maps made by hand to things, and what scores are fitted to mean."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from triptych.core.plan import Box
from triptych.evals.readers.decode import PRESENT, SURE, SURE_PRECISION, decode, fit, iou, match, suppressed
from triptych.evals.readers.detector import DetectorConfig, Maps
from triptych.evals.reading import Detection, Reading

CONFIG = DetectorConfig(("fox", "cat", "sign"), ("red", "blue"), ("beach", "snow"), 64)
CELLS = 16


def empty() -> Maps:
    return Maps(
        torch.full((1, 3, CELLS, CELLS), -10.0),
        torch.zeros(1, 4, CELLS, CELLS),
        torch.zeros(1, 2, CELLS, CELLS),
        torch.zeros(1, CELLS, CELLS),
        torch.tensor([[0.0, 3.0]]),
    )


def put(maps: Maps, noun: int, x: int, y: int, logit: float, sides: tuple[float, float] = (4.0, 2.0)) -> None:
    maps.heat[0, noun, y, x] = logit
    maps.box[0, :, y, x] = torch.tensor([0.25, -0.5, *(torch.tensor(sides).log().tolist())])
    maps.colour[0, :, y, x] = torch.tensor([0.0, 2.0])
    maps.visible[0, y, x] = 4.0


def test_a_peak_becomes_a_thing_with_its_box_and_colour() -> None:
    maps = empty()
    put(maps, 0, 8, 4, 2.0)
    (thing,) = decode(maps, CONFIG).things
    assert (thing.noun, thing.colour) == ("fox", "blue")
    assert thing.score == pytest.approx(torch.tensor(2.0).sigmoid().item())
    # the centre is at (8 + 0.5 + 0.25, 4 + 0.5 - 0.5) cells, the sides are 4 and 2 cells, of 16
    assert thing.box == pytest.approx((6.75 / 16, 3 / 16, 10.75 / 16, 5 / 16))
    assert thing.visible == pytest.approx(torch.tensor(4.0).sigmoid().item())
    assert decode(maps, CONFIG).background == "snow"


def test_neighbours_of_a_peak_are_no_things_and_far_peaks_are() -> None:
    maps = empty()
    put(maps, 1, 3, 3, 3.0)
    put(maps, 1, 4, 3, 2.0)
    put(maps, 1, 12, 12, 2.5)
    assert [thing.noun for thing in decode(maps, CONFIG).things] == ["cat", "cat"]
    assert [round(thing.box[0] * 16, 2) for thing in decode(maps, CONFIG).things] == [1.75, 10.75]


def test_one_thing_is_not_two_nouns() -> None:
    maps = empty()
    put(maps, 0, 8, 8, 3.0)
    put(maps, 1, 8, 8, 2.0)
    assert [thing.noun for thing in decode(maps, CONFIG).things] == ["fox"]
    put(maps, 1, 11, 8, 2.0)  # the boxes now share a seventh of their union
    assert [thing.noun for thing in decode(maps, CONFIG).things] == ["fox", "cat"]


def test_two_of_one_noun_may_overlap_less_than_two_nouns() -> None:
    def thing(noun: str, left: float, score: float) -> Detection:
        return Detection(noun, score, (left, 0.2, left + 0.4, 0.6), {})

    shifted = 0.14  # 0.26 / 0.54 = 0.48 of the union, 0.65 of each
    assert len(suppressed([thing("fox", 0.1, 0.9), thing("fox", 0.1 + shifted, 0.8)])) == 1
    assert len(suppressed([thing("fox", 0.1, 0.9), thing("cat", 0.1 + shifted, 0.8)])) == 2
    best = suppressed([thing("fox", 0.1, 0.5), thing("cat", 0.11, 0.8)])
    assert [each.noun for each in best] == ["cat"]


def test_what_lies_inside_a_better_thing_has_to_be_sure() -> None:
    large = Detection("fox", 0.95, (0.1, 0.1, 0.8, 0.8), {})
    for score, left, kept in ((0.5, 0.5, 1), (0.92, 0.5, 2), (0.5, 0.7, 2)):
        small = Detection("cat", score, (left, 0.5, left + 0.25, 0.75), {})  # whole inside, or two fifths of it
        assert len(suppressed([large, small])) == kept


def test_calibration_moves_scores_and_what_is_listed() -> None:
    maps = empty()
    put(maps, 0, 8, 4, 0.0)
    assert decode(maps, CONFIG, (1.0, 2.0)).things[0].score == pytest.approx(torch.tensor(2.0).sigmoid().item())
    assert not decode(maps, CONFIG, (1.0, -8.0)).things


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0, 0, 1, 1), 1.0), ((0.5, 0, 1.5, 1), 1 / 3), ((1, 0, 2, 1), 0.0), ((0.25, 0.25, 0.75, 0.75), 0.25)],
)
def test_intersection_over_union(other: Box, expected: float) -> None:
    assert iou((0, 0, 1, 1), other) == pytest.approx(expected)


def test_matching_takes_the_best_first_and_each_truth_once() -> None:
    true = [Detection("fox", 1.0, (0.1, 0.1, 0.5, 0.5), {}), Detection("cat", 1.0, (0.6, 0.1, 0.9, 0.5), {})]
    found = [
        Detection("fox", 0.5, (0.1, 0.1, 0.5, 0.5), {}),
        Detection("fox", 0.9, (0.12, 0.1, 0.5, 0.5), {}),
        Detection("fox", 0.9, (0.6, 0.1, 0.9, 0.5), {}),
    ]
    assert match(found, true) == [(1, 0)]


def test_scores_mean_what_they_should_after_the_fit() -> None:
    """Raw logits from a known law: of those at z, sigmoid(2 z + 1) are right."""
    generator = torch.Generator().manual_seed(0)
    z = torch.rand(20_000, generator=generator) * 8 - 4
    good = torch.rand(20_000, generator=generator) < (2 * z + 1).sigmoid()
    box = (0.1, 0.1, 0.5, 0.5)
    far = (0.6, 0.6, 0.9, 0.9)
    readings = [Reading((Detection("fox", float(each), box, {}),)) for each in z.sigmoid()]
    truths = [Reading((Detection("fox", 1.0, box if right else far, {}),) if right else ()) for right in good.tolist()]
    slope, shift = fit(readings, truths)
    sure = (torch.tensor(SURE).logit() - shift) / slope
    assert float((2 * z[z >= sure] + 1).sigmoid().mean()) == pytest.approx(SURE_PRECISION, abs=0.004)
    present = (torch.tensor(PRESENT).logit() - shift) / slope
    chances = (2 * z + 1).sigmoid()

    def f1(threshold: float) -> float:
        kept = z >= threshold
        return float(2 * chances[kept].sum() / (kept.sum() + chances.sum()))

    assert f1(float(present)) > max(f1(threshold) for threshold in (-3.0, -2.0, 0.5, 1.0)) - 1e-3


def test_a_reader_without_right_answers_keeps_its_scores() -> None:
    wrong = [Reading((Detection("fox", 0.4, (0.1, 0.1, 0.5, 0.5), {}),))]
    assert fit(wrong, [Reading()]) == (1.0, 0.0)
    assert fit([Reading()], [dataclasses.replace(wrong[0])]) == (1.0, 0.0)
