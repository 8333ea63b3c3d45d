"""Pairs of every tool's spelling, their scaling, and the kinds of adapters that are refused by name."""

from __future__ import annotations

import json

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.adapters.lora.file import LoraFile
from triptych.adapters.lora.parse import pairs
from triptych.core.errors import FileProblem

DOWN, UP = torch.randn(2, 4), torch.randn(6, 2)
SPELLINGS = [
    ("layer.lora_A.weight", "layer.lora_B.weight"),
    ("layer.lora_A.default.weight", "layer.lora_B.default.weight"),
    ("layer.lora_down.weight", "layer.lora_up.weight"),
    ("layer.lora.down.weight", "layer.lora.up.weight"),
    ("layer_lora.down.weight", "layer_lora.up.weight"),
]


def made(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> LoraFile:
    return LoraFile("some.safetensors", "0" * 64, tensors, metadata or {})


@pytest.mark.parametrize(("down", "up"), SPELLINGS)
def test_halves_are_found_in_every_spelling(down: str, up: str) -> None:
    (pair,), rest = pairs(made({down: DOWN, up: UP}))
    assert pair.name == "layer"
    assert pair.down is DOWN
    assert pair.up is UP
    assert (pair.factor, rest) == (1.0, [])


def test_alpha_is_divided_by_the_rank() -> None:
    tensors = {"layer.lora_down.weight": DOWN, "layer.lora_up.weight": UP, "layer.alpha": torch.tensor(1.0)}
    assert pairs(made(tensors))[0][0].factor == 0.5


@pytest.mark.parametrize(
    ("words", "factor"),
    [
        ({"unet.lora_alpha": 8}, 4.0),
        ({"unet.lora_alpha": 8, "unet.use_rslora": True}, 8 / 2**0.5),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"to_q": 1}}, 0.5),
        ({"transformer.lora_alpha": 8}, 1.0),
        ({"unet.lora_alpha": "8"}, 1.0),
    ],
)
def test_alpha_in_the_header_counts_as_diffusers_writes_it(words: dict[str, object], factor: float) -> None:
    tensors = {"unet.deep.to_q.lora_A.weight": DOWN, "unet.deep.to_q.lora_B.weight": UP}
    (pair,), _ = pairs(made(tensors, {"lora_adapter_metadata": json.dumps(words)}))
    assert pair.factor == pytest.approx(factor)


def test_a_tucker_convolution_is_its_three_convolutions() -> None:
    down, mid, up = torch.randn(2, 4, 1, 1), torch.randn(2, 2, 3, 3), torch.randn(6, 2, 1, 1)
    keys = {"c.lora_down.weight": down, "c.lora_mid.weight": mid, "c.lora_up.weight": up}
    (pair,), _ = pairs(made(keys))
    x = torch.randn(1, 4, 5, 5)
    expected = F.conv2d(F.conv2d(F.conv2d(x, down), mid), up)
    torch.testing.assert_close(
        F.conv2d(F.conv2d(x, pair.down), pair.up[:, :, None, None]), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("layer.dora_scale", "DoRA"),
        ("layer.lora_magnitude_vector.weight", "DoRA"),
        ("layer.hada_w1_a", "LoHa"),
        ("layer.lokr_w2", "LoKr"),
        ("layer.oft_blocks", "OFT"),
        ("layer.diff", "whole weights"),
        ("layer.lora_B.bias", "biases"),
    ],
)
def test_other_kinds_of_adapters_are_refused_by_name(key: str, kind: str) -> None:
    with pytest.raises(FileProblem, match=kind):
        pairs(made({"layer.lora_A.weight": DOWN, "layer.lora_B.weight": UP, key: torch.ones(4)}))


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"layer.lora_A.weight": DOWN}, "only one half"),
        ({"layer.lora_A.weight": DOWN, "layer.lora_B.weight": torch.ones(6, 3)}, "do not fit"),
        ({"layer.lora_A.weight": torch.ones(0, 4), "layer.lora_B.weight": torch.ones(6, 0)}, "do not fit"),
        ({"layer.lora_A.weight": torch.ones(2, 4, 3), "layer.lora_B.weight": UP}, "do not fit"),
        ({"layer.lora_A.weight": DOWN, "layer.lora_B.weight": UP, "layer.alpha": torch.ones(2)}, "one number"),
        ({"layer.weight": torch.ones(4, 4), "layer.alpha": torch.ones(1)}, "holds no LoRA"),
        ({}, "holds no LoRA"),
    ],
)
def test_damaged_files_are_told(tensors: dict[str, Tensor], message: str) -> None:
    with pytest.raises(FileProblem, match=message):
        pairs(made(tensors))


def test_tensors_of_no_pair_are_kept_for_the_report() -> None:
    tensors = {"layer.lora_A.weight": DOWN, "layer.lora_B.weight": UP, "emb.weight": DOWN, "other.alpha": torch.ones(1)}
    assert sorted(pairs(made(tensors))[1]) == ["emb.weight", "other.alpha"]
