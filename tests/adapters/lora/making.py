"""LoRA files for tests: random low-rank pairs for a network's layers, under the names of any tool."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from triptych.adapters.lora import layers_of, write_lora
from triptych.core.asset import FileAsset
from triptych.core.inputs import Lora

RANK = 3


def pairs_for(
    network: nn.Module, *, rank: int = RANK, seed: int = 0, size: float = 0.1
) -> dict[str, tuple[Tensor, Tensor]]:
    """Layer name -> (down, up) of every layer of the network; kernels as (r, in, kh, kw) and (out, r, 1, 1)."""
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, tuple[Tensor, Tensor]] = {}
    for name, layer in layers_of(network).items():
        shape = layer.weight.shape
        up = torch.randn(shape[0], rank, *(1 for _ in shape[2:]), generator=generator)
        made[name] = (size * torch.randn(rank, *shape[1:], generator=generator), size * up)
    return made


def named(pairs: dict[str, tuple[Tensor, Tensor]], style: Callable[[str], tuple[str, str]]) -> dict[str, Tensor]:
    """The tensors of a file. style: layer name -> the keys of its down and of its up half."""
    tensors: dict[str, Tensor] = {}
    for name, (down, up) in pairs.items():
        first, second = style(name)
        tensors |= {first: down, second: up}
    return tensors


def peft(prefix: str) -> Callable[[str], tuple[str, str]]:
    return lambda name: (f"{prefix}{name}.lora_A.weight", f"{prefix}{name}.lora_B.weight")


def kohya(prefix: str = "lora_unet_") -> Callable[[str], tuple[str, str]]:
    def keys(name: str) -> tuple[str, str]:
        plain = prefix + name.replace(".", "_")
        return f"{plain}.lora_down.weight", f"{plain}.lora_up.weight"

    return keys


def lora_for(network: nn.Module, folder: Path, *, seed: int = 0, scale: float = 1.0, size: float = 0.1) -> Lora:
    """A LoRA on every layer of the network, on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = pairs_for(network, seed=seed, size=size)
    path = write_lora(folder / f"all-{seed}.safetensors", named(pairs, peft("transformer.")), {})
    return Lora(file=FileAsset.of(path), scale=scale)
