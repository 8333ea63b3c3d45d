"""How well a written plan keeps the facts of the true one. Places are free, so they do not count as facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from triptych.core.plan import Box, Plan


def facts_match(plan: Plan, truth: Plan) -> dict[str, bool]:
    """Which facts hold; meant for prompts that state them all, since a short one leaves background and light
    open.

    nouns: the same kinds of thing; counts: the same number of each; colours: the same number of each noun in
    each colour; text: the same words on signs; background; light; all: every one of these.
    """
    ours, true = plan.objects, truth.objects
    match = {
        "nouns": {item.noun for item in ours} == {item.noun for item in true},
        "counts": Counter(item.noun for item in ours) == Counter(item.noun for item in true),
        "colours": Counter((item.noun, item.colour) for item in ours)
        == Counter((item.noun, item.colour) for item in true),
        "text": Counter(item.text for item in ours if item.text) == Counter(item.text for item in true if item.text),
        "background": plan.background == truth.background,
        "light": plan.light == truth.light,
    }
    return {**match, "all": all(match.values())}


def mean_facts(matches: Iterable[dict[str, bool]]) -> dict[str, float]:
    """Share of plans in which each fact holds; empty for no plans."""
    rows = list(matches)
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]} if rows else {}


def overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return shared / (areas - shared)


def sides_match(plan: Plan, truth: Plan) -> bool | None:
    """Whether two single things stand on the same sides of each other as in truth, on its clearer axis.

    None where truth is not two single things, or the plan does not hold the same two. Only for prompts that
    state a side: "in front of" leaves it open.
    """
    if len(truth.objects) != 2 or len({item.noun for item in truth.objects}) != 2:
        return None
    ours = {item.noun: _centre(item.box) for item in plan.objects}
    if len(plan.objects) != 2 or set(ours) != {item.noun for item in truth.objects}:
        return None
    first, second = truth.objects
    apart = [a - b for a, b in zip(_centre(first.box), _centre(second.box), strict=True)]
    axis = 0 if abs(apart[0]) >= abs(apart[1]) else 1
    return (ours[first.noun][axis] - ours[second.noun][axis]) * apart[axis] > 0


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
