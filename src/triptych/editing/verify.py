"""The proof of a lock: the file that is about to be written, decoded again and held against the source.

What counts is the file, not the array that went into it: an encoder that loses pixels, a mode that is converted or a
paste that is off by one show here. A locked edit that changed a single pixel outside of its mask is not written.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from triptych.core.errors import InvalidRequest, TriptychError
from triptych.core.events import Pixels
from triptych.editing.distance import Bits
from triptych.editing.seam import Seam, seam

_BAND = 512
LOSSLESS = {"PNG": "png", "WEBP": "webp (lossless)"}


@dataclass(frozen=True)
class LockReport:
    """outside_changed_pixels, outside_total_pixels: of the pixels that are not selected. outside_mean: mean absolute
    difference there, in grey levels. inside_changed_pixels: of the selected ones.
    """

    outside_changed_pixels: int
    outside_total_pixels: int
    outside_mean: float
    inside_changed_pixels: int
    seam: Seam

    def as_json(self) -> dict[str, Any]:
        return {
            "outside_changed_pixels": self.outside_changed_pixels,
            "outside_total_pixels": self.outside_total_pixels,
            "outside_mean": round(self.outside_mean, 4),
            "inside_changed_pixels": self.inside_changed_pixels,
            **self.seam.as_json(),
        }


def compared(source: Pixels, result: Pixels, mask: Bits) -> LockReport:
    """What changed where. source, result: uint8 (H, W, C) of one shape; mask: (H, W), True where it may change."""
    if source.shape != result.shape:
        raise TriptychError(f"the result is {_shape(result)}, but the picture is {_shape(source)}; nothing is written")
    outside_changed = inside_changed = 0
    total = 0.0
    for top in range(0, source.shape[0], _BAND):
        rows = np.s_[top : top + _BAND]
        difference = np.abs(source[rows].astype(np.int16) - result[rows])
        changed, free = difference.any(axis=2), mask[rows]
        outside_changed += int((changed & ~free).sum())
        inside_changed += int((changed & free).sum())
        total += float(difference.mean(axis=2)[~free].sum())
    outside = int(mask.size - mask.sum())
    return LockReport(outside_changed, outside, total / max(outside, 1), inside_changed, seam(result, mask, source))


def proved(source: Pixels, data: bytes, mask: Bits) -> LockReport:
    """The report of an encoded file; raises `TriptychError` if a pixel outside of the mask is not the source's."""
    report = compared(source, decoded(data, source.shape[2]), mask)
    if report.outside_changed_pixels:
        raise TriptychError(
            f"the lock does not hold: {report.outside_changed_pixels} of {report.outside_total_pixels} pixels outside "
            "of the mask changed; nothing is written"
        )
    return report


def decoded(data: bytes, channels: int) -> Pixels:
    """The pixels of an encoded picture of ours, (H, W, channels)."""
    with Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    if channels == 4 and pixels.shape[2] == 3:  # WebP leaves an alpha plane out where all of it is opaque
        pixels = np.concatenate((pixels, np.full((*pixels.shape[:2], 1), 255, np.uint8)), axis=2)
    if pixels.shape[2] != channels:
        raise TriptychError(
            f"the file has {pixels.shape[2]} channels, but the picture has {channels}; nothing is written"
        )
    return pixels


def check_lossless(format_name: str, lock: float) -> None:
    """A lock needs a file that keeps pixels. Raises `InvalidRequest` that names `out`."""
    if lock >= 1 and format_name not in LOSSLESS:
        raise InvalidRequest(
            "out",
            f"{format_name} loses pixels, so a lock of 1 could not hold; write {' or '.join(LOSSLESS.values())}, "
            "or use a lock below 1",
        )


def _shape(pixels: Pixels) -> str:
    return f"{pixels.shape[1]}x{pixels.shape[0]} with {pixels.shape[2]} channels"
