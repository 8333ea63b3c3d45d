"""From a scene to its picture: background, then each thing with its shadow, from far to near.

It knows nothing of captions or of how a scene was drawn. Colours are blended in 16-bit integers: exact, and the same
on every machine.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from triptych.scenes import backgrounds
from triptych.scenes.backgrounds import BACKGROUNDS
from triptych.scenes.faces import draw_face
from triptych.scenes.graph import Scene, SceneObject
from triptych.scenes.memo import Memo
from triptych.scenes.signs import draw_sign
from triptych.scenes.sprites import Sprites

ByteImage = npt.NDArray[np.uint8]

_places: Memo[ByteImage] = Memo(max_bytes=128 << 20)
_made: Memo[ByteImage] = Memo(max_bytes=32 << 20)

_SHADOW = np.array([26, 26, 54], dtype=np.uint16)  # a cool dark, as in daylight
_DEPTH = 84  # opacity of a shadow in 255ths
FALL: dict[str | None, tuple[float, float]] = {
    "left": (0.62, 0.30),
    "right": (-0.62, 0.30),
    "above": (0.0, 0.10),
    "behind": (0.0, -0.42),
    None: (0.0, 0.10),
}
"""Light -> where the tip of a shadow falls, seen from the thing's foot: (right, up) in shares of its height."""


@functools.cache
def default_sprites() -> Sprites:
    """The system font's sprites, loaded once. Raises `FileProblem` where there is neither font nor cache."""
    return Sprites.load()


def render(scene: Scene, size: int | tuple[int, int] = 128, sprites: Sprites | None = None) -> ByteImage:
    """The picture of a scene, (H, W, 3) uint8, at one side or at (width, height) in pixels.

    Without `sprites` it draws with the system's font, and raises `FileProblem` where there is none.
    """
    width, height = (size, size) if isinstance(size, int) else size
    sprites = sprites or default_sprites()
    picture = _place(scene, width, height).copy()
    horizon = BACKGROUNDS[scene.background].horizon
    for thing in scene.objects:
        x0, y0, x1, y1 = thing.box
        box_w, box_h = max(round((x1 - x0) * width), 1), max(round((y1 - y0) * height), 1)
        left, top = round(x0 * width), round(y0 * height)
        if y1 > horizon:
            _cast(picture, thing, scene.light, sprites, left, top, box_w, box_h)
        _lay(picture, drawing(thing, sprites, box_w, box_h), left, top)
    return picture


def _place(scene: Scene, width: int, height: int) -> ByteImage:
    """The background in the scene's light, kept for the next time."""
    name, variant, light = scene.background, scene.variant, scene.light
    bare = _places.get((name, variant, width, height), lambda: backgrounds.paint(name, variant, (width, height)))
    if light is None:
        return bare
    return _places.get((name, variant, width, height, light), lambda: backgrounds.lit(bare, light))


def drawing(thing: SceneObject, sprites: Sprites, width: int, height: int) -> ByteImage:
    """Premultiplied RGBA of one thing, kept for the next time."""
    if thing.text is not None:
        text = thing.text
        return _made.get((text, thing.colour, width, height), lambda: draw_sign(text, thing.colour, width, height))
    if thing.face is not None:
        face = thing.face
        return _made.get((face, width, height), lambda: draw_face(face, width, height))
    return sprites.scaled(thing.noun, thing.colour, width, height)


def _lay(picture: ByteImage, drawing: ByteImage, left: int, top: int) -> None:
    """Lay a premultiplied RGBA drawing over the picture, in place, cut at its borders."""
    window, part = _overlap(picture, drawing, left, top)
    if part is None:
        return
    keep = 255 - part[..., 3:].astype(np.uint16)
    window[...] = part[..., :3] + ((window * keep + 127) // 255).astype(np.uint8)


def _cast(
    picture: ByteImage,
    thing: SceneObject,
    light: str | None,
    sprites: Sprites,
    left: int,
    top: int,
    w: int,
    h: int,
) -> None:
    """Darken the ground where the thing keeps the light off."""
    shadow = sprites.shadows.get(
        (thing.noun, thing.text, thing.face, w, h, light),
        lambda: _shadow(drawing(thing, sprites, w, h)[..., 3], *FALL[light]),
    )
    reach = (shadow.shape[1] - w) // 2
    foot = top + h - 1
    above = shadow.shape[0] // 2
    window, part = _overlap(picture, shadow, left - reach, foot - above)
    if part is None:
        return
    amount = part[..., None].astype(np.uint16)
    window[...] = ((window * (255 - amount) + _SHADOW * amount + 127) // 255).astype(np.uint8)


def _shadow(alpha: ByteImage, lean: float, tall: float) -> ByteImage:
    """The silhouette laid on the ground, as opacity; the sprite's foot is in the middle row.

    A tall share below zero turns the silhouette towards the viewer.
    """
    h, w = alpha.shape
    reach = int(abs(lean) * h) + 4
    rows = int(max(abs(tall) * h, 2)) + 4
    flat = max(int(abs(tall) * h), 2)
    squashed = np.asarray(Image.fromarray(alpha).resize((w, flat), Image.Resampling.BOX))
    ground = np.zeros((2 * rows + 1, w + 2 * reach), dtype=np.uint8)
    for i in range(flat):  # row i of the silhouette, from its head down
        up = flat - 1 - i
        shift = reach + round(lean * h * up / flat)
        y = rows - up if tall > 0 else rows + up
        ground[y, shift : shift + w] = squashed[i]
    blurred = Image.fromarray(ground).filter(ImageFilter.GaussianBlur(max(0.02 * max(h, w), 0.7)))
    return (np.asarray(blurred).astype(np.uint16) * _DEPTH // 255).astype(np.uint8)


def _overlap(picture: ByteImage, part: ByteImage, left: int, top: int) -> tuple[ByteImage, ByteImage | None]:
    """The window of the picture under `part`, and what of `part` lies in it."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + part.shape[1], picture.shape[1]), min(top + part.shape[0], picture.shape[0])
    if x0 >= x1 or y0 >= y1:
        return picture, None
    return picture[y0:y1, x0:x1], part[y0 - top : y1 - top, x0 - left : x1 - left]
