"""Data made ahead in worker processes, in order: what the loop and the pool draw their pictures through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from triptych.core.errors import FileProblem


class _Made(Dataset[Any]):
    """A file that cannot be read is handed over as its error: raised in a worker it would arrive as a traceback."""

    def __init__(self, make: Callable[[int], Any], numbers: range) -> None:
        self.make, self.numbers = make, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: int) -> Any:
        try:
            return self.make(self.numbers[place])
        except FileProblem as error:
            return error


def prefetched(make: Callable[[int], Any], numbers: range, workers: int) -> Iterator[Any]:
    """`make(n)` for every n, in order; `make` is pure, so that the number of workers changes nothing but the speed.

    Tensors come from workers in shared memory. With no workers they are made here, when asked for.
    """
    loader = DataLoader(
        _Made(make, numbers),
        batch_size=None,
        num_workers=workers,
        prefetch_factor=3 if workers else None,
        collate_fn=_as_is,
        worker_init_fn=_one_thread,
        generator=torch.Generator(),  # for seeds that `make` does not use; torch's own generator stays as it is
    )
    for made in loader:
        if isinstance(made, FileProblem):
            raise made
        yield made


def _as_is(made: Any) -> Any:
    return made


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
