"""How good an enlargement is: PSNR and SSIM against the picture that was shrunk, beside Lanczos and bicubic.

Held-out pictures of several kinds, shrunk by a known filter, so that the truth of every pixel is known. PSNR is over
all pixels and channels; SSIM (Wang et al. 2004, section III-B) over luminance with its 11 x 11 Gaussian window. Knows
no model: who enlarges is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from PIL import Image

from triptych.core.errors import InvalidRequest, one_of
from triptych.core.pictures import open_picture
from triptych.evals.statistics import Interval, estimate
from triptych.scenes import LEVELS, Sprites, render, sample_scene
from triptych.upscaling.degrade import shrink
from triptych.upscaling.made import KINDS as MADE
from triptych.upscaling.made import made

ByteImage = npt.NDArray[np.uint8]
Enlarge = Callable[[ByteImage, int], ByteImage]
"""(small picture, scale) -> the large one."""

SEED = 5_000_011
"""No stage trains or validates on scenes of this seed."""
SCENES = "scenes"
KINDS = (SCENES, *MADE)
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_LEAST_ERROR = 1e-3


@dataclass(frozen=True)
class Line:
    """One way on one kind of picture: means over `pictures` with 95 % intervals. gain: PSNR over Lanczos, pairwise."""

    kind: str
    scale: int
    filter: str
    way: str
    pictures: int
    psnr: Interval
    ssim: Interval
    gain: Interval

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def pictures(kind: str, count: int, side: int, sprites: Sprites) -> Iterator[ByteImage]:
    """`count` pictures of a kind, (side, side, 3) uint8. Scenes hold combinations that no training scene holds."""
    one_of("kind", kind, KINDS)
    for index in range(count):
        if kind == SCENES:
            yield render(sample_scene(LEVELS["small"], SEED, index, "heldout"), side, sprites)
        else:
            yield made(kind, side, SEED, index)


def folder_pictures(folder: Path, multiple: int, most: int = 1024) -> list[ByteImage]:
    """The middles of a folder's pictures, at most `most` pixels a side, sides multiples of `multiple`."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise InvalidRequest("data", f"{folder} holds no pictures (png, jpg, webp)")
    cut: list[ByteImage] = []
    for path in paths:
        pixels = open_picture(path, parameter="data").asset.rgb
        height, width = (min(side, most) // multiple * multiple for side in pixels.shape[:2])
        if not (height and width):
            raise InvalidRequest("data", f"{path} is smaller than {multiple} pixels")
        top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
        cut.append(pixels[top : top + height, left : left + width])
    return cut


def measure(
    kind: str,
    truths: Sequence[ByteImage],
    scale: int,
    ways: dict[str, Enlarge],
    *,
    method: str = "bicubic",
    spoil: Callable[[ByteImage], ByteImage] | None = None,
) -> list[Line]:
    """Every way on the same small pictures, Lanczos and bicubic first. spoil: what happens to a small picture first."""
    ways = {"lanczos": lanczos, "bicubic": bicubic} | ways
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for truth in truths:
        small = shrink(truth, scale, method)
        small = spoil(small) if spoil else small
        for way, enlarge in ways.items():
            large = enlarge(small, scale)
            found[way].append((psnr(large, truth), ssim(large, truth)))
    lines: list[Line] = []
    base = np.array(found["lanczos"])
    for way, values in found.items():
        table = np.array(values)
        columns = [estimate(column[:, None]).interval() for column in (table[:, 0], table[:, 1], (table - base)[:, 0])]
        lines.append(Line(kind, scale, method, way, len(truths), *columns))
    return lines


def lanczos(small: ByteImage, scale: int) -> ByteImage:
    return _resized(small, scale, Image.Resampling.LANCZOS)


def bicubic(small: ByteImage, scale: int) -> ByteImage:
    return _resized(small, scale, Image.Resampling.BICUBIC)


def psnr(first: ByteImage, second: ByteImage) -> float:
    """In dB; equal pictures have 78, as if one pixel in a thousand were off by one."""
    error = float(np.square(first.astype(np.float64) - second).mean())
    return float(10 * np.log10(255**2 / max(error, _LEAST_ERROR)))


def ssim(first: ByteImage, second: ByteImage) -> float:
    """Structural similarity, 1 for equal pictures; over luminance, without the border that the window cannot reach."""
    a, b = (_luminance(pixels) for pixels in (first, second))
    place = torch.arange(11, dtype=torch.float64) - 5
    window = torch.exp(-(place**2) / (2 * 1.5**2))
    window = window / window.sum()

    def blurred(x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(F.conv2d(x, window.view(1, 1, 11, 1)), window.view(1, 1, 1, 11))

    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    both = blurred(a * b) - mean_a * mean_b
    shown = (2 * mean_a * mean_b + _C1) * (2 * both + _C2)
    return float((shown / ((mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2))).mean())


def _luminance(pixels: ByteImage) -> torch.Tensor:
    """ITU-R BT.601, (1, 1, H, W)."""
    grey = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return torch.from_numpy(grey)[None, None]


def _resized(small: ByteImage, scale: int, kernel: Image.Resampling) -> ByteImage:
    size = small.shape[1] * scale, small.shape[0] * scale
    return np.asarray(Image.fromarray(small).resize(size, kernel))
