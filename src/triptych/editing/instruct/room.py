"""Where a thing can stand: the free place nearest to the wanted one, found on the world's own lattice.

Every place of a 32nd of the picture is tried. A place counts as taken by how much of the thing would cover others, or
be covered; what cannot fly stands on the ground where there is room. No chance is involved, so that a program gives the
same plan whenever it is applied. Knows no words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from triptych.core.plan import Box, Plan, PlanObject
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.layout import GRID, sides_of
from triptych.scenes.nouns import NOUNS

Floats = npt.NDArray[np.float64]
Allowed = Callable[[Floats, Floats, float, float], npt.NDArray[np.bool_]]
"""(left sides, tops, width, height) of candidate boxes -> which of them are where the words want them."""

EDGE = 0.02
SHARES = (1.0, 0.85, 0.7, 0.55, 0.45)
SMALLEST = SHARES[-1]
"""A thing is made smaller, in these steps, where it would not fit else."""
APART = 0.02
"""So much is kept free around things, where there is room."""
CROWDED = 0.06
"""Up to this share of a thing may cover another one before a smaller size is tried."""


def middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def common(first: Box, second: Box) -> float:
    """The area that both share."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return max(width, 0.0) * max(height, 0.0)


def sides_for(noun: str, longest: float) -> tuple[float, float]:
    """Width and height of a thing whose longer side is that long, in its own proportions."""
    aspect = NOUNS[noun].aspect if noun in NOUNS else 1.0
    return (longest, longest / aspect) if aspect >= 1 else (longest * aspect, longest)


def usual_side(plan: Plan, size: str | None, more: int = 1) -> float:
    """The longer side of a new thing: what scenes of so many things have, or what the picture's own things have."""
    count = min(len(plan.objects) + more, 6)
    low, high = sides_of(size or "normal", count)
    usual = (low + high) / 2 / GRID
    if not plan.objects or size is not None:
        return usual
    there = float(np.median([max(box[2] - box[0], box[3] - box[1]) for box in (t.box for t in plan.objects)]))
    return float(min(max(there, 0.75 * usual), 1.35 * usual))


def free_place(
    plan: Plan,
    noun: str,
    sides: tuple[float, float],
    wanted: tuple[float, float],
    *,
    allowed: Allowed | None = None,
    grounded: bool = True,
    weights: tuple[float, float] = (1.0, 1.0),
    least: float = SMALLEST,
) -> Box | None:
    """A box for a thing among those of the plan; None if it fits nowhere that is allowed.

    sides: width and height. wanted: where its middle should be; weights: how much either direction counts. allowed:
    which boxes will do. grounded: keep what cannot fly on the ground. least: the smallest share of its size.
    """
    best: tuple[Box, float] | None = None
    for share in SHARES:
        if share < least:
            break
        found = _best(plan.objects, noun, (sides[0] * share, sides[1] * share), wanted, allowed, grounded,
                      weights, plan.background)  # fmt: skip
        if found is None:
            continue
        if found[1] <= CROWDED:
            return found[0]
        best = min(filter(None, (best, found)), key=lambda each: each[1])
    return best[0] if best else None


def _best(
    others: Sequence[PlanObject],
    noun: str,
    sides: tuple[float, float],
    wanted: tuple[float, float],
    allowed: Allowed | None,
    grounded: bool,
    weights: tuple[float, float],
    background: str,
) -> tuple[Box, float] | None:
    """The best box of one size with the share of it, or of what it covers, that is covered."""
    width, height = sides
    room_x, room_y = 1 - EDGE - width, 1 - EDGE - height
    if room_x < EDGE or room_y < EDGE:
        return None
    left, top = np.meshgrid(_steps(room_x), _steps(room_y))
    covered = np.zeros_like(left)
    for other in others:
        x0, y0, x1, y1 = (side + sign * APART for side, sign in zip(other.box, (-1, -1, 1, 1), strict=True))
        across = np.clip(np.minimum(left + width, x1) - np.maximum(left, x0), 0, None)
        down = np.clip(np.minimum(top + height, y1) - np.maximum(top, y0), 0, None)
        covered = np.maximum(covered, across * down / min(width * height, area(other.box)))
    dx, dy = left + width / 2 - wanted[0], top + height / 2 - wanted[1]
    cost = np.hypot(weights[0] * dx, weights[1] * dy) + 6 * np.maximum(covered - 0.01, 0)
    place = BACKGROUNDS.get(background)
    if grounded and place is not None and noun in NOUNS and not NOUNS[noun].flies:
        cost += 6 * np.clip(place.horizon + 0.1 - (top + height), 0, None)
    if allowed is not None:
        fits = allowed(left, top, width, height)
        if not fits.any():
            return None
        cost = np.where(fits, cost, np.inf)
    row, column = np.unravel_index(int(cost.argmin()), cost.shape)
    x, y = float(left[row, column]), float(top[row, column])
    return (x, y, x + width, y + height), float(covered[row, column])


def _steps(limit: float) -> Floats:
    return np.append(np.arange(EDGE, limit, 1 / GRID), limit)
