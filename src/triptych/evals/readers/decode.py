"""From the detector's maps to things: peaks, one thing per place, and scores with a meaning.

Scores are calibrated on validation scenes (`fit`) so that GenEval's two thresholds mean here what they are meant to:
from 0.3 a thing counts as present (the threshold with the best F1), and of those from 0.9, 99 in 100 are there. Knows
nothing of networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from triptych.core.plan import Box
from triptych.evals.readers.detector import DetectorConfig, Maps
from triptych.evals.reading import Detection, Reading

PRESENT = 0.3
SURE, SURE_PRECISION = 0.9, 0.99
_APART = 0.5
"""The two thresholds lie at least so far apart in raw logits, or scores would be all or nothing."""
LISTED = 0.05
"""What scores less is not told."""
MOST = 16
"""So many of one noun at most, as in GenEval."""
SAME_NOUN, OTHER_NOUN = 0.45, 0.6
"""Two boxes of one noun, or of two, that share more of their union are one thing."""
INSIDE = 0.7
"""A box of which more lies in a better one's is a part of that, unless it is sure to be a thing of its own."""


def decode(
    maps: Maps, config: DetectorConfig, calibration: tuple[float, float] = (1.0, 0.0), *, least: float = LISTED
) -> Reading:
    """The reading of one picture, from its maps (a batch of one): what scores more than `least`.

    calibration: slope and shift of a score's logit.
    """
    heat = maps.heat[0]
    peak = heat.eq(F.max_pool2d(heat[None], 3, stride=1, padding=1)[0])
    slope, shift = calibration
    peak &= heat * slope + shift > _logit(least)
    logits = torch.where(peak, heat, -torch.inf).flatten(1)
    values, places = logits.topk(min(MOST, logits.shape[1]), dim=1)
    rows, columns = heat.shape[1:]
    found: list[Detection] = []
    for noun, number in torch.isfinite(values).nonzero().tolist():
        y, x = divmod(int(places[noun, number]), columns)
        score = 1 / (1 + math.exp(-(float(values[noun, number]) * slope + shift)))
        colours = maps.colour[0, :, y, x].softmax(0).tolist()
        found.append(
            Detection(
                noun=config.nouns[noun],
                score=score,
                box=_box(maps.box[0, :, y, x].tolist(), x, y, columns, rows),
                colours=dict(zip(config.colours, colours, strict=True)),
                visible=float(maps.visible[0, y, x].sigmoid()),
            )
        )
    backgrounds = maps.background[0].softmax(0).tolist()
    return Reading(suppressed(found), dict(zip(config.backgrounds, backgrounds, strict=True)))


def suppressed(found: Sequence[Detection]) -> tuple[Detection, ...]:
    """By falling score, each unless a better one has nearly its box; inside a better one's box it has to be sure."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda each: (-each.score, each.noun, each.box)):
        least = 1.0 if one.score >= SURE else INSIDE
        if all(
            iou(one.box, other.box) <= (SAME_NOUN if one.noun == other.noun else OTHER_NOUN)
            and _common(one.box, other.box) <= least * _area(one.box)
            for other in kept
        ):
            kept.append(one)
    return tuple(kept)


def iou(first: Box, second: Box) -> float:
    """Intersection over union."""
    common = _common(first, second)
    return common / (_area(first) + _area(second) - common)


def _common(first: Box, second: Box) -> float:
    """The area that both share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0.0) * max(height, 0.0)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def match(found: Sequence[Detection], true: Sequence[Detection], least: float = 0.5) -> list[tuple[int, int]]:
    """Pairs (of found, of true) of one noun, best score first; each true thing is taken by one detection at most."""
    pairs: list[tuple[int, int]] = []
    free = set(range(len(true)))
    for i in sorted(range(len(found)), key=lambda i: -found[i].score):
        near = [(iou(found[i].box, true[j].box), j) for j in free if true[j].noun == found[i].noun]
        if near and max(near)[0] >= least:
            free.discard(max(near)[1])
            pairs.append((i, max(near)[1]))
    return pairs


def fit(readings: Sequence[Reading], truths: Sequence[Reading]) -> tuple[float, float]:
    """Slope and shift that give 0.3 and 0.9 their meaning, from readings with calibration (1, 0)."""
    logits, right, missed = [], [], 0
    for reading, true in zip(readings, truths, strict=True):
        hits = {i for i, _ in match(reading.things, true.things)}
        missed += len(true.things) - len(hits)
        logits += [_logit(min(max(thing.score, 1e-7), 1 - 1e-7)) for thing in reading.things]
        right += [i in hits for i in range(len(reading.things))]
    if not any(right) or all(right):
        return 1.0, 0.0  # nothing to tell apart: an untrained reader, or one without a fault
    order = np.argsort(logits)[::-1]
    z, good = np.array(logits)[order], np.array(right, dtype=float)[order].cumsum()
    found = np.arange(len(z)) + 1
    best = int(np.argmax(2 * good / (found + good[-1] + missed)))
    present = (z[best] + z[min(best + 1, len(z) - 1)]) / 2
    sure = max(float(z[good >= SURE_PRECISION * found].min(initial=z[0])), present + _APART)
    slope = (_logit(SURE) - _logit(PRESENT)) / (sure - present)
    return float(slope), float(_logit(PRESENT) - slope * present)


def _logit(chance: float) -> float:
    return math.log(chance / (1 - chance))


def _box(numbers: list[float], x: int, y: int, columns: int, rows: int) -> Box:
    """Offset and log sides in cells, at cell (x, y), to fractions of the picture."""
    right, down, wide, tall = numbers
    cx, cy = x + 0.5 + right, y + 0.5 + down
    width, height = (math.exp(min(max(side, -3.0), 6.0)) for side in (wide, tall))
    return (cx - width / 2) / columns, (cy - height / 2) / rows, (cx + width / 2) / columns, (cy + height / 2) / rows
