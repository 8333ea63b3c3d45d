"""The pairs of the upscaler: in register, a function of their number, of many pictures, some of them harmed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from triptych.core.errors import InvalidRequest
from triptych.scenes import LEVELS, Sprites
from triptych.training.presets import WorldConfig
from triptych.training.stages.run import Workshop, run
from triptych.training.upscaling import MIXED, ROWS, UpscalingData
from triptych.upscaling.checkpoint import load
from triptych.upscaling.degrade import shrink
from triptych.upscaling.network import Upscaler, UpscalerConfig


@pytest.fixture(scope="module")
def data() -> UpscalingData:
    return UpscalingData(LEVELS["shapes"], Sprites.shapes(), 0, (2, 4), crop=16, sizes=(96, 128))


def test_small_and_large_are_in_register(data: UpscalingData) -> None:
    """Shrunk, the large crop is the small one, up to the filter and the harm; shifted by a pixel it is not."""
    better = 0
    for number in range(48):
        for pair in data.row(number):
            small = shrink(pair.large, pair.scale, "area").astype(float)
            error = np.abs(small - pair.small).mean()
            shifted = np.abs(np.roll(small, 1, axis=0) - pair.small)[2:-2].mean()
            better += error <= shifted
            assert pair.large.shape == (16 * pair.scale, 16 * pair.scale, 3)
    assert better >= 90  # of 96; a crop of one colour decides nothing


def test_a_batch_mixes_pictures_and_uses_each_more_than_once() -> None:
    asked: list[int] = []
    counting = UpscalingData(LEVELS["shapes"], Sprites.shapes(), 0, (2, 4), crop=16, sizes=(96,))
    real = counting._made_pairs
    counting._pairs = lambda index: asked.append(index) or real(index)  # type: ignore[assignment]
    for number in range(2 * MIXED):
        counting.row(number)
    assert sorted(set(asked)) == list(range(MIXED))
    asked.clear()
    counting.row(ROWS * MIXED)
    assert asked == [MIXED]


def test_the_stage_goes_from_data_to_a_model_that_loads(tmp_path: Path) -> None:
    record = run("upscaler", "tiny", out=tmp_path, samples=64)
    assert {"gain_x2_db", "gain_x4_db", "x2", "x4"} <= record.keys()
    model = load(tmp_path / "tiny" / "upscaler" / "model" / "model.safetensors")
    assert model.scales == (2, 4)
    assert list((tmp_path / "tiny" / "upscaler" / "sheets").glob("*.png"))


def test_it_can_learn_what_bicubic_does_not_know(data: UpscalingData) -> None:
    """On one batch it soon errs less by a sixth than the enlargement that it starts from."""
    batch = {name: tensor.float() / 255 for name, tensor in data.batch(0, 8).items()}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Upscaler(UpscalerConfig(12, 2))
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3)
    errors: list[float] = []
    for _ in range(120):
        loss = (network(batch["small_x4"], 4) - batch["large_x4"]).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(float(loss.detach()))
    assert errors[-1] < errors[0] * 5 / 6


def test_a_folder_of_pictures_is_refused(tmp_path: Path) -> None:
    shop = Workshop("tiny", WorldConfig("shapes", 64, 8), str(tmp_path), tmp_path, None, lambda line: None)
    with pytest.raises(InvalidRequest, match="draws its pictures itself"):
        shop.stage("upscaler")
