"""Weights on the disk, checked before any of them is loaded: size, safetensors header, hash. Knows no torch.

The format (huggingface/safetensors): eight bytes, little-endian, give the length of a JSON header; it maps
tensor names to dtype, shape and byte offsets; then the bytes, without gaps. A file that passes cannot make a
loader allocate more than the file holds. Pickle is never read.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, cast

from triptych.core.errors import FileProblem
from triptych.core.files import reason

MAX_HEADER_BYTES = 16 * 2**20
MAX_TENSORS = 100_000

_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4,
    "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip


@dataclass(frozen=True)
class TensorInfo:
    """What a header says of one tensor."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return prod(self.shape) * _BYTES[self.dtype]


def check_safetensors(path: Path, *, size: int | None = None) -> None:
    """Raise `FileProblem` unless `path` is a whole safetensors file (of `size` bytes, where that is known)."""
    read_header(path, size=size)


def read_header(path: Path, *, size: int | None = None) -> dict[str, TensorInfo]:
    """The tensors of a whole safetensors file, by name; `FileProblem` for any other file. Reads the header alone."""
    try:
        with open(path, "rb") as file:
            actual = os.fstat(file.fileno()).st_size
            if size is not None and actual != size:
                raise FileProblem(f"{path} has {actual} bytes instead of {size}; it is truncated or was replaced")
            length = int.from_bytes(file.read(8), "little")
            if actual < 8 or length > min(actual - 8, MAX_HEADER_BYTES):
                raise FileProblem(f"{path} is truncated or not a safetensors file")
            header = json.loads(file.read(length), object_pairs_hook=_no_duplicates)
    except FileNotFoundError:
        raise FileProblem(f"the weights {path} are missing") from None
    except OSError as error:
        raise FileProblem(f"cannot read the weights {path}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{path} is not a safetensors file: {error}") from None
    return _check_layout(path, header, actual - 8 - length)


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of the file, computed once per state of it (path, time of change, size)."""
    try:
        status = path.stat()
        return _sha256(str(path), status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise FileProblem(f"cannot read the weights {path}: {reason(error)}") from error


@lru_cache(maxsize=256)
def _sha256(path: str, mtime_ns: int, size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_layout(path: Path, header: Any, payload: int) -> dict[str, TensorInfo]:
    """Every tensor has a known dtype, as many bytes as its shape says, and the tensors fill the file without a gap."""
    if not isinstance(header, dict) or len(cast(dict[str, Any], header)) > MAX_TENSORS:
        raise FileProblem(f"{path} is not a safetensors file: its header lists no tensors")
    spans: list[tuple[int, int]] = []
    found: dict[str, TensorInfo] = {}
    for name, entry in cast(dict[str, Any], header).items():
        if name == "__metadata__":
            continue
        try:
            start, end = (_whole(offset) for offset in entry["data_offsets"])
            found[name] = TensorInfo(entry["dtype"], tuple(_whole(side) for side in entry["shape"]))
            expected = found[name].bytes
        except (KeyError, TypeError, ValueError):
            raise FileProblem(f"{path} is damaged: the entry of tensor {name[:80]!r} cannot be read") from None
        if start < 0 or end - start != expected or any(side < 0 for side in found[name].shape):
            raise FileProblem(f"{path} is damaged: tensor {name[:80]!r} does not fit its own shape")
        spans.append((start, end))
    position = 0
    for start, end in sorted(spans):
        if start != position:
            raise FileProblem(f"{path} is damaged: its tensors overlap or leave gaps")
        position = end
    if position != payload:
        raise FileProblem(f"{path} is truncated: {payload} bytes of tensors instead of {position}")
    return found


def _whole(value: Any) -> int:
    """A number of a header. What else Python would make one of (32.5, "32", true) is none to other readers."""
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name occurs twice in its header")
    return entries
