"""Where training runs: this process alone, or several processes that `accelerate launch` started."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import torch
from torch import nn


class Devices:
    """One device per process. Gradients are averaged by hand, so a stage's module may be used in any way it likes.

    `distributed=True` expects the launcher's environment and takes rank, device and process group from accelerate.
    """

    def __init__(self, *, distributed: bool = False, device: torch.device | None = None) -> None:
        self.rank, self.count = 0, 1
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if distributed:
            from accelerate import PartialState

            state = PartialState()
            self.rank, self.count, self.device = state.process_index, state.num_processes, state.device

    def place(self, module: nn.Module) -> nn.Module:
        """Move the module here and start from the first process's weights."""
        module.to(self.device)
        if self.count > 1:
            for tensor in [*module.parameters(), *module.buffers()]:
                torch.distributed.broadcast(tensor.data, 0)
        return module

    def share(self, batch: Any) -> Any:
        """This process's slice of a batch, on its device: tensors inside dicts, tuples and dataclasses-as-dicts."""
        if isinstance(batch, torch.Tensor):
            size = batch.shape[0] // self.count
            part = batch[self.rank * size : (self.rank + 1) * size] if self.count > 1 else batch
            return part.to(self.device, non_blocking=True)
        if isinstance(batch, dict):
            return {key: self.share(value) for key, value in batch.items()}
        if isinstance(batch, list | tuple):
            return type(batch)(self.share(value) for value in batch)
        return batch

    def average_gradients(self, module: nn.Module) -> None:
        if self.count == 1:
            return
        for p in module.parameters():
            if p.grad is not None:
                torch.distributed.all_reduce(p.grad)
                p.grad /= self.count

    def autocast(self, precision: str) -> AbstractContextManager[Any]:
        """bf16 arithmetic over float32 master weights, where asked for and where it is faster than float32."""
        if precision == "bf16" and (self.device.type != "cpu" or bf16_pays()):
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def on_main(self, action: Callable[[], Any]) -> None:
        if self.rank == 0:
            action()

    def peak_flops(self) -> float:
        """This device's measured matrix rate in FLOP/s, the yardstick of "share of peak" in the log."""
        return _matrix_rate(self.device.type, torch.bfloat16 if self._bf16() else torch.float32)

    def _bf16(self) -> bool:
        return self.device.type != "cpu" or bf16_pays()


@cache
def _matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Best of five products of 1024 x 1024 matrices, FLOP/s."""
    n = 1024
    a, b = torch.randn(n, n, device=device).to(dtype), torch.randn(n, n, device=device).to(dtype)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


@cache
def bf16_pays() -> bool:
    """Processors with AVX512-BF16 or AMX run bf16 products two to four times as fast as float32; others slower."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
