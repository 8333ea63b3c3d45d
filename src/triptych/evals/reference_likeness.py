"""How much of a reference came over: faces, colours, looks and poses of a picture against what is known to be true.

Everything is measured where the plan put it, so that a painter that places well is not judged by a detector's doubts.
A painter's picture comes in, or the true one after a round trip, which gives the ceiling. Pixels are uint8 (H, W, 3).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from triptych.core.events import Pixels
from triptych.evals.readers import crops
from triptych.evals.readers.ceilings import GALLERY, gallery
from triptych.evals.readers.decode import PRESENT, iou
from triptych.evals.readers.face import observable, vector_of
from triptych.evals.readers.load import Readers
from triptych.scenes import SceneObject, Sprites, render
from triptych.scenes.dressing import TURNS, Dressed, Look
from triptych.scenes.series import Kind, Shot

Scores = dict[str, float]

NAMES: Mapping[str, Mapping[str, str]] = {
    "face": {"top1": f"right one nearest of {GALLERY:,}", "error": "RMS error of the identity's numbers"},
    "tint": {"hue": "hue error, degrees", "noun": "noun still read at its place"},
    "style": {"palette": "RMS error of the channels' means and spreads, of 255"},
    "pose": {"turn": "error of the turn, degrees", "within30": "turn right within 30 degrees"},
}
"""Kind of series -> what is measured of it."""
_CHANGED = 24
_BODY_PIXELS = 30


@dataclasses.dataclass
class Likeness:
    """The measuring. side: of all pictures."""

    readers: Readers
    sprites: Sprites
    side: int

    def of(self, kind: Kind, shot: Shot, pixels: Pixels) -> Scores:
        """The measures of `NAMES` for one picture that should have been `shot`."""
        if kind == "face":
            return self._face(shot, pixels)
        if kind == "tint":
            return self._tint(shot, pixels)
        if kind == "style":
            return {"palette": palette_error(pixels, shot.picture(self.side, self.sprites))}
        return self._pose(shot, pixels)

    @cached_property
    def _others(self) -> npt.NDArray[np.float64]:
        return gallery(GALLERY - 1)

    def _face(self, shot: Shot, pixels: Pixels) -> Scores:
        thing = next(thing for thing in shot.scene.objects if thing.face is not None)
        window = crops.window(crops.as_tensor(pixels), crops.face_window(thing.box), crops.FACE_SIZE)
        with torch.inference_mode():
            read = np.array(vector_of(self.readers.networks.face(window[None])[0]))
        true = np.array(observable(thing.face.vector() if thing.face else ()))
        own = np.square(true - read).sum()
        return {
            "top1": float(own < np.square(self._others - read).sum(1).min()),
            "error": float(np.sqrt(np.square(true - read).mean())),
        }

    def _tint(self, shot: Shot, pixels: Pixels) -> Scores:
        (noun,) = shot.looks
        thing = _thing(shot, noun)
        true, body = shot.picture(self.side, self.sprites), self._body(shot, thing)
        found, wanted = (np.median(each[body], axis=0) for each in (pixels, true))
        read = self.readers.read([pixels])[0].things
        kept = any(each.noun == noun and each.score >= PRESENT and iou(each.box, thing.box) >= 0.5 for each in read)
        return {"hue": hue_error(found, wanted), "noun": float(kept)}

    def _body(self, shot: Shot, thing: SceneObject) -> npt.NDArray[np.bool_]:
        """The pixels (H, W) that the tint changes; all of the thing's box where it hardly changes any."""
        plain = render(shot.scene, self.side, self.sprites).astype(int)
        changed = np.abs(plain - shot.picture(self.side, self.sprites)).max(axis=2) > _CHANGED
        if changed.sum() >= _BODY_PIXELS:
            return changed
        whole = np.zeros_like(changed)
        whole[_rows(thing, self.side), _columns(thing, self.side)] = True
        return whole

    def _pose(self, shot: Shot, pixels: Pixels) -> Scores:
        """By the most similar of the thing's renders in every pose, in its own box."""
        (noun,) = shot.looks
        thing = _thing(shot, noun)
        place = _rows(thing, self.side), _columns(thing, self.side)
        seen = pixels[place].astype(float)

        def distance(look: Look) -> float:
            drawn = render(shot.scene, self.side, Dressed(self.sprites, {noun: look}))
            return float(np.square(drawn[place] - seen).mean())

        looks = [Look(mirrored=mirrored, turned=turned) for mirrored in (False, True) for turned in TURNS]
        best = min(looks, key=distance)
        away = abs((best.turned - shot.looks[noun].turned + 180) % 360 - 180)
        return {"turn": float(away), "within30": float(away <= 30)}


def palette_error(found: Pixels, true: Pixels) -> float:
    """Root mean square over three means and three standard deviations."""
    stats = [np.concatenate([each.mean(axis=(0, 1)), each.std(axis=(0, 1))]) for each in (found, true)]
    return float(np.sqrt(np.square(stats[0] - stats[1]).mean()))


def hue_error(found: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> float:
    """Degrees between the hues of two colours (red, green, blue)."""
    angles = [
        np.degrees(np.arctan2(np.sqrt(3.0) * (green - blue), 2 * red - green - blue))
        for red, green, blue in (found, wanted)
    ]
    return float(abs((angles[0] - angles[1] + 180) % 360 - 180))


def _thing(shot: Shot, noun: str) -> SceneObject:
    return next(thing for thing in shot.scene.objects if thing.noun == noun)


def _rows(thing: SceneObject, side: int) -> slice:
    return slice(max(round(thing.box[1] * side), 0), max(round(thing.box[3] * side), 1))


def _columns(thing: SceneObject, side: int) -> slice:
    return slice(max(round(thing.box[0] * side), 0), max(round(thing.box[2] * side), 1))
