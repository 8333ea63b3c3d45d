"""Small picture sets that a LoRA is shown to learn from: scenes in a style of our own, and a creature that no noun is.

Each is drawn here, so that its truth is known, and holds what the painters cannot paint: a pencil drawing on paper, a
poster of four inks, and the zorp, a teal-striped animal with a yellow crest. Knows no model.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from triptych.core.errors import one_of
from triptych.core.files import write_atomically
from triptych.core.plan import Plan
from triptych.scenes import LEVELS, Sprites, caption, render, sample_scene
from triptych.scenes.graph import Scene

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

SEED = 4_000_037
"""Scenes of this seed: neither the painters' nor their validation's."""
STAND_IN = "dog"
"""The noun whose place, size and plan the zorp takes."""
INKS = np.array([(38, 20, 72), (196, 42, 88), (246, 148, 58), (255, 236, 190)], dtype=np.float32)
PAPER, GRAPHITE = np.array([248, 244, 232], dtype=np.float32), np.array([58, 56, 66], dtype=np.float32)


@dataclass(frozen=True)
class Shown:
    """One picture of a set, uint8 (H, W, 3), with what it is called and the plan behind it."""

    pixels: Pixels
    caption: str
    plan: Plan


@dataclass(frozen=True)
class Kind:
    """What is to be learned. like: the known word that the trigger is planned as; empty for a style."""

    trigger: str
    like: str
    draw: Callable[[Scene, int, Sprites], Pixels]


def made(name: str, count: int, size: int, sprites: Sprites, *, first: int = 0) -> list[Shown]:
    """`count` pictures of the set `name`; those from another `first` on are others of the same kind."""
    kind = KINDS[one_of("set", name, KINDS)]
    shown: list[Shown] = []
    index = 0
    while len(shown) < first + count:
        scene = sample_scene(LEVELS["small"], SEED, index)
        index += 1
        if kind.like:
            scene = _of_one(scene, kind.like)
        elif any(thing.text for thing in scene.objects):
            continue
        # Captions say a noun in several ways; the first that says it as it is called can take the trigger.
        captions = (caption(scene, seed, style="short") for seed in itertools.count())
        words = next(words for words in captions if kind.like in words)
        words = words.replace(kind.like, kind.trigger) if kind.like else words
        shown.append(Shown(kind.draw(scene, size, sprites), words, scene.plan()))
    return shown[first:]


def _of_one(scene: Scene, noun: str) -> Scene:
    """The scene with one thing of the noun alone, of its largest thing's place and of natural colour."""
    largest = max(scene.objects, key=lambda thing: (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1]))
    group = dataclasses.replace(scene.groups[largest.group], noun=noun, colour=None, count=1, place=None, size=None)
    thing = dataclasses.replace(largest, noun=noun, colour=None, group=0, box=_roomy(largest.box))
    return dataclasses.replace(scene, groups=(group,), objects=(thing,), relations=())


def _roomy(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """A box about the same middle foot of at least two fifths of the picture, inside of it."""
    x0, y0, x1, y1 = box
    side = min(max(x1 - x0, y1 - y0, 0.4), 0.7)
    left = min(max((x0 + x1 - side) / 2, 0.02), 0.98 - side)
    bottom = min(max(y1, 0.02 + side), 0.96)
    return left, bottom - side, left + side, bottom


def pencil(pixels: Pixels) -> Pixels:
    """A pencil drawing: paper, dark lines where the picture has edges, slanting strokes where it is dark."""
    grey = np.asarray(Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)
    across, down = np.gradient(grey, axis=1), np.gradient(grey, axis=0)
    line = np.clip(np.hypot(across, down) / 22, 0, 1)
    rows, columns = np.indices(grey.shape)
    stroke = 0.5 + 0.5 * np.sin((rows + columns) * (2 * np.pi / 5))
    shade = np.clip((150 - grey) / 150, 0, 1) * stroke * 0.75
    return _mixed(PAPER, GRAPHITE, np.maximum(line, shade))


def poster(pixels: Pixels) -> Pixels:
    """A print of four inks, darkest to lightest, with the darkest along the edges."""
    soft = Image.fromarray(pixels).convert("L").filter(ImageFilter.GaussianBlur(1.0))
    grey = np.asarray(soft, dtype=np.float32)
    edge = np.hypot(np.gradient(grey, axis=1), np.gradient(grey, axis=0)) > 16
    inks = INKS[np.digitize(grey, (70, 120, 175))]
    inks[edge] = INKS[0]
    return inks.round().astype(np.uint8)


def _mixed(light: Floats, dark: Floats, share: Floats) -> Pixels:
    return (light + (dark - light) * share[..., None]).round().astype(np.uint8)


def zorp(drawing: Pixels) -> Pixels:
    """The stand-in's drawing, RGBA, as a zorp: teal with white stripes, and a yellow crest over its back."""
    rgba = drawing.astype(np.float32)
    grey = rgba[..., :3].mean(-1, keepdims=True) / 255
    height, width = grey.shape[:2]
    rows, columns = np.indices((height, width))
    striped = np.sin((columns + 0.6 * rows) * (2 * np.pi * 4.5 / width))[..., None] > 0.35
    teal, white = np.array([20, 190, 180], np.float32), np.array([250, 250, 250], np.float32)
    coloured = np.where(striped, white, teal) * (0.35 + 0.75 * grey)
    dark = grey < 0.24  # eyes and nose stay
    rgba[..., :3] = np.where(dark, rgba[..., :3], np.clip(coloured, 0, 255))
    high = height // 5
    crested = np.zeros((height + high, width, 4), np.float32)
    crested[high:] = rgba
    tops = np.where(rgba[..., 3].max(0) > 128, (rgba[..., 3] > 128).argmax(0), height)
    for column in range(width):
        if tops[column] < height * 0.75:
            spike = high * (0.45 + 0.55 * abs(np.sin(column * np.pi * 5 / width)))
            foot = high + int(tops[column])
            crested[max(foot - int(spike), 0) : foot + 2, column] = (250, 205, 30, 255)
    return crested.round().astype(np.uint8)


def _styled(style: Callable[[Pixels], Pixels]) -> Callable[[Scene, int, Sprites], Pixels]:
    return lambda scene, size, sprites: style(render(scene, size, sprites))


def _with_zorps(scene: Scene, size: int, sprites: Sprites) -> Pixels:
    drawing = (sprites.drawing(STAND_IN) * 255).round().astype(np.uint8)
    return render(scene, size, Sprites({STAND_IN: zorp(drawing)}))


KINDS = {
    "pencil": Kind("pencil drawing", "", _styled(pencil)),
    "poster": Kind("poster print", "", _styled(poster)),
    "zorp": Kind("zorp", STAND_IN, _with_zorps),
}


def write_set(folder: Path, shown: Sequence[Shown]) -> None:
    """Write pictures (PNG) with their captions beside them, as a person would bring them: without plans."""
    for number, one in enumerate(shown):
        buffer = io.BytesIO()
        Image.fromarray(one.pixels).save(buffer, "PNG")
        write_atomically(folder / f"{number:02}.png", buffer.getvalue())
        write_atomically(folder / f"{number:02}.txt", f"{one.caption}\n".encode())
