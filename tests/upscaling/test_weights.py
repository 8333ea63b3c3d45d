"""The shipped upscaler: what the issue asks of it, on pictures that no stage has seen."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from triptych.api.upscale import loaded_for
from triptych.evals.upscaling import SCENES, measure, pictures
from triptych.scenes import Sprites
from triptych.upscaling.enlarge import upscaled

pytestmark = pytest.mark.weights


@pytest.mark.font
@pytest.mark.parametrize(("scale", "side"), [(4, 512), (2, 256)])
def test_it_beats_lanczos_by_two_decibels_on_heldout_scenes(scale: int, side: int) -> None:
    model = loaded_for()
    truths = list(pictures(SCENES, 8, side, Sprites.load()))
    lines = measure(SCENES, truths, scale, {"ours": lambda small, scale: upscaled(small, model, scale)})
    assert lines[-1].way == "ours"
    assert lines[-1].gain.low > 2
    assert lines[-1].ssim.value > lines[0].ssim.value


@pytest.mark.font
def test_tiles_and_precision_change_hardly_a_level() -> None:
    model = loaded_for()
    pixels = next(pictures(SCENES, 1, 128, Sprites.load()))
    whole = upscaled(pixels, model, 4, tile=128).astype(int)
    assert np.abs(whole - upscaled(pixels, model, 4, tile=40)).max() <= 1
    rounded = upscaled(pixels, model, 4, fast=True)
    assert np.abs(whole - rounded).max() <= 6
    assert np.abs(whole - rounded).mean() < 0.25


def test_any_number_of_threads_makes_the_same(threads: None) -> None:
    model = loaded_for()
    pixels = np.random.default_rng(2).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    torch.set_num_threads(1)
    one = upscaled(pixels, model, 2)
    torch.set_num_threads(2)
    assert np.abs(one.astype(int) - upscaled(pixels, model, 2)).max() <= 1


@pytest.mark.slow
def test_4096_pixels_within_one_and_a_half_gibibytes() -> None:
    work = (
        "import numpy as np;"
        "from triptych.api.upscale import upscale;"
        "from triptych.evals.table.measure import peak_mib;"
        "pixels = np.random.default_rng(0).integers(0, 256, (1024, 1024, 4), dtype=np.uint8);"
        "made = upscale(pixels, to=4096);"
        "assert made.image.pixels.shape == (4096, 4096, 4);"
        "print(int(peak_mib()))"
    )
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1536
