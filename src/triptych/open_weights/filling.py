"""Weights into networks: names and shapes held against the network first, then mapped from the file, never copied.

A network is made without memory for its parameters (`empty`), and takes the mapped tensors as they are where their
dtype is the wanted one. What is missing, too much, of another shape or not a number is told by name. Knows no
architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from safetensors import safe_open
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.core.weights import check_safetensors
from triptych.open_weights.found import Part

M = TypeVar("M", bound=nn.Module)

SHOWN = 3


@contextmanager
def empty() -> Generator[None]:
    """Networks that are made within have parameters without memory; their buffers (tables of positions) are real."""
    register = nn.Module.register_parameter

    def on_meta(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        register(module, name, parameter)
        if parameter is not None:
            module._parameters[name] = nn.Parameter(parameter.to("meta"), requires_grad=False)

    nn.Module.register_parameter = on_meta  # type: ignore[method-assign]
    try:
        yield
    finally:
        nn.Module.register_parameter = register  # type: ignore[method-assign]


def filled(make: Callable[[], M], part: Part, what: str, *, dtype: torch.dtype = torch.float32) -> M:
    """The network of `make` with the part's weights, in evaluation mode. what: as a person would call the part.

    dtype: of the weights in memory. Those of another one are converted as they are read, one at a time.
    """
    with empty():
        module = make()
    wanted = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    sources = _sources(part, wanted, what)
    state: dict[str, Tensor] = {}
    for name, tensor in _mapped(part, sources):
        if not _finite(tensor):
            raise FileProblem(f"{what}: {sources[name]} holds numbers that are none (NaN or infinite)")
        state[name] = tensor.to(dtype).view(wanted[name]) if tensor.is_floating_point() else tensor
    module.load_state_dict(state, strict=True, assign=True)
    return module.requires_grad_(False).eval()


def _sources(part: Part, wanted: dict[str, tuple[int, ...]], what: str) -> dict[str, str]:
    """The network's name -> the name in the file, for every tensor of the network; `FileProblem` where they differ."""
    rename = part.rename or (lambda name: name)
    found: dict[str, str] = {}
    beside: list[str] = []
    for theirs in part.tensors:
        ours = rename(theirs)
        if ours in wanted:
            if ours in found:
                raise FileProblem(f"{what}: {found[ours]} and {theirs} are the same tensor by two names")
            found[ours] = theirs
        elif ours is not None and not _idle(ours):
            beside.append(theirs)
    missing = [name for name in wanted if name not in found]
    if missing or beside:
        told = [f"{len(missing)} missing ({_some(missing)})"] * bool(missing)
        told += [f"{len(beside)} that it has no place for ({_some(beside)})"] * bool(beside)
        raise FileProblem(f"{what}: the weights do not fit their configuration: {', '.join(told)}")
    for ours, theirs in found.items():
        shape = part.tensors[theirs].shape
        if _squeezed(shape) != _squeezed(wanted[ours]):
            raise FileProblem(f"{what}: {theirs} is {_shape(shape)}; {_shape(wanted[ours])} is needed")
    return found


def _mapped(part: Part, sources: dict[str, str]) -> Iterator[tuple[str, Tensor]]:
    """Each tensor by its own name, as a view of the mapped file."""
    ours = {theirs: name for name, theirs in sources.items()}
    for path in part.files:
        check_safetensors(path)
        try:
            with safe_open(path, framework="pt") as file:
                for theirs in file.keys():  # noqa: SIM118 - not a mapping
                    if theirs in ours:
                        yield ours[theirs], file.get_tensor(theirs)
        except OSError as error:
            raise FileProblem(f"cannot read the weights {path}: {error}") from error
        except Exception as error:  # safetensors raises its own kinds
            if isinstance(error, FileProblem):
                raise
            raise FileProblem(f"the weights {path} cannot be read: {error}") from error


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
