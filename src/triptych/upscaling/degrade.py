"""How a large picture became the small one: averaged or filtered down, and sometimes harmed.

The pairs of training come from here, and those of the bench. A harmed picture is blurred a little or has been a JPEG;
round trips through an autoencoder are added where one is at hand, outside of this file. Knows no network.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

ByteImage = npt.NDArray[np.uint8]

FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "area": Image.Resampling.BOX,
}
"""All of them see every pixel of the large picture: nothing aliases."""
_SHARES = (0.4, 0.3, 0.3)
BLURRED, COMPRESSED = 0.10, 0.10


def shrink(pixels: ByteImage, scale: int, method: str = "bicubic") -> ByteImage:
    """(scale H, scale W, 3) uint8 -> (H, W, 3) uint8, in sRGB."""
    height, width = (side // scale for side in pixels.shape[:2])
    return np.asarray(Image.fromarray(pixels).resize((width, height), FILTERS[method]))


def some_method(draw: np.random.Generator) -> str:
    """One of the three filters, bicubic a little more often."""
    return str(draw.choice(list(FILTERS), p=_SHARES))


def harmed(pixels: ByteImage, draw: np.random.Generator) -> ByteImage:
    """Most pictures as they are; one in ten slightly blurred, one in ten as a JPEG would have it."""
    fate = draw.random()
    if fate < BLURRED:
        return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(float(draw.uniform(0.3, 0.9)))))
    if fate < BLURRED + COMPRESSED:
        return through_jpeg(pixels, int(draw.integers(55, 96)))
    return pixels


def through_jpeg(pixels: ByteImage, quality: int) -> ByteImage:
    """The pixels after they were a JPEG file of that quality."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as picture:
        return np.asarray(picture.convert("RGB"))
