from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from triptych.core.errors import FileProblem
from triptych.core.weights import check_safetensors, file_sha256


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    tensors = {"a": np.ones((2, 3), np.float16), "b": np.zeros((0, 4), np.float32), "c": np.array(3, np.int64)}
    save_file(tensors, path, metadata={"format": "pt"})
    return path


def forge(path: Path, header: Any, payload: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + payload)
    return path


def entry(start: int, end: int, shape: list[int], dtype: str = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def test_whole_weights_pass(weights: Path) -> None:
    check_safetensors(weights)
    check_safetensors(weights, size=weights.stat().st_size)


@pytest.mark.parametrize("kept", [0, 3, 8, 20, -1])
def test_truncated_weights_are_refused(weights: Path, kept: int) -> None:
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(FileProblem, match=r"model\.safetensors (is truncated|is not)") as caught:
        check_safetensors(weights)
    assert caught.value.exit_code == 3


def test_the_size_on_the_card_is_held(weights: Path) -> None:
    with pytest.raises(FileProblem, match="truncated or was replaced"):
        check_safetensors(weights, size=weights.stat().st_size + 1)


def test_missing_weights(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match="are missing"):
        check_safetensors(tmp_path / "model.safetensors")


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        ([], b""),
        ({"a": 1}, b""),
        ({"a": {"dtype": "U8"}}, b""),
        ({"a": entry(0, 2, [2], "PICKLE")}, b"12"),
        ({"a": entry(0, 2, [3])}, b"12"),
        ({"a": entry(-2, 0, [2])}, b"12"),
        ({"a": entry(0, 2, [-1, -2])}, b"12"),
        ({"a": entry(0, 2, [2]), "b": entry(1, 3, [2])}, b"123"),
        ({"a": entry(0, 1, [1]), "b": entry(2, 3, [1])}, b"123"),
        ({"a": entry(0, 1, [1])}, b"12"),
        (b'{"a": 1, "a": 2}', b""),
        (b"[" * 100_000, b""),
        (b"\xff\xfe", b""),
    ],
)
def test_forged_headers_are_refused(tmp_path: Path, header: Any, payload: bytes) -> None:
    with pytest.raises(FileProblem, match=r"x\.safetensors"):
        check_safetensors(forge(tmp_path / "x.safetensors", header, payload))


def test_a_header_that_claims_to_be_huge_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(FileProblem, match="truncated or not"):
        check_safetensors(path)


def test_a_changed_file_is_hashed_again(weights: Path) -> None:
    before = file_sha256(weights)
    assert file_sha256(weights) == before
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    os.utime(weights, ns=(1, 1))
    assert file_sha256(weights) != before
