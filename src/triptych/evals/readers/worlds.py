"""The scenes that readers learn from: those of a level with signs and faces, and more freedom than the level allows.

A judge has to read what a painter should not have painted: any noun in any colour, a thing in mid-air, a word that no
sign of the world says, and debris that is nothing at all. Scenes depend on (level, seed, index) alone; the seeds are
the readers' own. It knows nothing of networks.
"""

from __future__ import annotations

import dataclasses
import string

import numpy as np
import numpy.typing as npt

from triptych.core.errors import FileProblem
from triptych.core.plan import MAX_SIGN_LETTERS, Box
from triptych.evals.reading import Reading, true_reading
from triptych.scenes import LEVELS, Level, Scene, Sprites, render, sample_scene
from triptych.scenes.backgrounds import BACKGROUNDS, VARIANTS
from triptych.scenes.colours import COLOURS
from triptych.scenes.draw import Draw
from triptych.scenes.faces import draw_face
from triptych.scenes.graph import Group, SceneObject
from triptych.scenes.identity import draw_identity
from triptych.scenes.nouns import NOUNS
from triptych.scenes.render import FALL
from triptych.scenes.signs import draw_sign, draw_word, sign_aspect

ByteImage = npt.NDArray[np.uint8]

TRAINING_SEED = 2_000_003
VALIDATION_SEED = 2_000_029
CEILING_SEED = 3_000_017
"""No painter's stage draws scenes of these seeds, and no two of these share a scene."""

GALLERY_EVERY = 2
"""Every second scene shows a sign, a face, or both, for the readers that look closer."""
_STREAM, _DEBRIS_STREAM = 0x4EAD, 0xDEB
_MOVE_SHARE, _RECOLOUR_SHARE, _DEBRIS_SHARE, _RANDOM_LETTERS = 0.35, 0.6, 0.15, 0.5
_MADE_SHARE = 0.1
_MARGIN = 0.02
_PATCHES = 4


def with_made(level: Level) -> Level:
    """The level plus signs and faces, each a tenth of the groups."""
    nouns = tuple(dict.fromkeys((*level.nouns, "sign", "face")))
    return dataclasses.replace(level, nouns=nouns, sign_share=_MADE_SHARE, face_share=_MADE_SHARE)


def level_of_readers(nouns: tuple[str, ...], backgrounds: tuple[str, ...]) -> Level:
    """The level whose scenes readers of that vocabulary were made for."""
    for level in LEVELS.values():
        world = with_made(level)
        if (world.nouns, world.backgrounds) == (nouns, backgrounds):
            return world
    raise FileProblem("the readers' card names the words of no level that is known here")


def reader_scene(level: Level, seed: int, index: int) -> Scene:
    """Scene `index` of a reader's endless series."""
    draw = Draw(seed, index, _STREAM)
    if index % GALLERY_EVERY == GALLERY_EVERY - 1:
        return _gallery(level, seed, index, draw)
    scene = sample_scene(level, seed, index)
    things = [_restless(thing, scene.background, draw) for thing in scene.objects]
    if draw.chance(_MOVE_SHARE):
        for i in range(len(things)):
            things[i] = _moved(things, i, draw)
    return dataclasses.replace(scene, objects=tuple(things))


def kinds_of(index: int) -> tuple[str, ...]:
    """What the gallery scene of that index shows."""
    return (("sign",), ("face",), ("sign", "face"))[index // GALLERY_EVERY % 3]


def picture(scene: Scene, size: int, sprites: Sprites) -> ByteImage:
    """The render, (size, size, 3) uint8; in some scenes one thing is torn to shreds."""
    pixels = render(scene, size, sprites)
    torn, draw = _torn(scene)
    return pixels if torn is None else _shredded(pixels, scene.objects[torn].box, draw)


def reading(scene: Scene, size: int, sprites: Sprites) -> Reading:
    """What is true of `picture`: a thing in shreds counts as nothing."""
    true, (torn, _) = truth(scene, size, sprites), _torn(scene)
    return dataclasses.replace(true, things=tuple(thing for i, thing in enumerate(true.things) if i != torn))


def _torn(scene: Scene) -> tuple[int | None, Draw]:
    """Which thing is torn, and the draw that tears it: one that stands alone, so that nothing else is hurt."""
    draw = Draw(scene.seed, scene.index, _DEBRIS_STREAM)
    alone = [i for i in range(len(scene.objects)) if not _crowded(scene.objects, i)]
    return (draw.pick(alone) if alone and draw.chance(_DEBRIS_SHARE) else None), draw


def truth(scene: Scene, size: int, sprites: Sprites) -> Reading:
    """What a reader without faults would say of a scene's render, hidden parts and shadows included.

    things: in the order of the scene's objects, from back to front.
    """
    horizon = BACKGROUNDS[scene.background].horizon
    shown = _visible(scene, size, sprites)
    plain = true_reading(scene)
    things = [
        dataclasses.replace(told, visible=visible, shadow=FALL[scene.light] if thing.box[3] > horizon else None)
        for told, thing, visible in zip(plain.things, scene.objects, shown, strict=True)
    ]
    return dataclasses.replace(plain, things=tuple(things))


def _visible(scene: Scene, size: int, sprites: Sprites) -> list[float]:
    """The share of each thing's opacity that no later thing covers, cut at the picture's borders."""
    shares = [1.0] * len(scene.objects)
    over = np.ones((size, size), np.float32)
    masks = [_opacity(thing, size, sprites) if _crowded(scene.objects, i) else None
             for i, thing in enumerate(scene.objects)]  # fmt: skip
    for i in reversed(range(len(masks))):
        mask = masks[i]
        if mask is not None:
            canvas, whole = mask
            shares[i] = float((canvas * over).sum() / max(whole, 1e-6))
            over = over * (1 - canvas)
    return shares


def _opacity(thing: SceneObject, size: int, sprites: Sprites) -> tuple[npt.NDArray[np.float32], float]:
    """The thing's opacity on the canvas (size, size), and its sum before the borders cut it."""
    x0, y0, x1, y1 = thing.box
    width, height = max(round((x1 - x0) * size), 1), max(round((y1 - y0) * size), 1)
    if thing.text is not None:
        drawing = draw_sign(thing.text, thing.colour, width, height)
    elif thing.face is not None:
        drawing = draw_face(thing.face, width, height)
    else:
        drawing = sprites.scaled(thing.noun, thing.colour, width, height)
    alpha = drawing[..., 3].astype(np.float32) / 255
    canvas = np.zeros((size, size), np.float32)
    left, top = round(x0 * size), round(y0 * size)
    a, b, c, d = max(left, 0), max(top, 0), min(left + width, size), min(top + height, size)
    if a < c and b < d:
        canvas[b:d, a:c] = alpha[b - top : d - top, a - left : c - left]
    return canvas, float(alpha.sum())


def _crowded(things: tuple[SceneObject, ...] | list[SceneObject], i: int) -> bool:
    """Whether another thing's box touches this one's, or a border cuts it."""
    box = things[i].box
    outside = min(box) < 0 or max(box) > 1
    return outside or any(_shared(box, other.box) > 0 for j, other in enumerate(things) if j != i)


def _shared(first: Box, second: Box) -> float:
    """The common area as a share of the smaller box."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / min(_area(first), _area(second))


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _restless(thing: SceneObject, background: str, draw: Draw) -> SceneObject:
    """The thing in any colour that can be seen there; a sign says anything."""
    recolour = draw.chance(_RECOLOUR_SHARE)
    colours = [colour for colour in COLOURS if colour not in BACKGROUNDS[background].hides]
    if recolour and NOUNS[thing.noun].recolourable:
        thing = dataclasses.replace(thing, colour=draw.pick(colours))
    return _with_word(thing, _word(draw)) if thing.text is not None else thing


def _word(draw: Draw) -> str:
    """Any letters, or a word of the world, seen in the painters' training or not."""
    if draw.chance(_RANDOM_LETTERS):
        return "".join(draw.pick(string.ascii_uppercase) for _ in range(draw.integer(1, MAX_SIGN_LETTERS)))
    return draw_word(draw, heldout=draw.chance(0.3))


def _with_word(thing: SceneObject, word: str) -> SceneObject:
    """Another word on a board of its width, or as wide as the picture's room allows."""
    x0, y0, x1, y1 = thing.box
    width = min(x1 - x0, (y1 - y0) * 1.3 * sign_aspect(word))
    height = width / sign_aspect(word)
    x, foot = (x0 + x1) / 2, max(y1, height + _MARGIN)
    return dataclasses.replace(thing, text=word, box=(x - width / 2, foot - height, x + width / 2, foot))


def _moved(things: list[SceneObject], i: int, draw: Draw) -> SceneObject:
    """The thing somewhere else, in the air as well; where it would hide much of another, it stays."""
    x0, y0, x1, y1 = things[i].box
    width, height = x1 - x0, y1 - y0
    left = draw.uniform(-0.1 * width, 1 - 0.9 * width)
    top = draw.uniform(-0.1 * height, 1 - 0.9 * height)
    box = (left, top, left + width, top + height)
    if any(_shared(box, other.box) > 0.5 for j, other in enumerate(things) if j != i):
        return things[i]
    return dataclasses.replace(things[i], box=box)


def _gallery(level: Level, seed: int, index: int, draw: Draw) -> Scene:
    """A sign, a face, or both side by side or one above the other, at any size that can be read."""
    background = draw.pick(level.backgrounds)
    light = draw.pick(level.lights) if draw.chance(0.5) else None
    kinds = list(kinds_of(index))
    if draw.chance(0.5):
        kinds.reverse()
    beside = draw.chance(0.5)
    groups: list[Group] = []
    things: list[SceneObject] = []
    for i, kind in enumerate(kinds):
        if kind == "sign":
            colours = [colour for colour in COLOURS if colour not in BACKGROUNDS[background].hides]
            colour = draw.pick(colours) if draw.chance(_RECOLOUR_SHARE) else None
            group = Group("sign", colour, kind="sign", text=_word(draw))
            aspect = sign_aspect(group.text or "")
        else:
            group = Group("face", kind="face", face=draw_identity(draw))
            aspect = NOUNS["face"].aspect
        share = 1 / len(kinds)
        room_w, room_h = (share, 1.0) if beside else (1.0, share)
        most = min(room_w - 2 * _MARGIN, (room_h - 2 * _MARGIN) * aspect)
        width = most * draw.uniform(0.55, 1.0)
        height = width / aspect
        x0 = (i * room_w if beside else 0) + _MARGIN + draw.unit() * (room_w - 2 * _MARGIN - width)
        y0 = (0 if beside else i * room_h) + _MARGIN + draw.unit() * (room_h - 2 * _MARGIN - height)
        groups.append(group)
        box = (x0, y0, x0 + width, y0 + height)
        things.append(SceneObject(i, group.noun, group.colour, box, group.kind, group.text, group.face))
    variant = draw.integer(0, VARIANTS - 1)
    return Scene(level.name, seed, index, background, light, variant, tuple(groups), tuple(things))


def _shredded(pixels: ByteImage, box: Box, draw: Draw) -> ByteImage:
    """The box's pixels cut into patches, which are turned and laid out in another order."""
    size = len(pixels)
    x0, y0, x1, y1 = (min(max(round(side * size), 0), size) for side in box)
    side = max(min(x1 - x0, y1 - y0) // _PATCHES, 2)
    corners = [(y, x) for y in range(y0, y1 - side + 1, side) for x in range(x0, x1 - side + 1, side)]
    torn = pixels.copy()
    for (y, x), (v, u) in zip(corners, draw.sample(corners, len(corners)), strict=True):
        patch = pixels[v : v + side, u : u + side]
        torn[y : y + side, x : x + side] = np.rot90(patch, draw.integer(0, 3))
    return torn
