"""From the tensors of a LoRA file to low-rank pairs, whichever tool wrote it.

Understood: PEFT and diffusers (`X.lora_A.weight`), Kohya and LyCORIS' LoCon (`X.lora_down.weight`, `X.lora_mid.weight`,
`X.alpha`), older diffusers (`X_lora.down.weight`), XLabs (`X.qkv_lora1.down.weight`). Other kinds of adapters (DoRA,
LoHa, LoKr, ...) are refused by name: half of one would be another picture. What X means is `names`' business.

r rank; down (r, in) or (r, in, kh, kw); up (out, r).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from triptych.adapters.lora.file import LoraFile
from triptych.core.errors import FileProblem

_PARTS = (
    ("down", re.compile(r"\.lora_(?:A|down)(?:\.[\w-]+)?\.weight$")),
    ("up", re.compile(r"\.lora_(?:B|up)(?:\.[\w-]+)?\.weight$")),
    ("mid", re.compile(r"\.lora_mid\.weight$")),
    ("down", re.compile(r"(?:\.lora|_lora)?\.down\.weight$")),
    ("up", re.compile(r"(?:\.lora|_lora)?\.up\.weight$")),
    ("alpha", re.compile(r"\.alpha$")),
)
_OTHER_KINDS = (
    ("DoRA", re.compile(r"\.dora_scale$|\.lora_magnitude_vector\b")),
    ("LoHa", re.compile(r"\.hada_[wt]\d")),
    ("LoKr", re.compile(r"\.lokr_[wt]\d")),
    ("OFT or BOFT", re.compile(r"\.oft_\w+$|\.boft_\w+$")),
    ("GLoRA", re.compile(r"\.[ab][12]\.weight$")),
    ("IA3", re.compile(r"\.ia3_\w+$|\.on_input$")),
    ("trained norms (LyCORIS)", re.compile(r"\.[wb]_norm$")),
    ("whole weights as differences", re.compile(r"\.diff(?:_b)?$|\.set_weight$")),
    ("LoRA with biases", re.compile(r"\.lora_[AB](?:\.[\w-]+)?\.bias$")),
)


@dataclass(frozen=True)
class Pair:
    """One layer's update: factor * up @ down. `factor` is alpha / r, the file's own scaling."""

    name: str
    down: Tensor
    up: Tensor
    factor: float


def pairs(file: LoraFile) -> tuple[list[Pair], list[str]]:
    """Every low-rank pair of the file, by name, and the tensors that belong to none.

    `FileProblem` for another kind of adapter, a pair without its half or of shapes that do not fit, or no pair at all.
    """
    found: dict[str, dict[str, Tensor]] = {}
    rest: list[str] = []
    for key, tensor in file.tensors.items():
        for kind, pattern in _OTHER_KINDS:
            if pattern.search(key):
                raise FileProblem(f"{file.name} is not a plain LoRA: it holds {kind} (tensor {key[:120]!r}), "
                                  "which Triptych does not apply; convert it to a plain LoRA")  # fmt: skip
        for part, pattern in _PARTS:
            if match := pattern.search(key):
                found.setdefault(key[: match.start()], {})[part] = tensor
                break
        else:
            rest.append(key)
    scaling = _Scaling(file.metadata)
    made: list[Pair] = []
    for name, parts in sorted(found.items()):
        if parts.keys() == {"alpha"}:
            rest.append(f"{name}.alpha")
            continue
        made.append(_pair(file.name, name, parts, scaling))
    if not made:
        some = ", ".join(repr(key[:80]) for key in rest[:3]) or "nothing"
        raise FileProblem(f"{file.name} holds no LoRA: no tensor is a low-rank half (it holds {some})")
    return made, rest


def _pair(file: str, name: str, parts: dict[str, Tensor], scaling: _Scaling) -> Pair:
    down, up = parts.get("down"), parts.get("up")
    if down is None or up is None:
        raise FileProblem(f"{file} is damaged: {name[:120]!r} has only one half of its low-rank pair")
    if up.ndim == 4 and up.shape[2:] == (1, 1):
        up = up.flatten(1)
    mid = parts.get("mid")
    if mid is not None and mid.ndim == 4 and down.ndim == 4 and mid.shape[1] == down.shape[0]:
        # LoCon's Tucker form: the kernel stands between two 1x1 convolutions; the first two make one.
        down = torch.einsum("rshw,si->rihw", mid.float(), down.float().flatten(1))
    elif mid is not None:
        raise FileProblem(f"{file} is damaged: the middle of {name[:120]!r} does not fit its halves")
    if down.ndim not in (2, 4) or up.ndim != 2 or up.shape[1] != down.shape[0] or 0 in (*down.shape, *up.shape):
        shapes = f"{tuple(down.shape)} and {tuple(up.shape)}"
        raise FileProblem(f"{file} is damaged: the halves of {name[:120]!r} do not fit: {shapes}")
    alpha = parts.get("alpha")
    if alpha is not None and alpha.numel() != 1:
        raise FileProblem(f"{file} is damaged: alpha of {name[:120]!r} is not one number")
    rank = len(down)
    factor = scaling.factor(name, rank) if alpha is None else float(alpha) / rank
    return Pair(name, down, up, factor)


class _Scaling:
    """alpha and kind of scaling where they stand in the header, as diffusers and PEFT write them; else alpha = r."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        try:
            data = json.loads(metadata.get("lora_adapter_metadata", "{}"))
        except (ValueError, RecursionError):
            data = {}
        self._data = data if isinstance(data, dict) else {}

    def factor(self, name: str, rank: int) -> float:
        prefix, _, rest = name.partition(".")
        alpha = self._number(prefix, rest)
        if alpha is None:
            return 1.0
        rank_stabilised = self._data.get(f"{prefix}.use_rslora") is True  # Kalajdzievski 2023
        return alpha / (rank**0.5 if rank_stabilised else rank)

    def _number(self, prefix: str, rest: str) -> float | None:
        patterns = self._data.get(f"{prefix}.alpha_pattern")
        for pattern, value in patterns.items() if isinstance(patterns, dict) else ():
            if rest == pattern or rest.endswith(f".{pattern}"):
                return _float(value)
        return _float(self._data.get(f"{prefix}.lora_alpha"))


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
