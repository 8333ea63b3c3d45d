"""Where things stand: groups, stated places and relations become boxes that keep apart unless one is to hide another.

It knows nothing of colours or words. All lengths are fractions of a square picture; sizes are whole 32nds of it, so
that at 128 pixels a sprite is needed at a dozen sizes only.
"""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.plan import Box
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import Group, Relation
from triptych.scenes.nouns import NOUNS
from triptych.scenes.signs import sign_aspect

GRID = 32
_EDGE = 0.02

# longest side of a thing in 32nds of the picture: {how many things there are: {size word: (low, high)}}
_SIDES: dict[int, dict[str, tuple[int, int]]] = {
    1: {"tiny": (6, 8), "small": (10, 12), "normal": (15, 19), "large": (20, 23)},
    2: {"tiny": (5, 6), "small": (8, 10), "normal": (12, 15), "large": (16, 18)},
    3: {"tiny": (4, 5), "small": (7, 8), "normal": (9, 11), "large": (12, 14)},
    5: {"tiny": (4, 4), "small": (5, 6), "normal": (7, 9), "large": (9, 10)},
}
_ROWS: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((1,),),
    2: ((2,), (2,), (1, 1)),
    3: ((3,), (1, 2), (2, 1)),
    4: ((2, 2),),
    5: ((2, 3), (3, 2)),
    6: ((3, 3), (2, 2, 2)),
}
_SIGN_SCALE = 1.25  # a sign is there to be read


@dataclass(frozen=True, slots=True)
class Placed:
    group: int
    box: Box


def sides_of(size: str, things: int) -> tuple[int, int]:
    """The shortest and longest that the longest side of a thing may be, in 32nds, when `things` share the picture."""
    crowd = max(count for count in _SIDES if count <= things)
    return _SIDES[crowd][size]


def side_of(size: str, things: int, draw: Draw) -> float:
    """The longest side of a thing, as a fraction of the picture, when `things` share it."""
    return draw.integer(*sides_of(size, things)) / GRID


def lay_out(groups: tuple[Group, ...], relations: tuple[Relation, ...], background: str, draw: Draw) -> list[Placed]:
    """Boxes of all things, from back to front."""
    things = sum(group.count for group in groups)
    horizon = BACKGROUNDS[background].horizon
    regions = _regions(groups, relations)
    placed: list[Placed] = []
    for i, (group, region) in enumerate(zip(groups, regions, strict=True)):
        side = side_of(group.size, things, draw) * (_SIGN_SCALE if group.kind == "sign" else 1)
        rows = [row for row in _ROWS[group.count] if _fits(row, region)] or [_thin_rows(group.count, region)]
        for cell in _cells(region, draw.pick(rows)):
            placed.append(Placed(i, _stand(cell, group, side, horizon, draw)))
    order = {relation.subject: relation for relation in relations if relation.kind in ("in front of", "behind")}
    if order:
        placed = _overlap(placed, next(iter(order.values())), draw)
        return placed
    return sorted(placed, key=lambda thing: thing.box[3])


def _regions(groups: tuple[Group, ...], relations: tuple[Relation, ...]) -> list[Box]:
    """The part of the picture that each group may use: disjoint, and such that every relation holds."""
    whole: Box = (0.0, 0.0, 1.0, 1.0)
    if len(groups) == 1:
        return [_region_of_place(groups[0].place)]
    regions = [whole] * len(groups)
    first = relations[0]
    regions[first.subject], regions[first.object] = _split(whole, first.kind, _share(groups, first))
    for relation in relations[1:]:
        if relation.kind in ("left of", "right of"):  # a row of three: A, B, C
            thirds: list[Box] = [(k / 3, 0.0, (k + 1) / 3, 1.0) for k in range(3)]
            if first.kind == "right of":
                thirds.reverse()
            regions = thirds
        else:  # the third group takes a band of its own above or below the pair
            band, rest = _split(whole, relation.kind, 0.5)
            regions[relation.subject] = band
            pair = _split(rest, first.kind, _share(groups, first))
            regions[first.subject], regions[first.object] = pair
    return regions


def _share(groups: tuple[Group, ...], relation: Relation) -> float:
    """The subject's share of the room: more for the larger group."""
    a, b = groups[relation.subject].count, groups[relation.object].count
    return 0.5 + 0.08 * (a - b) if abs(a - b) <= 1 else (0.62 if a > b else 0.38)


def _split(region: Box, kind: str, share: float) -> tuple[Box, Box]:
    """The subject's and the object's part of a region."""
    x0, y0, x1, y1 = region
    if kind in ("left of", "right of"):
        cut = x0 + (x1 - x0) * (share if kind == "left of" else 1 - share)
        parts: tuple[Box, Box] = ((x0, y0, cut, y1), (cut, y0, x1, y1))
    elif kind in ("above", "below"):
        cut = y0 + (y1 - y0) * (share if kind == "above" else 1 - share)
        parts = ((x0, y0, x1, cut), (x0, cut, x1, y1))
    else:
        return region, region
    return parts if kind in ("left of", "above") else (parts[1], parts[0])


def _region_of_place(place: str | None) -> Box:
    """Where the boxes of a group with a stated place must lie."""
    if place is None:
        return 0.0, 0.0, 1.0, 1.0
    if place == "centre":
        return 0.22, 0.22, 0.78, 0.78
    x0, x1 = (0.0, 0.56) if "left" in place else (0.44, 1.0) if "right" in place else (0.0, 1.0)
    y0, y1 = (0.0, 0.56) if "top" in place else (0.44, 1.0) if "bottom" in place else (0.0, 1.0)
    return x0, y0, x1, y1


def _fits(rows: tuple[int, ...], region: Box) -> bool:
    """Whether a grid leaves its cells neither too narrow nor too flat."""
    width, height = (region[2] - region[0]) / max(rows), (region[3] - region[1]) / len(rows)
    return min(width, height) >= 0.22 and max(width, height) <= 3.4 * min(width, height)


def _thin_rows(count: int, region: Box) -> tuple[int, ...]:
    """One row in a flat region, one column in a narrow one."""
    return (count,) if region[2] - region[0] >= region[3] - region[1] else (1,) * count


def _cells(region: Box, rows: tuple[int, ...]) -> list[Box]:
    x0, y0, x1, y1 = region
    height = (y1 - y0) / len(rows)
    cells: list[Box] = []
    for r, columns in enumerate(rows):
        width = (x1 - x0) / columns
        for c in range(columns):
            cells.append((x0 + c * width, y0 + r * height, x0 + (c + 1) * width, y0 + (r + 1) * height))
    return cells


def _stand(cell: Box, group: Group, side: float, horizon: float, draw: Draw) -> Box:
    """A box inside the cell; what cannot fly stands on the ground if the cell reaches it."""
    x0, y0, x1, y1 = (
        max(cell[0], _EDGE),
        max(cell[1], _EDGE),
        min(cell[2], 1 - _EDGE),
        min(cell[3], 1 - _EDGE),
    )
    noun = NOUNS[group.noun]
    aspect = sign_aspect(group.text) if group.text else noun.aspect
    width, height = (side, side / aspect) if aspect >= 1 else (side * aspect, side)
    fit = min(1.0, (x1 - x0) / width, (y1 - y0) / height)
    if fit < 1:  # the cell is the limit: keep whole 32nds
        longest = max(int(side * fit * GRID), 2) / GRID
        width, height = width * longest / side, height * longest / side
    left = _between(x0, x1 - width, draw, spread=0.7)
    low, high = y0, y1 - height
    ground = max(low, horizon + 0.1 - height)
    if not noun.flies and ground <= high and y1 > horizon + 0.1:
        low = ground
    top = _between(low, high, draw, spread=0.8)
    return left, top, left + width, top + height


def _between(low: float, high: float, draw: Draw, spread: float) -> float:
    """A number in the middle `spread` of the range: things keep a little away from the borders."""
    return low + (high - low) * (0.5 + spread * (draw.unit() - 0.5))


def _overlap(placed: list[Placed], relation: Relation, draw: Draw) -> list[Placed]:
    """Move the two things of an occlusion together: a quarter to two fifths of the narrower one's width is shared."""
    front, back = (
        (relation.subject, relation.object) if relation.kind == "in front of" else (relation.object, relation.subject)
    )
    near = next(thing for thing in placed if thing.group == front)
    far = next(thing for thing in placed if thing.group == back)
    near_w, near_h = near.box[2] - near.box[0], near.box[3] - near.box[1]
    far_w, far_h = far.box[2] - far.box[0], far.box[3] - far.box[1]
    hidden = draw.uniform(0.25, 0.4) * min(near_w, far_w)
    total = near_w + far_w - hidden
    if total > 1 - 2 * _EDGE:
        hidden += total - (1 - 2 * _EDGE)
        total = 1 - 2 * _EDGE
    start = draw.uniform(_EDGE, 1 - _EDGE - total)
    near_first = draw.chance(0.5)
    near_x = start if near_first else start + far_w - hidden
    far_x = start + near_w - hidden if near_first else start
    far_foot = draw.uniform(max(far_h + _EDGE, 0.72), 0.86)
    near_foot = min(1 - _EDGE, max(far_foot + draw.uniform(0.05, 0.1), near_h + _EDGE))
    return [
        Placed(back, (far_x, far_foot - far_h, far_x + far_w, far_foot)),
        Placed(front, (near_x, near_foot - near_h, near_x + near_w, near_foot)),
    ]
