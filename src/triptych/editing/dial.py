"""The dial between the pixel lock and world building: one number in 0..1, and what it does to each pixel.

Let d be a pixel's distance to the selection in pixels of what the model sees, D the longer side of that, and

    r = D / 2 * 2 (1 - lock)                                              how far the edit may reach,
    near = (1 + cos(pi min(d / r, 1))) / 2                                1 at the selection, 0 from distance r on,
    strength = near                          for lock >= 1/2,
    strength = near + (1 - near) (1 - 2 lock)   below, with r as for lock = 1/2.

The strength of every pixel falls, or stays, as the lock rises, and the positions of the dial are

| lock | named | what is done |
|---|---|---|
| 1 | lock | only the selection is taken from the new picture; every other pixel is the old one, byte by byte |
| 1/2 < lock < 1 | feather | the edit reaches out by r; where the strength is 0 the old pixels stay, byte by byte |
| 0 < lock <= 1/2 | per-pixel strength | nothing is pasted; the model paints all, from the old picture, ever freer |
| 0 | references | no old pixel goes in: the old picture is a reference, and what was seen in it is planned again |

Beyond 0 there is only the prompt without the picture ("free"), which is `generate`. Between old pixels (strength 0) and
new ones (strength >= 1/4) the feather mixes both in proportion, where the model's picture is still nearly the old one.
The strength itself is differential diffusion (Levin & Fried 2023): a position takes part in the last `strength` of the
steps only. Knows no model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from triptych.core.errors import InvalidRequest
from triptych.core.events import Pixels
from triptych.editing.distance import Bits, Floats, distance

Position = Literal["lock", "feather", "strength", "references"]
MIXED_UP_TO = 0.25


@dataclass(frozen=True)
class Dial:
    """A position of the dial. lock: 0..1."""

    lock: float

    def __post_init__(self) -> None:
        if not 0 <= self.lock <= 1:
            raise InvalidRequest("lock", f"{self.lock} is not allowed: 0 (a fresh scene) to 1 (the pixel lock)")

    @property
    def position(self) -> Position:
        if self.lock == 1:
            return "lock"
        if self.lock > 0.5:
            return "feather"
        return "strength" if self.lock > 0 else "references"

    @property
    def pastes(self) -> bool:
        """Whether old pixels are put back."""
        return self.lock > 0.5

    @property
    def refers(self) -> bool:
        """Whether the old picture goes in as a reference, where the model takes any.

        Only where it goes in as nothing else: between 0 and 1/2 a reference beside the strength plane cost a sixth of
        the edits and kept no more (docs/decisions/0040).
        """
        return self.lock == 0


def strength_plane(mask: Bits, dial: Dial) -> Floats:
    """The strength of each pixel, (h, w) in 0..1, for a selection at the size that the model paints."""
    if dial.lock == 1 or mask.all():
        return mask.astype(np.float32)
    longer = max(mask.shape)
    reach = longer / 2 * 2 * (1 - max(dial.lock, 0.5))
    away = distance(mask, -int(-reach // 1))
    near = 0.5 + 0.5 * np.cos(np.pi * np.minimum(away / max(reach, 1e-6), 1))
    near = np.where(mask, 1, np.where(away >= reach, 0, near)).astype(np.float32)
    if dial.lock >= 0.5:
        return near
    return (near + (1 - near) * np.float32(1 - 2 * dial.lock)).astype(np.float32)


def as_map(strength: Floats) -> Pixels:
    """The strength as the grey picture of a request, uint8 (h, w): anything above 0 stays above 0."""
    return np.ceil(strength * 255 - 1e-4).clip(0, 255).astype(np.uint8)


def paste_weights(strength: Floats) -> Floats:
    """How much of the new picture each pixel takes where the dial feathers: exactly 0 where nothing is free."""
    return np.minimum(strength / MIXED_UP_TO, 1).astype(np.float32)
