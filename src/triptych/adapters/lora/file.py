"""LoRA files on the disk: safetensors with a header of words, read as untrusted, written whole or not at all.

Knows no network and no naming: a file is tensors by the names that its author gave them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.files import reason, write_atomically
from triptych.core.weights import check_safetensors, file_sha256

MAX_BYTES = 8 * 2**30
MAX_TENSORS = 50_000
FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
MAX_WORD = 100
MAX_WORDS = 4000
"""Characters of one entry of the header that are kept for people to see."""


@dataclass(frozen=True)
class LoraFile:
    """name: for people; sha256: of the whole file; metadata: the header's words, as the author wrote them."""

    name: str
    sha256: str
    tensors: dict[str, Tensor]
    metadata: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Words:
    """What Triptych's training notes in the header under `triptych`. Anyone may have written it.

    trigger: what a prompt says to mean what was learned; stands_for: the known word that it is planned as, if any.
    base_sha256: of the weights that it was trained on; empty where that is not known.
    """

    trigger: str = ""
    stands_for: str = ""
    base: str = ""
    base_sha256: str = ""

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Self:
        try:
            data = json.loads(metadata.get("triptych", "{}"))
        except (ValueError, RecursionError):
            data = {}
        known = data if isinstance(data, dict) else {}
        return cls(**{
            name: known[name] for name in ("trigger", "stands_for", "base", "base_sha256")
            if isinstance(known.get(name), str) and len(known[name]) <= MAX_WORD
        })  # fmt: skip

    def plain(self, prompt: str) -> str:
        """The prompt with the trigger's place taken by what it stands for, as a plan writer can read it."""
        if not self.trigger.strip():
            return prompt
        pattern = rf"(?<!\w){re.escape(self.trigger.strip())}(?!\w)"
        plain = re.sub(pattern, lambda match: self.stands_for, prompt, flags=re.IGNORECASE)
        # A trigger that stands for nothing leaves no comma behind: the plan is that of the prompt without it.
        return plain if self.stands_for else re.sub(r"\s*,\s*(?=,|$)", "", re.sub(r"^\s*,\s*", "", plain)).strip()


def read_lora(path: Path, name: str = "") -> LoraFile:
    """The file's tensors and words. `FileProblem` if it is damaged, too large, no safetensors, or not of floats."""
    name = name or path.name
    try:
        size = path.stat().st_size
    except OSError as error:
        raise FileProblem(f"cannot read the LoRA {path}: {reason(error)}") from error
    if size > MAX_BYTES:
        raise FileProblem(f"{path} has {size:,} bytes; a LoRA has at most {MAX_BYTES:,}")
    check_safetensors(path)
    tensors: dict[str, Tensor] = {}
    try:
        with safe_open(path, framework="pt") as file:
            metadata = {str(key): str(value) for key, value in (file.metadata() or {}).items()}
            names = list(file.keys())
            if len(names) > MAX_TENSORS:
                raise FileProblem(f"{path} holds {len(names):,} tensors; a LoRA has at most {MAX_TENSORS:,}")
            for key in names:
                tensors[key] = _checked(file.get_tensor(key), key, name)
    except (OSError, SafetensorError, ValueError) as error:
        raise FileProblem(f"the LoRA {path} cannot be read: {error}") from error
    return LoraFile(name, file_sha256(path), tensors, metadata)


def _checked(tensor: Tensor, key: str, name: str) -> Tensor:
    if tensor.numel() == 1 and not tensor.is_floating_point():
        return tensor.float()  # alpha is an integer in some files
    if tensor.dtype not in FLOATS:
        raise FileProblem(f"{name}: the tensor {key[:120]!r} is {tensor.dtype}; a LoRA holds floating-point numbers")
    if not bool(torch.isfinite(tensor).all()):
        raise FileProblem(f"{name}: the tensor {key[:120]!r} holds numbers that are not finite")
    return tensor


def read_metadata(path: Path) -> dict[str, str]:
    """The words of the file's header alone, shortened for people; `FileProblem` as `read_lora`."""
    check_safetensors(path)
    try:
        with safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
    except (OSError, SafetensorError, ValueError) as error:
        raise FileProblem(f"the LoRA {path} cannot be read: {error}") from error
    return {str(key): str(value)[:MAX_WORDS] for key, value in found.items()}


def write_lora(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> Path:
    """Write a LoRA file whole; the same tensors and words give the same bytes."""
    stored = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in sorted(tensors.items())}
    words = dict(sorted(metadata.items()))
    return write_atomically(path, save(stored, metadata=words))
