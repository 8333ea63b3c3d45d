"""Where pictures are put together: the border of what was painted beyond an edge, the borders of windows, of regions.

Three questions, each a series of cases that follows from numbers alone: how rough is the border of an outpainting
against the source's own gradients, do window borders show in pictures larger than the models were trained on (and is
what was asked still in them), and does a thing land in its region. Whoever paints is handed in; knows no model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from triptych.core.events import Pixels
from triptych.core.inputs import Region
from triptych.core.plan import Box
from triptych.editing.outpaint import Extents
from triptych.editing.seam import LEAST, seam
from triptych.evals.judge.verdict import THRESHOLD, centre
from triptych.evals.reading import Reading
from triptych.evals.statistics import estimate
from triptych.families.tiles import stages
from triptych.scenes import Level, Sprites, render, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.nouns import NOUNS, SMALL_NOUNS
from triptych.scenes.places import words_for

SEED = 6_000_047
"""Scenes of this seed are in no training set."""
_OUTPAINT, _REGIONS = 0x0A7, 0x4E6
BAND = 0.1
"""Share of the short side, beyond which nothing is faded any more."""
CELL = 8
"""Pixels of a latent cell."""


@dataclass(frozen=True)
class Case:
    """A picture (uint8 (H, W, 3)), how far its edges move, and what shall stand there."""

    number: int
    pixels: Pixels
    extents: Extents
    prompt: str


def outpaint_case(number: int, level: str, sprites: Sprites) -> Case:
    """A held-out scene, rendered and cut at random, with one to four edges to move by 0.15 to 1 of its short side."""
    draw = Draw(SEED, number, _OUTPAINT)
    side = draw.integer(96, 400)
    whole = render(sample_scene(level, SEED, number, "heldout"), side, sprites)
    wide, high = (max(round(side * draw.uniform(0.6, 1.0)), 64) for _ in range(2))
    x, y = draw.integer(0, side - wide), draw.integer(0, side - high)
    pixels = np.ascontiguousarray(whole[y : y + high, x : x + wide])
    edges = draw.sample(("left", "top", "right", "bottom"), draw.integer(1, 4))
    far = {edge: max(round(min(wide, high) * draw.uniform(0.15, 1.0)), 1) for edge in edges}
    prompt = f"a {draw.pick(SMALL_NOUNS)}" if number % 2 else ""
    return Case(number, pixels, Extents(**far), prompt)


def outpaint_figures(case: Case, result: Pixels) -> dict[str, float]:
    """changed: pixels of the source that are not its own in the result. across: difference over the border, in BAND on
    both sides, against that of the source's pixels at the same distance. The others: see `editing.seam`.
    """
    size = (case.pixels.shape[1], case.pixels.shape[0])
    own = result[case.extents.place(size)]
    found = seam(result, case.extents.new(size), case.pixels)
    far = max(round(BAND * min(size)), 2)
    return {
        "changed": int((own != case.pixels).any(axis=2).sum()) if own.shape == case.pixels.shape else own.size,
        "seam_error": found.seam_error,
        "percentile": found.percentile,
        "local": found.local,
        "across": across(result, case.extents, size, far) / max(_usual(case.pixels, far), LEAST),
    }


def across(result: Pixels, extents: Extents, size: tuple[int, int], far: int) -> float:
    """Mean difference between pixels `far` inside and `far` outside of the edges that moved, in grey levels.

    The border itself is faded, so that a line there says little; this asks whether the new is another picture.
    """
    rows, columns = extents.place(size)
    picture = result[:, :, :3].astype(np.int16)
    found: list[np.ndarray] = []
    for axis, span, cut in ((0, rows, columns), (1, columns, rows)):
        plane = picture.swapaxes(0, axis)[:, cut]
        for edge, outward in ((span.start, -1), (span.stop - 1, 1)):
            inside, outside = edge - outward * (far - 1), edge + outward * far
            if 0 <= outside < len(plane) and (edge > 0 if outward < 0 else edge < len(plane) - 1):
                found.append(np.abs(plane[inside] - plane[outside]).mean(axis=1))
    return float(np.concatenate(found).mean()) if found else 0.0


def _usual(source: Pixels, far: int) -> float:
    """Mean difference of two pixels of the source that are as far apart, in both directions."""
    picture, apart = source.astype(np.int16), 2 * far - 1
    differences = [np.abs(p[apart:] - p[:-apart]).ravel() for p in (picture, picture.swapaxes(0, 1)) if len(p) > apart]
    return float(np.concatenate(differences).mean()) if differences else 0.0


def tile_figures(picture: Pixels, native: tuple[int, int], unit: int) -> dict[str, float]:
    """How rough the borders of the windows are that the picture was painted in. native: (width, height) in pixels.

    seam_error, local: as for any border, over all lines where a window of the last walk begins or ends. grid: the
    `seam_error` of all lines between tokens (`unit` cells) where no window ends: what network and autoencoder do by
    themselves in every picture. against_grid: seam_error / grid, 1 where windows add nothing to that. All are 0 for a
    picture that was painted in one piece.
    """
    height, width = picture.shape[:2]
    walk = stages((height // CELL, width // CELL), (native[1] // CELL, native[0] // CELL), unit)[-1]
    across = {edge for window in walk.windows for edge in (window.left, window.left + window.width)}
    down = {edge for window in walk.windows for edge in (window.top, window.top + window.height)}
    ends = seam(picture, _stripes(picture, across, down), picture)
    between = (_no_ends(across, width // CELL, unit), _no_ends(down, height // CELL, unit))
    grid = seam(picture, _stripes(picture, *between), picture)
    against = ends.seam_error / grid.seam_error if grid.pairs else 0.0
    return {
        "seam_error": ends.seam_error,
        "local": ends.local,
        "grid": grid.seam_error,
        "against_grid": against,
    }


def _no_ends(ends: set[int], cells: int, unit: int) -> set[int]:
    """Borders of tokens along one direction where no window ends; none where no window ends inside of the picture: rows
    and columns of a picture differ, and are only compared with their like.
    """
    inside = any(0 < edge < cells for edge in ends)
    return set(range(unit, cells, unit)) - ends if inside else set()


def _stripes(picture: Pixels, across: set[int], down: set[int]) -> np.ndarray:
    """(H, W) bits that change at each of these columns and rows of cells, the picture's own edges aside."""
    height, width = picture.shape[:2]
    inner = [edge * CELL for edge in across if 0 < edge * CELL < width]
    lower = [edge * CELL for edge in down if 0 < edge * CELL < height]
    columns = np.searchsorted(np.sort(inner), np.arange(width), side="right")
    rows = np.searchsorted(np.sort(lower), np.arange(height), side="right")
    return (rows[:, None] + columns[None, :]) % 2 == 1


@dataclass(frozen=True)
class RegionCase:
    """Two things, each with a place of its own. plain: the same asked in one prompt, as exactly as words can."""

    number: int
    prompt: str
    regions: tuple[Region, ...]
    nouns: tuple[str, str]
    colours: tuple[str | None, str | None]
    plain: str

    @property
    def seed(self) -> int:
        return 2 * self.number + 1


PLACES: tuple[tuple[Box, Box, str], ...] = (
    ((0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0), "left of"),
    ((0.0, 0.0, 1.0, 0.5), (0.0, 0.5, 1.0, 1.0), "above"),
    ((0.0, 0.0, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0), "left of"),
    ((0.5, 0.0, 1.0, 0.5), (0.0, 0.5, 0.5, 1.0), "right of"),
    ((0.0, 0.0, 0.4, 1.0), (0.4, 0.0, 1.0, 1.0), "left of"),
)
"""Boxes of two regions, and where the first thing stands as seen from the second."""


def region_case(number: int, level: Level) -> RegionCase:
    """Two kinds of things, coloured or not, in two of the places, before a background that hides neither."""
    draw = Draw(SEED, number, _REGIONS)
    first, second, relation = PLACES[number % len(PLACES)]
    names = [noun for noun in level.sprites if NOUNS[noun].recolourable]
    one, other = draw.sample(names, 2)
    colours = tuple(draw.pick(level.colours) if draw.chance(0.5) else None for _ in range(2))
    shown = {colour or NOUNS[noun].natural for noun, colour in zip((one, other), colours, strict=True)}
    place = draw.pick([name for name in level.backgrounds if not shown & set(BACKGROUNDS[name].hides)])
    told = [f"a {colour} {noun}" if colour else f"a {noun}" for noun, colour in zip((one, other), colours, strict=True)]
    regions = tuple(Region(prompt=words, box=box) for words, box in zip(told, (first, second), strict=True))
    where = words_for(place)
    return RegionCase(
        number, where, regions, (one, other), (colours[0], colours[1]), f"{told[0]} {relation} {told[1]} {where}"
    )


def region_figures(case: RegionCase, reading: Reading) -> dict[str, float]:
    """landed: share of the two things whose middle is in their region. right: of those also in their colour, where one
    was asked for. both: whether the whole case is right, with no more of either noun anywhere.
    """
    landed = right = 0
    counts: list[int] = []
    for noun, colour, region in zip(case.nouns, case.colours, case.regions, strict=True):
        things = [thing for thing in reading.things if thing.noun == noun and thing.score > THRESHOLD]
        counts.append(len(things))
        inside = [thing for thing in things if region.box and _within(centre(thing.box), region.box)]
        landed += bool(inside)
        right += any(colour is None or thing.colour == colour for thing in inside)
    return {"landed": landed / 2, "right": right / 2, "both": float(right == 2 and counts == [1, 1])}


def _within(point: tuple[float, float], box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def summary(lines: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Mean of every figure with its 95 % interval, and of seams the share of cases below the picture's own gradient."""
    names = [name for name in lines[0] if name != "number"] if lines else []
    found: dict[str, Any] = {"cases": len(lines)}
    for name in names:
        values = np.array([[line[name]] for line in lines], dtype=np.float64)
        interval = estimate(values).interval()
        found[name] = [round(value, 4) for value in (interval.value, interval.low, interval.high)]
        if name == "seam_error":
            found["below_own_gradient"] = round(float((values < 1).mean()), 4)
            found["largest_seam_error"] = round(float(values.max()), 4)
    return found
