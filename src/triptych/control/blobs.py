"""Where things stand according to a map, and a plan whose things were moved there.

A plan that the writer made of the words knows which things there are; a map knows where. Painted together as they are,
they would ask for every thing twice. Here the map's places are found - by colour in a segmentation, by flat grey in a
depth map, by crosses in a pose, by closed outlines in edges - and given to the plan's things. What cannot be told for
sure leaves the plan as it is. Arrays and plans in and out; it knows no scene, family or file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from triptych.control.reach import components, reached
from triptych.control.things import SKELETON, Colour
from triptych.core.plan import Box, Plan, PlanObject

Bools = npt.NDArray[np.bool_]
ByteImage = npt.NDArray[np.uint8]

LEAST_AREA = 0.004
"""Smaller parts of the picture are no things: specks, stars, flowers."""
NEAR = 0.1
"""A small part that is this near to a large one of the same colour belongs to it, in fractions of the picture."""
SMALL = 0.2
"""Share of the largest part of a colour below which another one is small."""
SAME_COLOUR = 48
MOST = 7
"""Of more things than this all orders would be too many to try."""


@dataclass(frozen=True)
class Blob:
    """A place of a thing; `noun` where the map says which."""

    box: Box
    noun: str | None = None


def blobs(kind: str, pixels: ByteImage, colours: Mapping[str, Colour]) -> list[Blob]:
    """The things of a map (H, W, 3), from the top left on. colours: the legend of segmentations."""
    if kind == "segmentation":
        found = _by_colour(pixels, colours)
    elif kind == "depth":
        found = [Blob(box) for mask in _flat(pixels[..., 0]) for box in _parts(mask)]
    elif kind == "pose":
        found = [Blob(box) for box in _crosses(pixels)]
    else:
        found = [Blob(box) for box in _parts(_enclosed(pixels.max(axis=-1) > 127))]
    return sorted(found, key=lambda blob: (blob.box[3], blob.box[0]))


def moved_to(plan: Plan, found: Sequence[Blob], *, whole: bool) -> Plan | None:
    """The plan with its things where the blobs are, in the blobs' order from back to front; None where they do not fit.

    whole: each blob is a thing. Without it (edges: clouds are outlined too) there may be more blobs than things.
    """
    things = list(plan.objects)
    if found and all(blob.noun for blob in found):
        return _named(plan, found)
    if not things or len(found) < len(things) or (whole and len(found) > len(things)) or len(things) > MOST:
        return None
    largest = sorted(found, key=lambda blob: -_area(blob.box))[:MOST]
    chosen = min(
        itertools.permutations(largest, len(things)),
        key=lambda some: sum(_cost(thing.box, blob.box) for thing, blob in zip(things, some, strict=True)),
    )
    moved = [thing.model_copy(update={"box": blob.box}) for thing, blob in zip(things, chosen, strict=True)]
    return plan.model_copy(update={"objects": tuple(sorted(moved, key=lambda thing: thing.box[3]))})


def _named(plan: Plan, found: Sequence[Blob]) -> Plan:
    """Every blob becomes a thing of its noun, in the colours that the plan has for that noun."""
    colours = {noun: [thing for thing in plan.objects if thing.noun == noun] for noun in {blob.noun for blob in found}}
    objects: list[PlanObject] = []
    for blob in found:
        same = colours[blob.noun]
        like = same.pop(0) if len(same) > 1 else same[0] if same else None
        update = {"box": blob.box}
        made = PlanObject(noun=blob.noun or "", box=blob.box)
        objects.append(like.model_copy(update=update) if like else made)
    return plan.model_copy(update={"objects": tuple(objects)})


def _cost(planned: Box, found: Box) -> float:
    """How unlike two places are: in shape first, then in size, then in where they are."""
    (w, h), (v, g) = ((box[2] - box[0], box[3] - box[1]) for box in (planned, found))
    across, down = (planned[k] + planned[k + 2] - found[k] - found[k + 2] for k in (0, 1))
    apart = math.hypot(across, down) / 2
    return 2 * abs(math.log(w / h) - math.log(v / g)) + 0.5 * max(math.log(w * h) - math.log(v * g), 0) + apart


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _by_colour(pixels: ByteImage, colours: Mapping[str, Colour]) -> list[Blob]:
    found: list[Blob] = []
    for noun, colour in colours.items():
        near = _coloured(pixels, colour, SAME_COLOUR // 2)
        found += [Blob(box, noun) for box in _parts(near)]
    return found


def _coloured(pixels: ByteImage, colour: Colour, within: int) -> Bools:
    away = np.abs(pixels.astype(np.int16) - np.array(colour, np.int16))
    return np.asarray(away.max(axis=-1) <= within)


def _flat(grey: npt.NDArray[np.uint8]) -> list[Bools]:
    """One mask per grey value that fills more than rows: the ground of a depth map has another value in each row."""
    found: list[Bools] = []
    for value in np.unique(grey)[1:] if grey.min() == 0 else np.unique(grey):
        mask = grey == value
        rows = mask.any(axis=1)
        upright = mask[rows].sum(axis=1)
        if mask.sum() >= LEAST_AREA * mask.size and rows.sum() > 0.04 * len(grey):
            wide = upright >= 0.98 * grey.shape[1]  # rows of the ground that happen to have the thing's value
            mask = mask.copy()
            mask[np.flatnonzero(rows)[wide]] = False
            found.append(mask)
    return found


def _crosses(pixels: ByteImage) -> list[Box]:
    """Things of a pose: four arms that meet in the middle (`things.pose`)."""
    arms: dict[str, list[Box]] = {}
    for name, colour in SKELETON.items():
        near = _coloured(pixels, colour, SAME_COLOUR)
        arms[name] = [_box(mask) for mask in components(near) if mask.sum() >= 3]
    found: list[Box] = []
    dot = 1.5 / 64  # the radius of a dot, which reaches beyond its point
    for foot in arms["foot"]:
        x, y = (foot[0] + foot[2]) / 2, foot[1]
        if not all(arms[name] for name in ("top", "left", "right")):
            break
        top = min(arms["top"], key=lambda box: math.hypot((box[0] + box[2]) / 2 - x, box[3] - y))
        left = min(arms["left"], key=lambda box: math.hypot(box[2] - x, (box[1] + box[3]) / 2 - y))
        right = min(arms["right"], key=lambda box: math.hypot(box[0] - x, (box[1] + box[3]) / 2 - y))
        box = (left[0] + dot, top[1] + dot, right[2] - dot, foot[3] - dot)
        if box[0] < box[2] and box[1] < box[3]:
            found.append(box)
    return found


def _enclosed(lines: Bools) -> Bools:
    """What lines enclose: all that cannot be reached from the border, without the lines that enclose nothing.

    Where a third of the picture is line there are no lines, and nothing is told.
    """
    if lines.mean() > 1 / 3:
        return np.zeros(lines.shape, bool)
    wall = _grown(lines)
    H, W = wall.shape
    rim = np.zeros((H, W), bool)
    rim[[0, -1]] = rim[:, [0, -1]] = True
    outside = reached(~wall, rim & ~wall)
    inside = ~outside
    for _ in range(3):
        inside = ~_grown(~inside)
    for _ in range(3):
        inside = _grown(inside)
    return inside & ~outside


def _grown(mask: Bools) -> Bools:
    """One pixel to all eight sides."""
    p = np.pad(mask, 1)
    rows = p[:-2] | p[1:-1] | p[2:]
    return rows[:, :-2] | rows[:, 1:-1] | rows[:, 2:]


def _parts(mask: Bools) -> list[Box]:
    """Boxes of the large connected parts, each with the small parts near it."""
    masks = components(mask)
    if not masks:
        return []
    areas = [int(each.sum()) for each in masks]
    least = max(LEAST_AREA * mask.size, SMALL * max(areas))
    large = [_box(each) for each, area in zip(masks, areas, strict=True) if area >= least]
    for each, area in zip(masks, areas, strict=True):
        if area >= least or not large:
            continue
        small = _box(each)
        gaps = [_gap(small, box) for box in large]
        nearest = gaps.index(min(gaps))
        if gaps[nearest] <= NEAR:
            a, b = large[nearest], small
            large[nearest] = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return large


def _gap(first: Box, second: Box) -> float:
    across = max(first[0] - second[2], second[0] - first[2], 0.0)
    down = max(first[1] - second[3], second[1] - first[3], 0.0)
    return math.hypot(across, down)


def _box(mask: Bools) -> Box:
    H, W = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0] / W), float(rows[0] / H), float((columns[-1] + 1) / W), float((rows[-1] + 1) / H)
