"""What an attached LoRA costs, and where a product's bits depend on its company: the figures of decision 0037.

python bench/lora_attach.py            # forwards of the built-in models, bare and with a LoRA on every layer
python bench/lora_attach.py bits       # plain low-rank products against padded ones and products over patches
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from triptych.adapters.lora import Shelf, TrainedLora, write_lora
from triptych.core.asset import FileAsset
from triptych.core.inputs import Lora
from triptych.core.request import Request
from triptych.library import Library
from triptych.nn.added import LowRank

ROUNDS, CALLS = 12, 4
COMPANY = (16, 17, 20, 24, 32, 40, 48, 64, 65, 80, 104, 128, 208, 256)


def costs() -> None:
    """CPU milliseconds of one forward of a guided picture, in turn bare, with second weights and with terms."""
    library = Library()
    for model in ("flow", "diffusion", "tokens"):
        family = library.family(model)
        lora = TrainedLora(family.network, 8, 8.0, torch.Generator().manual_seed(0))
        with tempfile.TemporaryDirectory() as folder:
            path = write_lora(Path(folder) / "x.safetensors", lora.tensors(""), {})
            own = Lora(file=FileAsset.of(path))
            shelves = {"second weights": Shelf(family.network), "terms": Shelf(family.network, 0)}
            started = time.process_time()
            weights = shelves["second weights"].weights((own,))
            made = time.process_time() - started
            size = sum(weight.numel() * weight.element_size() for weight in weights.values())
            print(f"{model}: {len(weights)} layers; second weights made in {made * 1e3:.0f} ms, {size / 2**20:.1f} MiB")
            ways: dict[str, Callable[[], None]] = {"bare": lambda family=family: walk(library, family)}
            for name, shelf in shelves.items():
                ways[name] = lambda family=family, shelf=shelf, own=own: attached_walk(library, family, shelf, own)
            spent: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, way in ways.items():
                    started = time.process_time()
                    for _ in range(CALLS):
                        way()
                    spent[name].append((time.process_time() - started) / CALLS)
            for name, times in spent.items():
                ratio = statistics.median(a / b for a, b in zip(times, spent["bare"], strict=True))
                print(f"  {name:<15} {statistics.median(times) * 1e3:7.1f} ms   {ratio:.2f} of bare")


STATES: dict[int, object] = {}


def walk(library: Library, family: object) -> None:
    """One forward of the first step of one guided picture."""
    from triptych.core.contract import resolve

    key = id(family)
    with torch.inference_mode():
        if key not in STATES:
            request = Request(prompt="a fox in the snow", seed=1, model=family.name)  # type: ignore[attr-defined]
            resolved, _ = resolve(request, family.capabilities, name=request.model)  # type: ignore[attr-defined]
            condition = family.encode(resolved, library.plan(resolved, 0))  # type: ignore[attr-defined]
            STATES[key] = family.begin(resolved, condition, 0)  # type: ignore[attr-defined]
        family.forward([STATES[key]])  # type: ignore[attr-defined]


def attached_walk(library: Library, family: object, shelf: Shelf, lora: Lora) -> None:
    with torch.inference_mode(), shelf.attached((lora,)):
        walk(library, family)


def bits() -> None:
    """Which products give a row other bits in other company, with one thread and with two."""
    torch.manual_seed(0)
    rows, maps = torch.randn(512, 192), torch.randn(16, 64, 16, 16)
    linear, kernel = torch.nn.Linear(192, 192), torch.nn.Conv2d(64, 64, 3, padding=1)
    for rank in (1, 2, 4, 8, 16, 32):
        flat = LowRank(torch.randn(rank, 192), torch.randn(192, rank))
        deep = LowRank(torch.randn(rank, 64, 3, 3), torch.randn(64, rank))
        ways: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], torch.Tensor, tuple[int, ...]]] = {
            "linear, plain": (lambda x, t=flat: t(linear, x), rows, COMPANY),
            "linear, padded": (lambda x, t=flat.padded(): t(linear, x), rows, COMPANY),
            "kernel, two convolutions": (lambda x, t=deep: convolved(t, x), maps, (1, 2, 3, 4, 5, 8)),
            "kernel, over patches": (lambda x, t=deep.padded(): t(kernel, x), maps, (1, 2, 3, 4, 5, 8)),
        }
        for name, (way, x, counts) in ways.items():
            torch.set_num_threads(1)
            whole = way(x)
            differ: list[str] = []
            for threads in (1, 2):
                torch.set_num_threads(threads)
                differ += [f"{n} ({threads} threads)" for n in counts if not torch.equal(way(x[:n]), whole[:n])]
            print(f"rank {rank:>2}  {name:<25} {'differs at ' + ', '.join(differ) if differ else 'same bits'}")


def convolved(term: LowRank, x: torch.Tensor) -> torch.Tensor:
    return F.conv2d(F.conv2d(x, term.down, padding=1), term.up[:, :, None, None])


if __name__ == "__main__":
    bits() if "bits" in sys.argv[1:] else costs()
