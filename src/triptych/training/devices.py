"""Where training runs: this process alone, or several processes that `accelerate launch` started.

All processes see one work folder, take the same steps and hold the same weights; each computes the loss of its own rows
of every batch. Only the first one writes and reports. Knows no stage.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from triptych.core.errors import TriptychError

PATIENCE = timedelta(hours=12)
"""How long processes wait for each other: the first one encodes the pool and draws the sheets alone."""


class Devices:
    """One device per process. Gradients are averaged by hand, so a stage's module may be used in any way it likes.

    `distributed=True` expects the launcher's environment and takes rank, device and process group from accelerate.
    """

    def __init__(self, *, distributed: bool = False, device: torch.device | None = None) -> None:
        self.rank, self.count = 0, 1
        self.device: torch.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if distributed:
            try:
                from accelerate import PartialState
            except ImportError as error:
                raise TriptychError("several processes need accelerate: pip install 'triptych[train]'") from error
            state = PartialState(cpu=self.device.type == "cpu", timeout=PATIENCE)
            self.rank, self.count = state.process_index, state.num_processes
            self.device = state.device or self.device

    @property
    def main(self) -> bool:
        """Whether this is the process that writes and reports."""
        return self.rank == 0

    def rows(self, size: int) -> range:
        """This process's rows of a batch of `size`, which `count` divides."""
        share = size // self.count
        return range(self.rank * share, (self.rank + 1) * share)

    @contextmanager
    def main_first(self) -> Generator[None]:
        """The first process goes through the block alone; the others follow, and find on disk what it made."""
        if self.count > 1 and not self.main:
            torch.distributed.barrier()
        yield
        if self.count > 1 and self.main:
            torch.distributed.barrier()

    def place(self, module: nn.Module) -> nn.Module:
        """Move the module here and start from the first process's weights."""
        module.to(self.device)
        if self.count > 1:
            for tensor in [*module.parameters(), *module.buffers()]:
                torch.distributed.broadcast(tensor.data, 0)
        return module

    def put(self, batch: Any) -> Any:
        """A batch on this device: a tensor, or dicts, lists and tuples of them."""
        if isinstance(batch, Tensor):
            return batch.to(self.device, non_blocking=True)
        if isinstance(batch, dict):
            return {key: self.put(value) for key, value in batch.items()}
        if isinstance(batch, list | tuple):
            return type(batch)(self.put(value) for value in batch)
        return batch

    def average_gradients(self, module: nn.Module) -> None:
        """Replace each gradient by its mean over the processes: one message for all, as many small ones are slow."""
        if self.count == 1:
            return
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def share(self, weight: float) -> float:
        """The factor of this process's mean loss, so that gradients are those of the mean over the whole batch.

        weight: what its mean is over (pictures, tokens). Alone: 1.
        """
        if self.count == 1:
            return 1.0
        total = torch.tensor(float(weight), device=self.device)
        torch.distributed.all_reduce(total)
        return weight * self.count / float(total)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """The mean of each figure over the processes; all must ask for the same ones."""
        if self.count == 1:
            return values
        sums = torch.tensor(list(values.values()), dtype=torch.float32, device=self.device)
        torch.distributed.all_reduce(sums)
        return dict(zip(values, (sums / self.count).tolist(), strict=True))

    def agreed(self, decision: bool) -> bool:
        """What the first process decides: clocks differ, and one that stops alone would leave the others waiting."""
        if self.count == 1:
            return decision
        flag = torch.tensor([decision], dtype=torch.uint8, device=self.device)
        torch.distributed.broadcast(flag, 0)
        return bool(flag)

    def autocast(self, precision: str) -> AbstractContextManager[Any]:
        """bf16 arithmetic over float32 master weights, where asked for and where it is faster than float32."""
        if self._bf16(precision):
            return torch.autocast(self.device.type, dtype=torch.bfloat16)
        return nullcontext()

    def on_main(self, action: Callable[[], Any]) -> None:
        if self.main:
            action()

    def peak_flops(self, precision: str) -> float:
        """This device's measured matrix rate in FLOP/s, the yardstick of "share of peak" in the log."""
        return _matrix_rate(self.device.type, torch.bfloat16 if self._bf16(precision) else torch.float32)

    def _bf16(self, precision: str) -> bool:
        return precision == "bf16" and (self.device.type != "cpu" or bf16_pays())


@cache
def _matrix_rate(device: str, dtype: torch.dtype) -> float:
    """Best of five products of square matrices that are large enough to fill the device, FLOP/s."""
    n = 8192 if device == "cuda" else 1024
    generator = torch.Generator(device).manual_seed(0)
    a, b = (torch.randn(n, n, device=device, generator=generator).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        torch.matmul(a, b)
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


@cache
def bf16_pays() -> bool:
    """Processors with AVX512-BF16 or AMX run bf16 products two to four times as fast as float32; others slower."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
