"""GenEval's rules (Ghosh, Hajishirzi & Schmidt 2023, arXiv 2310.11513; `evaluate_images.py`), on readings.

Their detector and their colour classifier are replaced by our reader; thresholds, counts and the position rule are
theirs. Boxes are fractions of a square picture, in which the position rule is the same as in pixels.
"""

from __future__ import annotations

import math

from triptych.core.plan import Box
from triptych.evals.judge.verdict import Verdict, centre, found, pairs
from triptych.evals.reading import Detection, Reading
from triptych.evals.rows.prompt import Prompt

COUNTING_THRESHOLD = 0.9
POSITION_MARGIN = 0.1
POSITION_CUT = 0.5


def geneval(prompt: Prompt, reading: Reading) -> Verdict:
    """Include every group (so many at least, in its colour, where it should stand), exclude what must not be there."""
    return _judge(prompt, reading, 0.3, exact=False)


def counting(prompt: Prompt, reading: Reading) -> Verdict:
    """As many as asked and no more: include n, exclude n + 1, with detections above 0.9 only."""
    return _judge(prompt, reading, COUNTING_THRESHOLD, exact=True)


def exact(prompt: Prompt, reading: Reading) -> Verdict:
    """The colour rule, and for several things exactly as many as asked, with the ordinary threshold."""
    return _judge(prompt, reading, 0.3, exact=any(group.count > 1 for group in prompt.groups))


def relative_position(first: Box, second: Box) -> set[str]:
    """Where `first` is, seen from `second`: of "left of", "right of", "above", "below" none, one or two.

    The offset of the centres is shortened by a tenth of the summed sizes on each axis; what remains, over the length
    of the offset, has to exceed a half.
    """
    (ax, ay), (bx, by) = centre(first), centre(second)
    offset = (ax - bx, ay - by)
    sizes = tuple(first[k + 2] - first[k] + second[k + 2] - second[k] for k in (0, 1))
    revised = [
        math.copysign(max(abs(o) - POSITION_MARGIN * size, 0.0), o) for o, size in zip(offset, sizes, strict=True)
    ]
    if not any(revised):
        return set()
    dx, dy = (value / math.hypot(*offset) for value in revised)
    return {
        word
        for word, holds in (
            ("left of", dx < -POSITION_CUT),
            ("right of", dx > POSITION_CUT),
            ("above", dy < -POSITION_CUT),
            ("below", dy > POSITION_CUT),
        )
        if holds
    }


def _judge(prompt: Prompt, reading: Reading, threshold: float, *, exact: bool) -> Verdict:
    reasons: list[str] = []
    matched: list[list[Detection] | None] = []
    for group in prompt.groups:
        things = found(reading, group.noun, threshold)[: group.count]
        complete = len(things) >= group.count
        if not complete:
            reasons.append(f"expected {group.noun} x{group.count}, found {len(things)}")
        elif group.colour is not None:
            colours = [thing.colour or "no colour" for thing in things]
            if colours.count(group.colour) < group.count:
                complete = False
                reasons.append(f"expected {group.colour} {group.noun}, found {', '.join(colours)}")
        matched.append(things if complete else None)
        if exact and len(more := found(reading, group.noun, threshold)) > group.count:
            reasons.append(f"expected {group.noun} x{group.count}, found {len(more)}")
    for relation in prompt.relations:
        subject, other = matched[relation.subject], matched[relation.object]
        if subject is None or other is None:
            reasons.append("no pair to compare positions")
            continue
        names = prompt.groups[relation.subject].noun, prompt.groups[relation.object].noun
        for a, b in pairs(subject, other):
            where = relative_position(a.box, b.box)
            if relation.kind not in where:
                told = " and ".join(sorted(where)) or "at no clear side of"
                reasons.append(f"expected {names[0]} {relation.kind} {names[1]}, found it {told} it")
                break
    for noun in prompt.absent:
        if there := found(reading, noun, threshold):
            reasons.append(f"expected no {noun}, found {len(there)}")
    return Verdict(not reasons, "; ".join(reasons))
