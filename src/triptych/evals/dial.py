"""What happens along the dial from the pixel lock to a fresh scene: how much changes outside, how the border looks, how
much stays alike, and whether the edit is there.

A case is a scene that no model was trained on, rendered, with a place in it and words for what shall stand there: in
every second case a free place, else the place of a thing that is there. Every fifth scene has a cartoon face beside it.
Whoever edits is handed in; what is in a picture is told by the readers. `middle` asks whether anything lies between the
two ends. Knows no model.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.core.events import Pixels
from triptych.core.plan import Box
from triptych.editing import masks
from triptych.editing.verify import compared
from triptych.evals.readers.decode import PRESENT, iou
from triptych.evals.reading import Detection, Reading
from triptych.evals.statistics import Interval, estimate
from triptych.scenes import Scene, Sprites, is_heldout, render, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.draw import Draw
from triptych.scenes.graph import Group, SceneObject
from triptych.scenes.identity import draw_identity
from triptych.scenes.levels import level_of
from triptych.scenes.nouns import NOUNS

SEED = 6_000_011
"""Scenes of this seed are in no training set."""
FREE = -1.0
"""Stands for the end beyond the dial: the words alone, without the picture."""
POSITIONS: tuple[float, ...] = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, FREE)
FACE_EVERY = 5
GALLERY = 199
"""A face counts as the same if it is nearer to the one that was there than to each of so many random others."""
SEEN_CHANGE = 8
"""A pixel that differs by more levels than this, in the mean over R, G and B, looks changed."""
_STREAM, _GALLERY_STREAM = 0xD1A1, 0xFACE
_TRIES = 200

FIGURES = (
    "outside_mean", "outside_share", "outside_seen", "seam_error", "seam_local", "kept", "place", "similarity",
    "success", "same_face",
)  # fmt: skip
"""outside_mean: mean absolute difference outside of the mask, in levels. outside_share, outside_seen: share of pixels
there that differ at all, and visibly. seam_error, seam_local: see `editing.seam`. kept: share of the other things that
are still there, in their place and colour. place: whether the background is the same. similarity: cosine of the two
pictures in the text stage's image tower. success: whether what was asked stands in the mask. same_face: see GALLERY."""


@dataclass(frozen=True)
class Case:
    """box: of the mask, in pixels. noun, colour: what shall stand there; colour None where none is asked."""

    number: int
    scene: Scene
    pixels: Pixels
    box: masks.PixelBox
    noun: str
    colour: str | None

    @property
    def instruction(self) -> str:
        words = f"{self.colour} {self.noun}" if self.colour else self.noun
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        height, width = self.pixels.shape[:2]
        return masks.of_boxes([self.box], (width, height))

    @property
    def place(self) -> Box:
        height, width = self.pixels.shape[:2]
        x0, y0, x1, y1 = self.box
        return x0 / width, y0 / height, x1 / width, y1 / height


def case(number: int, size: int, sprites: Sprites, level: str = "small") -> Case:
    """Case `number`: a scene of size x size pixels and what is asked of it."""
    world = level_of(level)
    draw = Draw(SEED, number, _STREAM)
    scene = sample_scene(world, SEED, number)
    if number % FACE_EVERY == FACE_EVERY - 1:
        scene = _with_face(scene, draw)
    elif number % 2 and scene.objects:
        replaced = draw.pick(scene.objects)
        return _asked(number, scene, replaced.box, size, sprites, world.sprites, world.colours, draw)
    room = _room(scene, draw)
    return _asked(number, scene, room, size, sprites, world.sprites, world.colours, draw)


def _asked(
    number: int,
    scene: Scene,
    place: Box,
    size: int,
    sprites: Sprites,
    nouns: Sequence[str],
    colours: Sequence[str],
    draw: Draw,
) -> Case:
    hides = BACKGROUNDS[scene.background].hides
    there = {thing.noun for thing in scene.objects}
    noun = draw.pick([n for n in nouns if n not in there and NOUNS[n].natural not in hides])
    options = [c for c in colours if c not in hides and not is_heldout(noun, c, 1)]
    colour = draw.pick(options) if NOUNS[noun].recolourable and options and draw.chance(0.5) else None
    pad = 0.03
    x0, y0, x1, y1 = (place[0] - pad, place[1] - pad, place[2] + pad, place[3] + pad)
    box = (max(int(x0 * size), 0), max(int(y0 * size), 0), min(int(x1 * size) + 1, size), min(int(y1 * size) + 1, size))
    return Case(number, scene, render(scene, size, sprites), box, noun, colour)


def _room(scene: Scene, draw: Draw) -> Box:
    """A box that hides as little as may be of what is there: the first free one, or the freest of many."""
    best: tuple[float, Box] = (2.0, (0.3, 0.3, 0.7, 0.7))
    for _ in range(_TRIES):
        side = draw.uniform(0.26, 0.42)
        x, y = draw.uniform(0.02, 0.98 - side), draw.uniform(0.02, 0.98 - side)
        box = (x, y, x + side, y + side)
        hidden = max((_covered(thing.box, box) for thing in scene.objects), default=0.0)
        if hidden < best[0]:
            best = hidden, box
        if hidden == 0:
            break
    return best[1]


def _with_face(scene: Scene, draw: Draw) -> Scene:
    """The empty place with one face, left or right."""
    identity = draw_identity(draw)
    height = draw.uniform(0.5, 0.62)
    width = height * NOUNS["face"].aspect
    left = draw.uniform(0.03, 0.1) if draw.chance(0.5) else 0.97 - width - draw.uniform(0, 0.07)
    top = draw.uniform(0.2, 0.97 - height)
    thing = SceneObject(0, "face", None, (left, top, left + width, top + height), "face", None, identity)
    bare = scene.without_objects()
    return dataclasses.replace(bare, groups=(Group("face", kind="face", face=identity),), objects=(thing,))


def figures(one: Case, result: Pixels, before: Reading, after: Reading, similarity: float) -> dict[str, float]:
    """The figures of one picture. before, after: what the readers say of the two pictures.

    A figure that a case cannot have (no other things, no face, another size) is left out.
    """
    mask = one.mask
    report = compared(one.pixels, result, mask)
    outside = ~mask
    difference = np.abs(one.pixels.astype(np.int16) - result).mean(axis=2)[outside]
    found = {
        "outside_mean": report.outside_mean,
        "outside_share": report.outside_changed_pixels / max(report.outside_total_pixels, 1),
        "outside_seen": float((difference > SEEN_CHANGE).mean()),
        "seam_error": report.seam.seam_error,
        "seam_local": report.seam.local,
        "place": float(before.background == after.background),
        "similarity": similarity,
        "success": float(stands(one, after)),
    }
    others = [
        thing
        for thing in before.things
        if thing.score >= PRESENT and thing.noun != "face" and _covered(thing.box, one.place) < 0.3
    ]
    if others:
        found["kept"] = sum(_still(thing, after) for thing in others) / len(others)
    own = one.scene.objects[0].face if one.scene.objects else None
    if own is not None:
        found["same_face"] = float(_same_face(own.vector(), one.scene.objects[0].box, after))
    return found


def stands(one: Case, after: Reading) -> bool:
    """Whether what was asked is in the mask: the noun, with its centre there, likelier than not in the colour."""
    x0, y0, x1, y1 = one.place
    for thing in after.things:
        x, y = (thing.box[0] + thing.box[2]) / 2, (thing.box[1] + thing.box[3]) / 2
        if thing.noun == one.noun and thing.score >= PRESENT and x0 <= x <= x1 and y0 <= y <= y1:
            return one.colour is None or thing.colour == one.colour
    return False


def _still(thing: Detection, after: Reading) -> bool:
    return any(
        other.noun == thing.noun
        and other.score >= PRESENT
        and iou(other.box, thing.box) >= 0.5
        and other.colour == thing.colour
        for other in after.things
    )


def _same_face(own: tuple[float, ...], box: Box, after: Reading) -> bool:
    """Top 1 in a gallery: the face that is read at that place is nearest to the one that was there."""
    faces = [t for t in after.things if t.face is not None and t.score >= PRESENT and iou(t.box, box) >= 0.3]
    if not faces:
        return False
    seen = np.array(faces[0].face)
    gallery = np.array([draw_identity(Draw(SEED, index, _GALLERY_STREAM)).vector() for index in range(GALLERY)])
    return bool(np.linalg.norm(seen - own) < np.linalg.norm(gallery - seen, axis=1).min())


def _covered(box: Box, place: Box) -> float:
    """The share of a box that lies in the place."""
    width = min(box[2], place[2]) - max(box[0], place[0])
    height = min(box[3], place[3]) - max(box[1], place[1])
    return max(width, 0.0) * max(height, 0.0) / ((box[2] - box[0]) * (box[3] - box[1]))


def summary(lines: Sequence[Mapping[str, Any]]) -> dict[float, dict[str, Interval]]:
    """Position -> figure -> mean with its 95 % interval over the pictures. lines: {"position", figures ...}."""
    found: dict[float, dict[str, Interval]] = {}
    for position in POSITIONS:
        here = [line for line in lines if line["position"] == position]
        means: dict[str, Interval] = {}
        for name in FIGURES:
            values = np.array([line[name] for line in here if name in line], dtype=np.float64)
            if len(values):
                means[name] = estimate(values[:, None]).interval()
        if means:
            found[position] = means
    return found


def middle(means: Mapping[float, Mapping[str, Interval]]) -> dict[str, Any]:
    """Is the way from lock to fresh scene a switch or a slope?

    Of the span that `outside_mean`, `outside_seen` and `similarity` have from 1 to 0, the share of the largest step
    between two positions (a switch: 1; as even as may be: `even`), and the positions whose outside change lies between
    a tenth and nine tenths of that at 0. `gentlest`: the highest position below 1 whose seam is as soft as at 0, within
    a tenth.
    """
    there = [position for position in POSITIONS if position in means and position >= 0]
    told: dict[str, Any] = {"even": round(1 / max(len(there) - 1, 1), 3)}
    for name in ("outside_mean", "outside_seen", "similarity"):
        values = [means[position][name].value for position in there]
        whole = max(values) - min(values)
        steps = [abs(later - earlier) for earlier, later in itertools.pairwise(values)]
        told[f"largest_step_{name}"] = round(max(steps, default=0.0) / max(whole, 1e-9), 3)
    end = means[there[-1]]["outside_mean"].value
    told["between"] = [p for p in there if 0.1 * end < means[p]["outside_mean"].value < 0.9 * end]
    soft = means[there[-1]]["seam_local"].value * 1.1
    gentlest = next((p for p in there if p < 1 and means[p]["seam_local"].value <= soft), None)
    told["gentlest"] = gentlest
    if gentlest is not None:
        told["outside_seen_at_gentlest"] = round(means[gentlest]["outside_seen"].value, 4)
    return told


def drawn(models: Mapping[str, Mapping[float, Mapping[str, Interval]]]) -> Any:
    """A matplotlib figure: four panels over the dial, a line per model. Needs matplotlib (the `train` extra)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = (
        ("outside_mean", "change outside, grey levels"),
        ("seam_local", "seam / gradient beside it"),
        ("kept", "other things kept"),
        ("success", "asked thing stands in the mask"),
    )
    figure = Figure(figsize=(11, 3.1), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    places = {position: (1.15 if position == FREE else 1 - position) for position in POSITIONS}
    for number, (name, label) in enumerate(panels, 1):
        axes = figure.add_subplot(1, len(panels), number)
        for model, means in models.items():
            there = [position for position in POSITIONS if position in means and name in means[position]]
            xs = [places[position] for position in there]
            spans = [means[position][name] for position in there]
            (line,) = axes.plot(xs, [span.value for span in spans], "o-", markersize=3, linewidth=1.2, label=model)
            low, high = [span.low for span in spans], [span.high for span in spans]
            axes.fill_between(xs, low, high, alpha=0.15, color=line.get_color(), linewidth=0)
        axes.axvline(0.5, color="0.8", linewidth=0.8)
        axes.set_xticks([0, 0.5, 1, 1.15], ["1\nlock", "0.5", "0\nreferences", "\n\nfree"], fontsize=8)
        axes.tick_params(axis="y", labelsize=8)
        # What is free may lie far above everything else: the axis is that of the dial, and a word says where it went.
        highs = [means[p][name].high for means in models.values() for p in means if p >= 0 and name in means[p]]
        top = 1.15 * max(highs, default=0.0)
        axes.set_ylim(0, max(top, 0.1))
        beyond = [means[FREE][name].value for means in models.values() if FREE in means and name in means[FREE]]
        if max(beyond, default=0.0) > top:
            axes.text(1.15, top, f"{max(beyond):.0f} ", ha="right", va="top", fontsize=7)
        axes.set_title(label, fontsize=9)
        axes.grid(alpha=0.3)
        if number == 1:
            axes.legend(fontsize=8)
    return figure
