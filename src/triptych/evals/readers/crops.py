"""Pictures as tensors, and the window around a thing that a closer reader looks at. Knows nothing of networks."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.core.plan import Box

SIGN_SIZE, FACE_SIZE, SHADOW_SIZE = (128, 32), (48, 56), (48, 32)
"""Width and height of each reader's window in pixels."""
_BOARD = 0.74
"""The board's share of a sign's height (`scenes.signs`); the post says nothing."""


def as_tensor(pixels: np.ndarray) -> Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.array(pixels)).float().div_(127.5).sub_(1).movedim(-1, -3)


def window(picture: Tensor, box: Box, size: tuple[int, int]) -> Tensor:
    """The box (fractions) of a picture (3, H, W), resampled to (3, height, width); the border goes on outside of it."""
    width, height = size
    x0, y0, x1, y1 = box
    theta = torch.tensor([[[x1 - x0, 0.0, x0 + x1 - 1], [0.0, y1 - y0, y0 + y1 - 1]]])
    grid = F.affine_grid(theta, [1, 3, height, width], align_corners=False)
    return F.grid_sample(picture[None], grid, padding_mode="border", align_corners=False)[0]


def sign_window(box: Box) -> Box:
    """The board of a sign with this box, and a little around it."""
    x0, y0, x1, y1 = box
    return _grown((x0, y0, x1, y0 + _BOARD * (y1 - y0)), 0.02, 0.04)


def face_window(box: Box) -> Box:
    return _grown(box, 0.04, 0.04)


def shadow_window(box: Box) -> Box:
    """The ground around a thing's foot: as far as a shadow falls to either side, behind it and before it."""
    x0, y0, x1, y1 = box
    height = y1 - y0
    return x0 - 0.75 * height, y1 - 0.65 * height, x1 + 0.75 * height, y1 + 0.5 * height


def _grown(box: Box, x: float, y: float) -> Box:
    """The box with a rim of these shares of its sides."""
    width, height = box[2] - box[0], box[3] - box[1]
    return box[0] - x * width, box[1] - y * height, box[2] + x * width, box[3] + y * height
