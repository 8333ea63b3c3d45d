"""What the contract makes of regions, and of sizes of models whose short side is given."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.asset import Asset
from triptych.core.capabilities import Capabilities
from triptych.core.contract import resolve, size_for_aspect
from triptych.core.errors import InvalidRequest
from triptych.core.inputs import Region
from triptych.core.request import Request

TAKES = Capabilities(family="flow", native_size=(64, 64), samplers=("euler",), steps_range=(1, 9), regions=True)


def white(width: int, height: int, level: int = 255) -> Region:
    return Region(prompt="a cat", mask=Asset.of(np.full((height, width), level, np.uint8), "mask.png"))


def test_a_mask_of_another_size_is_scaled_and_told() -> None:
    _, notes = resolve(Request(prompt="a fox", regions=(white(32, 32),)), TAKES, name="flow")
    assert [(note.parameter, note.action) for note in notes] == [("regions", "translated")]
    assert "32x32 is scaled to 64x64" in notes[0].text
    assert resolve(Request(prompt="a fox", regions=(white(64, 64),)), TAKES, name="flow")[1] == ()


def test_a_mask_that_selects_nothing_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match=r"mask\.png.*selects nothing"):
        resolve(Request(prompt="a fox", regions=(white(64, 64, 100),)), TAKES, name="flow")


def test_a_model_of_one_prompt_refuses_regions() -> None:
    plain = TAKES.model_copy(update={"regions": False})
    with pytest.raises(InvalidRequest, match="one prompt for the whole picture"):
        resolve(Request(prompt="a fox", regions=(white(64, 64),)), plain, name="flow")


def test_a_model_of_one_short_side_takes_long_pictures_only() -> None:
    long = TAKES.model_copy(update={"size_multiple": 16, "short_side": 64, "min_side": 64, "max_pixels": 8 * 64 * 64})
    assert resolve(Request(prompt="a fox", width=512, height=64), long, name="tokens")[0].width == 512
    with pytest.raises(InvalidRequest, match="one of the sides has to be 64, for example 96x64"):
        resolve(Request(prompt="a fox", width=144, height=96), long, name="tokens")
    assert size_for_aspect("2:1", long) == (128, 64)
    assert size_for_aspect("1:3", long) == (64, 192)
