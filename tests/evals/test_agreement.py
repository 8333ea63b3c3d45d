"""Agreement of maps: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.control import Thing
from triptych.evals.agreement import around, edges_f1, grown, keypoint_share, mean_iou, rank_correlation


def line(row: int, length: int = 20) -> np.ndarray:
    mask = np.zeros((20, 20), bool)
    mask[row, :length] = True
    return mask


def thing(noun: str, box: tuple[float, float, float, float]) -> Thing:
    return Thing(noun, np.zeros((4, 4), bool), box)


@pytest.mark.parametrize(("row", "expected"), [(10, 1.0), (11, 1.0), (12, 1.0), (13, 0.0)])
def test_an_edge_may_be_off_by_two_pixels(row: int, expected: float) -> None:
    assert edges_f1(line(row), line(10)) == expected


def test_half_an_edge_has_full_precision_and_half_the_recall() -> None:
    found = line(10, 10)
    recall = 12 / 20  # two more pixels lie within reach of its end
    assert edges_f1(found, line(10)) == pytest.approx(2 * recall / (1 + recall))
    assert edges_f1(line(10), found) == edges_f1(found, line(10))


def test_empty_maps_agree_with_each_other_only() -> None:
    nothing = np.zeros((20, 20), bool)
    assert edges_f1(nothing, nothing) == 1
    assert edges_f1(nothing, line(3)) == edges_f1(line(3), nothing) == 0
    assert mean_iou(np.zeros((3, 3), int), np.zeros((3, 3), int)) == 1
    assert keypoint_share([], []) == 1
    assert keypoint_share([thing("fox", (0, 0, 1, 1))], []) == 0


def test_grown_is_a_disc() -> None:
    dot = np.zeros((7, 7), bool)
    dot[3, 3] = True
    assert grown(dot, 2).sum() == 13
    assert grown(dot, 0).sum() == 1


def test_a_noun_that_is_missing_or_too_many_counts_as_nought() -> None:
    given = np.array([[1, 1, 0, 0]])
    assert mean_iou(np.array([[1, 0, 0, 0]]), given) == 0.5
    assert mean_iou(np.array([[1, 1, 2, 2]]), given) == 0.5
    assert mean_iou(np.array([[2, 2, 0, 0]]), given) == 0


def test_rank_correlation_is_spearman_s_with_ties() -> None:
    everywhere = np.ones((1, 5), bool)
    given = np.array([[1, 2, 3, 4, 5]])
    assert rank_correlation(given**3, given, everywhere) == pytest.approx(1)
    assert rank_correlation(-given, given, everywhere) == pytest.approx(-1)
    # 1 - 6 sum(d^2) / (n (n^2 - 1)) for ranks 2 1 4 3 5
    assert rank_correlation(np.array([[2, 1, 4, 3, 5]]), given, everywhere) == pytest.approx(1 - 6 * 4 / 120)
    tied = np.array([[1, 1, 2, 2, 2]])
    ranks = np.array([1.5, 1.5, 4, 4, 4])
    expected = np.corrcoef(ranks, [1, 2, 3, 4, 5])[0, 1]
    assert rank_correlation(tied, given, everywhere) == pytest.approx(expected)
    assert rank_correlation(np.ones((1, 5)), given, everywhere) == 0
    assert rank_correlation(given, given, ~everywhere) == 0


def test_keypoints_are_taken_by_the_nearest_thing_of_the_noun() -> None:
    given = [thing("fox", (0.1, 0.1, 0.3, 0.3)), thing("fox", (0.6, 0.6, 0.8, 0.8))]
    assert keypoint_share(given[::-1], given) == 1
    assert keypoint_share(given[:1], given) == 0.5
    assert keypoint_share([thing("car", each.box) for each in given], given) == 0
    near = [thing("fox", (0.13, 0.1, 0.33, 0.3)), given[1]]
    far = [thing("fox", (0.15, 0.1, 0.35, 0.3)), given[1]]
    assert keypoint_share(near, given) == 1  # 0.03 of 0.2
    assert keypoint_share(far, given) == 0.5  # 0.05 of 0.2


def test_around_is_the_boxes_of_the_masks() -> None:
    mask = np.zeros((6, 6), bool)
    mask[1, 2] = mask[3, 4] = True
    where = around([mask, np.zeros((6, 6), bool)], (6, 6))
    assert where.sum() == 9
    assert where[1:4, 2:5].all()
