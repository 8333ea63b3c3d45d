"""PSNR and SSIM against known answers, and the table's lines on ways whose order is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from triptych.core.errors import InvalidRequest
from triptych.evals.upscaling import SCENES, Enlarge, folder_pictures, measure, pictures, psnr, ssim
from triptych.scenes import Sprites
from triptych.upscaling.degrade import shrink
from triptych.upscaling.made import made


def noise(side: int = 40, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_psnr_of_known_errors() -> None:
    flat = np.full((16, 16, 3), 100, np.uint8)
    assert psnr(flat, flat + np.uint8(10)) == pytest.approx(20 * np.log10(255 / 10))
    assert psnr(flat, flat) == pytest.approx(10 * np.log10(255**2 / 1e-3))


def test_ssim_against_a_plain_loop() -> None:
    a, b = noise(16), noise(16, 1)
    place = np.arange(11) - 5
    window = np.exp(-(place[:, None] ** 2 + place[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    weights = np.array([0.299, 0.587, 0.114])
    x, y = a @ weights, b @ weights
    found = []
    for i in range(6):
        for j in range(6):
            p, q = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
            mp, mq = (window * p).sum(), (window * q).sum()
            vp, vq = (window * (p - mp) ** 2).sum(), (window * (q - mq) ** 2).sum()
            both = (window * (p - mp) * (q - mq)).sum()
            c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
            found.append((2 * mp * mq + c1) * (2 * both + c2) / ((mp**2 + mq**2 + c1) * (vp + vq + c2)))
    assert ssim(a, b) == pytest.approx(np.mean(found), rel=1e-9)
    assert ssim(a, a) == pytest.approx(1.0)


def test_the_truth_beats_lanczos_and_nearest_does_not() -> None:
    truths = [made("page", 64, 3, index) for index in range(3)]
    known = {shrink(truth, 4).tobytes(): truth for truth in truths}
    ways: dict[str, Enlarge] = {
        "oracle": lambda small, scale: known[small.tobytes()],
        "nearest": lambda small, scale: small.repeat(scale, 0).repeat(scale, 1),
    }
    lines = measure("page", truths, 4, ways)
    by_way = {line.way: line for line in lines}
    assert list(by_way) == ["lanczos", "bicubic", "oracle", "nearest"]
    assert by_way["lanczos"].gain.value == 0
    assert by_way["oracle"].gain.low > 10
    assert by_way["oracle"].ssim.value == pytest.approx(1)
    assert by_way["nearest"].gain.value < 0
    assert all(line.pictures == 3 for line in lines)


def test_what_spoils_the_small_picture_costs() -> None:
    truths = [made("leaves", 64, 3, index) for index in range(2)]
    plain, spoilt = (
        measure("leaves", truths, 2, {}, spoil=spoil)[0] for spoil in (None, lambda small: np.uint8(255) - small)
    )
    assert spoilt.psnr.value < plain.psnr.value - 3


@pytest.mark.font
def test_scenes_are_drawn_anew_each_time_alike() -> None:
    first, again = (list(pictures(SCENES, 2, 64, Sprites.load())) for _ in range(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (first[0] != first[1]).any()
    with pytest.raises(InvalidRequest, match="leaves"):
        next(pictures("photos", 1, 64, Sprites.shapes()))


def test_a_folder_is_cut_to_whole_multiples(tmp_path: Path) -> None:
    Image.fromarray(noise(45)).save(tmp_path / "a.png")
    Image.fromarray(noise(99)).save(tmp_path / "b.png")
    assert [cut.shape[:2] for cut in folder_pictures(tmp_path, 4, most=64)] == [(44, 44), (64, 64)]
    with pytest.raises(InvalidRequest, match="no pictures"):
        folder_pictures(tmp_path / "none", 4)
    Image.fromarray(noise(3)).save(tmp_path / "c.png")
    with pytest.raises(InvalidRequest, match="smaller than 4"):
        folder_pictures(tmp_path, 4)
