"""What a picture is in memory, and the hash that tells two apart. Knows no file and no model."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""Height x width x 3, sRGB."""


def pixels_sha256(pixels: Pixels) -> str:
    """SHA-256 of "HxWxC" and the raw bytes, row by row: equal exactly for pictures of equal shape and equal
    pixels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3:
        raise ValueError(f"pixels are height x width x channels of uint8, not {pixels.shape} of {pixels.dtype}")
    digest = hashlib.sha256("x".join(str(side) for side in pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels).tobytes())
    return digest.hexdigest()
