"""From a decoder's output to the bytes of a picture."""

from __future__ import annotations

import torch
from torch import Tensor

from triptych.core.errors import TriptychError
from triptych.core.events import Pixels


def to_pixels(picture: Tensor) -> Pixels:
    """(3, H, W) in [-1, 1] -> uint8 (H, W, 3). Not-a-number is an error, never a black picture."""
    if not torch.isfinite(picture).all():
        raise TriptychError("the picture came out as not-a-number; try less guidance or more steps")
    scaled = ((picture.float().clamp(-1, 1) + 1) * 127.5).round()
    return scaled.byte().permute(1, 2, 0).contiguous().numpy()
