"""A picture that comes back from elsewhere, laid over the one that was sent: shift and colour are taken back.

A hosted model paints the whole picture again. What it was to keep comes back a little moved, a little brighter, or
another altogether. How much so is measured on the pixels that were to stay, and taken back as far as a shift and a gain
and offset per channel can, before the lock puts the selection into the original.

Whole pixels are found by phase correlation (Kuglin & Hines 1975), fractions by Gauss-Newton steps on the same pixels
(Lucas & Kanade 1981), both on grey. A correction that does not bring the pixels nearer to the original is not made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from triptych.core.events import Pixels
from triptych.editing.distance import Bits, Floats, distance

CHANGED = 8
"""In grey levels: a pixel that was to stay and is further off than this, in any channel, counts as changed."""
FARTHEST = 0.06
"""Shifts of more than this share of the longer side are another composition, not a shift."""
FEWEST = 400
"""With fewer pixels that were to stay there is nothing to measure on."""
COARSE, FINE = 256, 1024
"""Longer sides at which whole pixels and fractions are looked for: more pixels would not make them better."""
ROUNDS = 6
GAINS = (0.5, 2.0)


@dataclass(frozen=True)
class Returned:
    """How far the answer was from what was asked.

    size: (width, height) as it came. shift: (right, down) in pixels of the size that was asked, taken back. gain,
    offset: per channel, what the answer was multiplied with and added to. before, after: mean absolute difference of
    the pixels that were to stay, in grey levels, as it came and corrected. changed: share of them that are further off
    than CHANGED levels after the correction. kept: how many they are; 0 where nothing was to stay.
    """

    size: tuple[int, int]
    shift: tuple[float, float] = (0.0, 0.0)
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    before: float = 0.0
    after: float = 0.0
    changed: float = 0.0
    kept: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "size": list(self.size),
            "shift": [round(side, 3) for side in self.shift],
            "gain": [round(value, 4) for value in self.gain],
            "offset": [round(value, 2) for value in self.offset],
            "difference_before": round(self.before, 3),
            "difference_after": round(self.after, 3),
            "changed_share": round(self.changed, 4),
            "kept_pixels": self.kept,
        }


def aligned(asked: Pixels, answer: Pixels, kept: Bits) -> tuple[Pixels, Returned]:
    """The answer at the size of what was sent, with shift and colour taken back, and what was measured.

    asked, answer: uint8 (H, W, 3), the answer of any size; kept: (H, W), True for the pixels that were to stay.
    """
    size = (answer.shape[1], answer.shape[0])
    height, width = kept.shape
    if size != (width, height):
        answer = np.asarray(Image.fromarray(answer).resize((width, height), Image.Resampling.LANCZOS))
    count = int(kept.sum())
    if count < FEWEST:
        return answer, Returned(size, kept=count)
    before = _difference(asked, answer, kept)
    shift = _shift_between(_grey(asked), _grey(answer), kept)
    moved = _moved_pixels(answer, shift)
    if _difference(asked, moved, kept) >= before:
        shift, moved = (0.0, 0.0), answer
    gain, offset = _colour_between(asked, moved, kept)
    result = np.rint(moved.astype(np.float32) * gain + offset).clip(0, 255).astype(np.uint8)
    after = _difference(asked, result, kept)
    if after >= _difference(asked, moved, kept):
        gain, offset, result = np.ones(3, np.float32), np.zeros(3, np.float32), moved
        after = _difference(asked, result, kept)
    far = np.abs(asked.astype(np.int16) - result).max(axis=2) > CHANGED
    return result, Returned(size, shift, _three(gain), _three(offset), before, after, float(far[kept].mean()), count)


def _shift_between(asked: Floats, answer: Floats, kept: Bits) -> tuple[float, float]:
    """By how much the answer's content lies further right and down; zero where no shift within reach explains it."""
    factor = max(max(kept.shape) / FINE, 1.0)
    if factor > 1:
        small = (round(kept.shape[1] / factor), round(kept.shape[0] / factor))
        asked, answer = _resized(asked, small), _resized(answer, small)
        kept = _resized(kept.astype(np.float32), small) > 1 - 1e-3
    x, y = _whole_shift(asked, answer, kept)
    # What is new in the answer reaches, by the gradient and the interpolation, a little over the selection's border.
    kept = distance(~kept, 3) > 3
    kept[[0, -1]] = kept[:, [0, -1]] = False
    if kept.sum() < FEWEST:
        return 0.0, 0.0
    limit = FARTHEST * max(kept.shape)
    for _ in range(ROUNDS):
        step = _step(asked, _moved_plane(answer, (x, y)), kept)
        x, y = x + step[0], y + step[1]
        if not max(abs(x), abs(y)) <= limit:  # too far, or not a number
            return 0.0, 0.0
        if max(abs(step[0]), abs(step[1])) < 0.002:
            break
    return float(x * factor), float(y * factor)


def _whole_shift(asked: Floats, answer: Floats, kept: Bits) -> tuple[float, float]:
    """Phase correlation on a small copy: the peak of the whitened cross-spectrum, in pixels of the full size."""
    factor = max(max(kept.shape) / COARSE, 1.0)
    small = (max(round(kept.shape[1] / factor), 8), max(round(kept.shape[0] / factor), 8))
    weight = _resized(kept.astype(np.float32), small) * np.outer(np.hanning(small[1]), np.hanning(small[0]))
    planes = [_resized(plane, small) for plane in (asked, answer)]
    first, second = (np.fft.rfft2((plane - np.average(plane, weights=weight + 1e-6)) * weight) for plane in planes)
    cross = second * np.conj(first)
    peak = np.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), s=small[::-1])
    reach = int(np.ceil(FARTHEST * max(small)))
    near = np.roll(peak, (reach, reach), axis=(0, 1))[: 2 * reach + 1, : 2 * reach + 1]
    down, right = np.unravel_index(int(near.argmax()), near.shape)
    return (int(right) - reach) * kept.shape[1] / small[0], (int(down) - reach) * kept.shape[0] / small[1]


def _step(asked: Floats, answer: Floats, kept: Bits) -> tuple[float, float]:
    """One Gauss-Newton step: asked = gain * answer + gain * (gradient . step) + offset, by least squares, twice: the
    second time without the pixels that the first could not explain.
    """
    down, right = (np.asarray(plane, np.float32) for plane in np.gradient(answer))
    columns = np.stack([answer[kept], np.ones(int(kept.sum()), np.float32), right[kept], down[kept]], axis=1)
    target = asked[kept]
    found = _solved(columns, target)
    rest = np.abs(columns @ found - target)
    good = rest <= max(3 * float(np.median(rest)), 1.0)
    found = _solved(columns[good], target[good])
    gain = found[0] if abs(found[0]) > 1e-3 else 1.0
    return float(found[2] / gain), float(found[3] / gain)


def _solved(columns: Floats, target: Floats) -> npt.NDArray[Any]:
    """Normal equations in double precision, with a trace of ridge: a flat picture has no gradient to go by."""
    wide = columns.astype(np.float64)
    ridge = 1e-6 * len(target) * np.eye(wide.shape[1])
    return np.linalg.solve(wide.T @ wide + ridge, wide.T @ target.astype(np.float64))


def _colour_between(asked: Pixels, answer: Pixels, kept: Bits) -> tuple[Floats, Floats]:
    """Gain and offset per channel that bring the kept pixels of the answer to those asked."""
    gains, offsets = np.ones(3, np.float32), np.zeros(3, np.float32)
    for channel in range(3):
        have, want = (plane[:, :, channel][kept].astype(np.float32) for plane in (answer, asked))
        good = np.ones(len(have), np.bool_)
        for _ in range(3):
            found = _solved(np.stack([have[good], np.ones(int(good.sum()), np.float32)], axis=1), want[good])
            rest = np.abs(have * found[0] + found[1] - want)
            good = rest <= max(3 * float(np.median(rest)), 1.0)
        if GAINS[0] <= found[0] <= GAINS[1]:
            gains[channel], offsets[channel] = found
    return gains, offsets


def _moved_plane(plane: Floats, shift: tuple[float, float]) -> Floats:
    """The plane with its content moved back by the shift, edges continued."""
    return _moved_along(_moved_along(plane, shift[0], 1), shift[1], 0)


def _moved_along(plane: Floats, shift: float, axis: int) -> Floats:
    """plane(x + shift) along one axis, by cubic convolution (Keys 1981, a = -1/2), which keeps slopes as they are."""
    whole = int(np.floor(shift))
    f = shift - whole
    if f == 0 and whole == 0:
        return plane
    taps = (
        ((-0.5 * f + 1.0) * f - 0.5) * f,
        (1.5 * f - 2.5) * f * f + 1.0,
        ((-1.5 * f + 2.0) * f + 0.5) * f,
        (0.5 * f - 0.5) * f * f,
    )
    side = plane.shape[axis]
    places = np.arange(side) + whole
    total = np.zeros_like(plane)
    for offset, weight in zip((-1, 0, 1, 2), taps, strict=True):
        total += np.float32(weight) * np.take(plane, np.clip(places + offset, 0, side - 1), axis=axis)
    return total


def _moved_pixels(pixels: Pixels, shift: tuple[float, float]) -> Pixels:
    planes = [_moved_plane(pixels[:, :, channel].astype(np.float32), shift) for channel in range(3)]
    return np.rint(np.stack(planes, axis=2)).clip(0, 255).astype(np.uint8)


def _difference(first: Pixels, second: Pixels, where: Bits) -> float:
    """Mean absolute difference in grey levels over all channels."""
    return float(np.abs(first.astype(np.int16) - second).mean(axis=2)[where].mean())


def _grey(pixels: Pixels) -> Floats:
    return pixels.mean(axis=2, dtype=np.float32)


def _resized(plane: Floats, size: tuple[int, int]) -> Floats:
    return np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BOX))


def _three(values: Floats) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
