"""What is stored in 8 bits comes back near enough, whole where it should be whole, and half as large."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.registry import Card
from triptych.families.loading import read_weights
from triptych.nn.storage import LEVELS, SCALE, packed, unpacked
from triptych.training.export import write_model


def _weights(seed: int = 0) -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {
        "matrix": torch.randn(64, 128, generator=random),
        "kernel": torch.randn(32, 16, 3, 3, generator=random) * 1e-6,  # scales that fp16 could not hold
        "bias": torch.randn(5000, generator=random),
        "small": torch.randn(8, 8, generator=random),
        "ids": torch.arange(10),
    }


@given(st.integers(0, 10_000))
def test_every_weight_is_within_half_a_level_of_its_row(seed: int) -> None:
    weights = _weights(seed)
    back = unpacked(packed(weights))
    assert back.keys() == weights.keys()
    for name in ("matrix", "kernel"):
        rows, rows_back = weights[name].flatten(1), back[name].flatten(1)
        level = rows.abs().amax(dim=1, keepdim=True) / LEVELS
        assert ((rows - rows_back).abs() <= level * 0.501).all()
        assert back[name].shape == weights[name].shape
    for name in ("bias", "small", "ids"):
        assert torch.equal(back[name], weights[name])


def test_packing_again_changes_nothing() -> None:
    """A warm start from stored weights that is stored again without a step is the same file."""
    once = packed(_weights())
    twice = packed(unpacked(once))
    assert torch.equal(once["matrix"], twice["matrix"])
    assert torch.allclose(once["matrix" + SCALE], twice["matrix" + SCALE], rtol=1e-6)


def test_a_row_of_zeros_stays_zero() -> None:
    weights = {"matrix": torch.zeros(64, 128)}
    assert torch.equal(unpacked(packed(weights))["matrix"], weights["matrix"])


def test_a_model_folder_in_8_bits_is_read_like_any_other(tmp_path: Path) -> None:
    weights = {"matrix": torch.randn(256, 256, generator=torch.Generator().manual_seed(1)), "bias": torch.ones(256)}
    write_model(tmp_path / "half", weights, Card(name="half"))
    write_model(tmp_path / "eighth", weights, Card(name="eighth"), int8=True)
    back = read_weights(tmp_path / "eighth")
    assert back["matrix"].dtype == torch.float32
    assert torch.allclose(back["matrix"], weights["matrix"], atol=0.03)
    assert torch.equal(back["bias"], weights["bias"])
    size = {name: (tmp_path / name / "model.safetensors").stat().st_size for name in ("half", "eighth")}
    assert size["eighth"] == pytest.approx(size["half"] / 2, rel=0.05)
