"""What a model costs and whether it repeats itself: parameters, forwards, memory; pixels alone, in company, elsewhere.

Memory is measured in a process of its own, since a process's peak never falls. It knows no library: the new process is
handed a function that opens the models.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from triptych.adapters.plan_input import rasterise, stack
from triptych.core.recipe import pixels_sha256
from triptych.core.registry import Training
from triptych.core.request import Request
from triptych.engine import Engine, Models

Open = Callable[[], Models]
"""Opens the models anew; has to survive pickling, for it is called in another process."""


@dataclass(frozen=True)
class Cost:
    """parameters: of the painter's own network. forwards: rows through it for a picture (guidance counted), or tokens.

    peak_mib: the largest resident memory of a process that paints one batch. train_flops: of one training sample.
    hashes: of the pixels that it painted.
    """

    parameters: int
    forwards: float
    peak_mib: float
    train_flops: float
    hashes: tuple[str, ...]


def in_new_process(open_models: Open, requests: Sequence[Request]) -> Cost:
    """Paint the requests in one batch in a fresh process, and measure it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_cost, open_models, requests, torch.get_num_threads()).result()


def reproducibility(models: Models, requests: Sequence[Request], cost: Cost) -> dict[str, float]:
    """The share of pictures whose pixels are the same, bit by bit, as in one batch with the present threads."""
    threads = torch.get_num_threads()
    batch = hashes(models, requests)
    alone = [hashes(models, [request])[0] for request in requests]
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        threaded = hashes(models, requests)
    finally:
        torch.set_num_threads(threads)
    others = {"alone": alone, "other threads": threaded, "new process": list(cost.hashes)}
    return {name: sum(map(str.__eq__, batch, other)) / len(batch) for name, other in others.items()}


def hashes(models: Models, requests: Sequence[Request]) -> list[str]:
    return [pixels_sha256(one.pixels) for (one,) in Engine(models).generate_many(requests)]


def peta_flops(training: Training, cost: Cost) -> float:
    """Arithmetic of a training in 1e15: samples times that of one, from the log on the card or else counted."""
    last = (training.model_extra or {}).get("last", {})
    speed, rate = last.get("samples_per_second", 0), last.get("gflops", 0)
    each = rate * 1e9 / speed if speed and rate else cost.train_flops
    return training.samples * each / 1e15


def peak_mib() -> float:
    """The largest resident memory of this process so far.

    Linux counts what a process was before it started its program (that is, its parent) into `ru_maxrss`, so the
    system's own high-water mark is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _cost(open_models: Open, requests: Sequence[Request], threads: int) -> Cost:
    torch.set_num_threads(threads)
    models = open_models()
    family: Any = models.family(requests[0].model)
    painted = hashes(models, requests)
    peak = peak_mib()
    parameters = [*family.network.parameters(), *family.plan_input.parameters()]
    count = sum(parameter.numel() for parameter in parameters)
    return Cost(count, _forwards(models, family, requests[0]), peak, _train_flops(family), tuple(painted))


def _forwards(models: Models, family: Any, request: Request) -> float:
    """Rows of a batch that the network sees for one picture; of a decoder, the tokens that it writes."""
    if family.capabilities.token_sampling:
        return float(family.network.config.tokens)
    rows = 0

    def count(module: Any, inputs: tuple[Any, ...]) -> None:
        nonlocal rows
        rows += inputs[0].shape[0]

    hook = family.network.register_forward_pre_hook(count)
    try:
        hashes(models, [request])
    finally:
        hook.remove()
    return float(rows)


def _train_flops(family: Any) -> float:
    """FLOPs of the loss of one sample and its gradient, counted as the training counts them."""
    for parameter in (*family.network.parameters(), *family.plan_input.parameters()):
        parameter.requires_grad_(True)
    target, grid = _target(family)
    text = torch.zeros(1, family.text.length, family.text.width)
    raster = stack([rasterise(None, family.vocabulary, grid)])
    with FlopCounterMode(display=False) as counter:
        family.loss(target, text, raster, torch.Generator().manual_seed(0)).backward()
    return float(counter.get_total_flops())


def _target(family: Any) -> tuple[torch.Tensor, tuple[int, int]]:
    """Something of the shape of what the family learns, and the plan's grid."""
    if family.learns == "codes":
        grid = family.network.config.grid
        return torch.zeros(1, *grid, dtype=torch.long), grid
    width, height = family.capabilities.native_size
    grid = (height // 8, width // 8)
    return torch.zeros(1, family.autoencoder.config.latent_channels, *grid), grid
