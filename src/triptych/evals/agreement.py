"""How well two control maps of one kind agree, each as a number in 0..1 or, for depth, a rank correlation in -1..1.

Edges: F1 of the pixels that lie within two pixels of the other map's. Segmentation: mean intersection over union of the
nouns in either map. Depth: Spearman's correlation over the boxes around things. Pose: share of keypoints found within a
fifth of the thing's size. Arrays and boxes in, numbers out; it knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from triptych.control.things import Thing, keypoints

Bools = npt.NDArray[np.bool_]

TOLERANCE = 2
"""Pixels by which an edge may be off."""
REACH = 0.2
"""Share of a thing's longer side within which a keypoint counts as found (PCK, Yang & Ramanan 2013)."""


def edges_f1(found: Bools, given: Bools, tolerance: int = TOLERANCE) -> float:
    """Harmonic mean of the shares of each map's edges that lie near one of the other's; two empty maps agree."""
    if not found.any() or not given.any():
        return float(found.any() == given.any())
    precision = float(grown(given, tolerance)[found].mean())
    recall = float(grown(found, tolerance)[given].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def grown(mask: Bools, radius: int) -> Bools:
    """Every pixel within `radius` of a set one, by Euclid's distance."""
    H, W = mask.shape
    padded = np.pad(mask, radius)
    out = np.zeros((H, W), bool)
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            if dy * dy + dx * dx <= radius * radius:
                out |= padded[radius + dy : radius + dy + H, radius + dx : radius + dx + W]
    return out


def mean_iou(found: npt.NDArray[np.intp], given: npt.NDArray[np.intp]) -> float:
    """Over the numbers that occur in either map (H, W), without 0, the background; two empty maps agree."""
    numbers = sorted((set(np.unique(found).tolist()) | set(np.unique(given).tolist())) - {0})
    if not numbers:
        return 1.0
    shares = [((found == n) & (given == n)).sum() / ((found == n) | (given == n)).sum() for n in numbers]
    return float(np.mean(shares))


def rank_correlation(found: npt.NDArray[np.generic], given: npt.NDArray[np.generic], where: Bools) -> float:
    """Spearman's correlation of two maps (H, W) over the pixels `where`; 0 if either is flat there, and over none."""
    if not where.any():
        return 0.0
    a, b = _ranks(found[where]), _ranks(given[where])
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum() / spread) if spread else 0.0


def around(masks: Sequence[Bools], shape: tuple[int, ...]) -> Bools:
    """The boxes around the masks, as one mask (H, W): things with what can be seen beside them."""
    where = np.zeros(shape, bool)
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if len(rows):
            where[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return where


def _ranks(values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    """Ranks with ties averaged, about their mean."""
    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks = (last - (counts - 1) / 2)[back]
    return ranks - ranks.mean()


def keypoint_share(found: Sequence[Thing], given: Sequence[Thing], reach: float = REACH) -> float:
    """Of the given things' keypoints, the share that the nearest free found thing of the same noun has nearby."""
    if not given:
        return float(not found)
    free = list(found)
    hits: list[bool] = []
    for thing in given:
        points = keypoints(thing)
        x0, y0, x1, y1 = thing.box
        near = [(_off(points, keypoints(other)), i) for i, other in enumerate(free) if other.noun == thing.noun]
        if not near:
            hits += [False] * len(points)
            continue
        other = keypoints(free.pop(min(near)[1]))
        within = reach * max(x1 - x0, y1 - y0)
        hits += [name in other and _distance(point, other[name]) <= within for name, point in points.items()]
    return float(np.mean(hits))


def _off(first: Mapping[str, tuple[float, float]], second: Mapping[str, tuple[float, float]]) -> float:
    shared = [_distance(first[name], second[name]) for name in first if name in second]
    return float(np.mean(shared)) if shared else float("inf")


def _distance(first: tuple[float, float], second: tuple[float, float]) -> float:
    return float(np.hypot(first[0] - second[0], first[1] - second[1]))
