"""How well the readers read what is known exactly: fresh scenes as rendered, and after each round trip.

These are the ceilings that stand beside every row of the table: a model cannot be seen to be better than its judge. The
scenes are ordinary ones of the readers' level, with held-out combinations in every second, from a seed that nothing was
trained on or calibrated with.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.evals.readers.decode import PRESENT, iou, match
from triptych.evals.readers.face import observable
from triptych.evals.readers.load import Readers
from triptych.evals.readers.trips import WAYS, Trips
from triptych.evals.readers.worlds import CEILING_SEED, truth
from triptych.evals.reading import Detection, Reading
from triptych.scenes import Level, Scene, Sprites, render, sample_scene
from triptych.scenes.draw import Draw
from triptych.scenes.identity import draw_identity

DOMAINS = ("render", *WAYS)
GALLERY = 1_000
"""Faces among which the right one has to be the nearest."""
SIGN_WIDTH = 48
LENGTHS = {"1-4": range(1, 5), "5-7": range(5, 8), "8-10": range(8, 11)}
STRAIGHT = 20.0
"""Degrees within which a shadow's direction counts as read."""
_CHUNK = 32
_GALLERY_STREAM = 0x6A11
_CARD = ("precision", "recall", "scenes_right", "colour", "background", "face_top1", "shadow_within_20")


def ceiling_scene(level: Level, index: int) -> Scene:
    return sample_scene(level, CEILING_SEED, index, "heldout" if index % 2 else "train")


def measure(readers: Readers, level: Level, sprites: Sprites, trips: Trips, scenes: int = 500) -> dict[str, Any]:
    """Figures for each of `DOMAINS`; None where nothing of the kind occurred. Things count from a score of 0.3."""
    size = readers.networks.config.size
    truths: list[Reading] = []
    readings: dict[str, list[Reading]] = {domain: [] for domain in DOMAINS}
    for start in range(0, scenes, _CHUNK):
        drawn = [ceiling_scene(level, index) for index in range(start, min(start + _CHUNK, scenes))]
        truths += [truth(scene, size, sprites) for scene in drawn]
        renders = np.stack([render(scene, size, sprites) for scene in drawn])
        both = trips.both(renders)
        for domain, pictures in zip(DOMAINS, (renders, both[:, 0], both[:, 1]), strict=True):
            readings[domain] += readers.read(list(pictures))
    return {domain: figures(readings[domain], truths, size) for domain in DOMAINS}


def figures(readings: Sequence[Reading], truths: Sequence[Reading], size: int) -> dict[str, Any]:
    """What readings of pictures with these truths are worth; sides in fractions, shadows in degrees."""
    present = [tuple(thing for thing in reading.things if thing.score >= PRESENT) for reading in readings]
    pairs = [
        (found[i], true.things[j])
        for found, true in zip(present, truths, strict=True)
        for i, j in match(found, true.things)
    ]
    right = [_counts(found) == _counts(true.things) for found, true in zip(present, truths, strict=True)]
    coloured = [(found, true) for found, true in pairs if true.colour]
    places = [reading.background == true.background for reading, true in zip(readings, truths, strict=True)]
    return {
        "scenes": len(readings),
        "precision": _mean([1.0] * len(pairs), sum(map(len, present))),
        "recall": _mean([1.0] * len(pairs), sum(len(true.things) for true in truths)),
        "scenes_right": _mean(right),
        "colour": _mean([found.colour == true.colour for found, true in coloured]),
        "box_iou": _mean([iou(found.box, true.box) for found, true in pairs]),
        "visible_error": _mean([abs(found.visible - true.visible) for found, true in pairs]),
        "background": _mean(places),
        "sign_exact": _signs(pairs, size),
        **_faces(pairs),
        **_shadows(pairs),
    }


def card_scores(measured: dict[str, Any]) -> dict[str, float]:
    """The figures that a card holds, by name."""
    scores: dict[str, float] = {}
    for domain, told in measured.items():
        signs = {f"sign_exact_{length}": share for length, share in told["sign_exact"].items()}
        for name, value in ({key: told[key] for key in _CARD} | signs).items():
            if value is not None:
                scores[f"{domain}.{name}"] = round(value, 4)
    return scores


def gallery(count: int = GALLERY) -> npt.NDArray[np.float64]:
    """Observable vectors of faces that stand in no scene, (count, 18)."""
    faces = [draw_identity(Draw(CEILING_SEED, index, _GALLERY_STREAM)) for index in range(count)]
    return np.array([observable(face.vector()) for face in faces])


def angle(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Degrees between two falls."""
    turn = math.degrees(math.atan2(first[1], first[0]) - math.atan2(second[1], second[0]))
    return abs((turn + 180) % 360 - 180)


def _counts(things: Sequence[Detection]) -> Counter[str]:
    return Counter(thing.noun for thing in things)


def _mean(values: Sequence[float], count: int | None = None) -> float | None:
    """The sum over `count`, or over how many they are; None over nothing."""
    count = len(values) if count is None else count
    return float(sum(values)) / count if count else None


def _signs(pairs: Sequence[tuple[Detection, Detection]], size: int) -> dict[str, float | None]:
    """Share of words read letter for letter, by length, of signs that are wide enough."""
    wide = [(found, true) for found, true in pairs
            if true.text is not None and (true.box[2] - true.box[0]) * size >= SIGN_WIDTH]  # fmt: skip
    return {
        name: _mean([found.text == true.text for found, true in wide if len(true.text or "") in lengths])
        for name, lengths in LENGTHS.items()
    }


def _faces(pairs: Sequence[tuple[Detection, Detection]]) -> dict[str, float | None]:
    """Root mean square error over what is drawn, and how often the nearest of a thousand and the right one is right."""
    faces = [(found.face, true.face) for found, true in pairs if found.face and true.face]
    if not faces:
        return {"face_rmse": None, "face_top1": None}
    read = np.array([found for found, _ in faces])
    true = np.array([observable(each) for _, each in faces])
    others = gallery(GALLERY - 1)
    found_first = []
    for vector, own in zip(read, true, strict=True):
        best = np.square(others - vector).sum(1).min()
        found_first.append(bool(np.square(own - vector).sum() < best))
    return {"face_rmse": float(np.sqrt(np.square(read - true).mean())), "face_top1": _mean(found_first)}


def _shadows(pairs: Sequence[tuple[Detection, Detection]]) -> dict[str, float | None]:
    """Of things that cast one. A shadow that was not read is off by 180 degrees."""
    off = [angle(found.shadow, true.shadow) if found.shadow else 180.0 for found, true in pairs if true.shadow]
    return {
        "shadow_error": float(np.median(off)) if off else None,
        "shadow_within_20": _mean([each < STRAIGHT for each in off]),
    }
