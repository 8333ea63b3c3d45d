"""Weights into networks: names and shapes held against the network first, then mapped from the file, never copied.

A network is made without memory for its parameters (`empty`), and takes the mapped tensors as they are where their
dtype is the wanted one. What is missing, too much, of another shape or not a number is told by name. Knows no
architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.core.weights import check_safetensors
from triptych.open_weights.found import Fused, Part, Turned

M = TypeVar("M", bound=nn.Module)

Place = str | Fused | Turned

SHOWN = 3


@contextmanager
def empty() -> Generator[None]:
    """Networks that are made within have no memory, whatever sizes a configuration asks for."""
    with torch.device("meta"):
        yield


def filled(make: Callable[[], M], part: Part, what: str, *, dtype: torch.dtype = torch.float32) -> M:
    """The network of `make` with the part's weights, in evaluation mode. what: as a person would call the part.

    dtype: of the weights in memory. Those of another one are converted as they are read, one at a time.
    """
    with empty():
        module = make()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    places = _places(part, wanted, what)
    state: dict[str, Tensor] = {}
    for theirs, tensor in _mapped(part.files, places):
        if not _finite(tensor):
            raise FileProblem(f"{what}: {theirs} holds numbers that are none (NaN or infinite)")
        for name, piece in zip(_names(places[theirs]), _pieces(places[theirs], tensor), strict=True):
            state[name] = piece.to(dtype).view(wanted[name]) if piece.is_floating_point() else piece
    module.load_state_dict(state, strict=True, assign=True)
    _count_positions(module)
    return module.requires_grad_(False).eval()


def _places(part: Part, wanted: dict[str, tuple[int, ...]], what: str) -> dict[str, Place]:
    """Where each tensor of the file belongs; `FileProblem` where file and network differ in a name or a shape."""
    rename = part.rename or (lambda name: name)
    found: dict[str, Place] = {}
    sources: dict[str, str] = {}
    beside: list[str] = []
    for theirs, info in part.tensors.items():
        place = rename(theirs)
        if place is None:
            continue
        names = _names(place)
        if not wanted.keys() >= set(names):
            beside += [] if _idle(theirs) else [theirs]
            continue
        if twice := [name for name in names if name in sources]:
            raise FileProblem(f"{what}: {sources[twice[0]]} and {theirs} are the same tensor by two names")
        needed = _needed(place, [wanted[name] for name in names])
        if _squeezed(info.shape) != _squeezed(needed):
            raise FileProblem(f"{what}: {theirs[:80]} is {_shape(info.shape)}; {_shape(needed)} is needed")
        found[theirs] = place
        sources |= dict.fromkeys(names, theirs)
    missing = [name for name in wanted if name not in sources]
    if missing or beside:
        told = [f"{len(missing)} missing ({_some(missing)})"] * bool(missing)
        told += [f"{len(beside)} that it has no place for ({_some(beside)})"] * bool(beside)
        raise FileProblem(f"{what}: the weights do not fit their configuration: {', '.join(told)}")
    return found


def _names(place: Place) -> tuple[str, ...]:
    if isinstance(place, Fused):
        return place.names
    return (place.name,) if isinstance(place, Turned) else (place,)


def _needed(place: Place, shapes: list[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that the file's tensor must have."""
    if isinstance(place, Turned):
        return shapes[0][::-1]
    return (sum(shape[0] for shape in shapes), *shapes[0][1:]) if isinstance(place, Fused) else shapes[0]


def _pieces(place: Place, tensor: Tensor) -> tuple[Tensor, ...]:
    if isinstance(place, Fused):
        return tensor.chunk(len(place.names))
    return (tensor.t().contiguous(),) if isinstance(place, Turned) else (tensor,)


def _mapped(files: tuple[Path, ...], wanted: Container[str]) -> Iterator[tuple[str, Tensor]]:
    """Each wanted tensor by its name in the file, as a view of the mapped file."""
    for path in files:
        check_safetensors(path)
        try:
            with safe_open(path, framework="pt") as file:
                for theirs in file.keys():  # noqa: SIM118 - not a mapping
                    if theirs in wanted:
                        yield theirs, file.get_tensor(theirs)
        except FileProblem:
            raise
        except Exception as error:  # safetensors raises its own kinds
            raise FileProblem(f"the weights {path} cannot be read: {error}") from error


def _count_positions(module: nn.Module) -> None:
    """Tables 0, 1, 2, ... that transformers keeps beside the weights and in no file."""
    for owner in module.modules():
        for name, table in owner.named_buffers(recurse=False):
            if name == "position_ids":
                setattr(owner, name, torch.arange(table.shape[-1]).expand(table.shape))


def _finite(tensor: Tensor) -> bool:
    """Without a second tensor: the smallest and the largest are numbers only if all are."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    if tensor.element_size() == 1:  # eight-bit floats have no such reductions
        tensor = tensor.float()
    return all(bool(torch.isfinite(end)) for end in torch.aminmax(tensor))


def _idle(name: str) -> bool:
    """Tensors of public checkpoints that no network reads: counters of positions, averages beside the weights."""
    return name.endswith(("position_ids", "num_batches_tracked", "inv_freq")) or name.startswith("model_ema.")


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A 1x1 convolution and a linear layer hold the same matrix."""
    return shape[:2] if len(shape) == 4 and shape[2:] == (1, 1) else shape


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _some(names: list[str]) -> str:
    shown = ", ".join("".join(c if c.isprintable() else "?" for c in name)[:80] for name in sorted(names)[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
