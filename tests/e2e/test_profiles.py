"""A picture in another colour profile stays in it, whatever is done to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from .conftest import Run

STEPS = {
    "edit": ("--mask", "10,10,30,20", "a ring", "--steps", 1),
    "outpaint": ("--extend", "left=16", "--steps", 1),
    "typeset": ("A", "--box", "5,5,50,40", "--font", "DejaVu Sans"),
    "upscale": ("--scale", 2),
}


@pytest.fixture(autouse=True)
def workplace(tiny_place: Path) -> bytes:
    """A picture with a profile; its bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("in.png", icc_profile=profile)
    return profile


@pytest.mark.parametrize("step", STEPS)
def test_the_profile_is_in_the_file(run: Run, workplace: bytes, step: str) -> None:
    done = run(step, "in.png", *STEPS[step], "--out", "out.png")
    assert done.code == 0, done.err
    with Image.open("out.png") as written:
        assert written.info["icc_profile"] == workplace
