"""From a file of weights to a network that enlarges: which one, of which size, is read from the tensors' names alone.

Known are the built-in upscaler, ESRGAN and RealESRGAN (three layouts), SRVGGNetCompact and SPAN, as safetensors.
Everything in a file must be used and everything that its network needs must be there; else the names are told.
Pickles are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.core.files import reason
from triptych.core.weights import check_safetensors, file_sha256
from triptych.upscaling import rrdb, span
from triptych.upscaling.compact import Compact, CompactConfig
from triptych.upscaling.network import Upscaler, UpscalerConfig
from triptych.upscaling.rrdb import RRDBConfig, RRDBNet
from triptych.upscaling.span import Span, SpanConfig

Tensors = dict[str, Tensor]

WRAPPERS = ("params_ema", "params", "model_state_dict", "state_dict", "module", "net_g", "generator")
"""Names that trainers put in front of all others."""
MAX_SCALE = 8
KNOWN = "ESRGAN or RealESRGAN (RRDBNet), SRVGGNetCompact, SPAN, and Triptych's own upscaler"
_SHOWN = 5
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of `torch.save` begin, new and old."""


@dataclass(frozen=True)
class Model:
    """A network that enlarges. scales: what one pass can do. margin: how far a pixel sees, in pixels of the small
    picture. bytes_per_pixel: peak memory of a pass for each of its pixels. fast: bf16 arithmetic costs it nothing
    that can be measured (decision 0031). sha256: of its file.
    """

    name: str
    module: nn.Module
    scales: tuple[int, ...]
    margin: int
    bytes_per_pixel: int
    fast: bool
    sha256: str

    def __call__(self, x: Tensor, scale: int) -> Tensor:
        """(1, 3, h, w) in [0, 1] -> (1, 3, scale h, scale w), not clamped."""
        return self.module(x, scale)


def load(path: Path) -> Model:
    """The network of a safetensors file; `FileProblem` says what is wrong with it."""
    _refuse_pickles(path)
    check_safetensors(path)
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise FileProblem(f"the weights {path} cannot be read: {error}") from error
    module, scales = build(tensors, str(path))
    return Model(
        name=module.name,  # type: ignore[arg-type]
        module=module,
        scales=scales,
        margin=module.margin,  # type: ignore[arg-type]
        bytes_per_pixel=module.bytes_per_pixel,  # type: ignore[arg-type]
        fast=isinstance(module, Upscaler),
        sha256=file_sha256(path),
    )


def build(tensors: Tensors, source: str) -> tuple[nn.Module, tuple[int, ...]]:
    """The network of these tensors with their weights, in evaluation mode, and the scales of one pass."""
    tensors = {name: tensor.float() for name, tensor in _unwrapped(tensors).items() if tensor.is_floating_point()}
    make = next((make for mark, make in _MAKERS if any(re.fullmatch(mark, name) for name in tensors)), None)
    if make is None:
        raise FileProblem(
            f"{source} is of no network that is known here ({KNOWN}); it holds {_listed(sorted(tensors))}"
        )
    try:
        module, tensors = make(tensors)
    except KeyError as error:
        raise FileProblem(f"{source} lacks the tensor {error}") from None
    except (ValueError, IndexError, RuntimeError) as error:
        raise FileProblem(f"{source} does not fit together: {error}") from None
    _fill(module, tensors, source)
    scales = module.config.scales if isinstance(module, Upscaler) else (int(module.scale),)  # type: ignore[arg-type]
    if scales[0] < 2 or scales[-1] > MAX_SCALE:
        raise FileProblem(f"{source} enlarges {scales[0]} times; from 2 to {MAX_SCALE} times is of use here")
    return module.requires_grad_(False).eval(), scales


def _refuse_pickles(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            start = file.read(4)
    except OSError as error:
        raise FileProblem(f"cannot read the weights {path}: {reason(error)}") from error
    if start.startswith(_PICKLES):
        raise FileProblem(
            f"{path} is a pickle, which can run any program when it is opened, so it is never read; "
            "convert it to safetensors where you trust it, and name that file"
        )


def _unwrapped(tensors: Tensors) -> Tensors:
    """Without the words that trainers put in front; of averaged and plain weights side by side, the averaged ones."""
    for word in WRAPPERS:
        under = {
            name.removeprefix(f"{word}."): tensor for name, tensor in tensors.items() if name.startswith(f"{word}.")
        }
        if under:
            others = [name for name in tensors if not name.startswith(tuple(f"{each}." for each in WRAPPERS))]
            return _unwrapped(under | {name: tensors[name] for name in others})
    return tensors


def _ours(tensors: Tensors) -> tuple[nn.Module, Tensors]:
    scales = sorted({int(found[1]) for name in tensors if (found := re.fullmatch(r"heads\.x(\d+)\.weight", name))})
    blocks = _count(tensors, r"blocks\.(\d+)\.first\.weight")
    return Upscaler(UpscalerConfig(tensors["conv_in.weight"].shape[0], blocks, tuple(scales))), tensors


def _rrdb(tensors: Tensors) -> tuple[nn.Module, Tensors]:
    tensors = rrdb.renamed(tensors)
    width, folded = tensors["conv_first.weight"].shape[:2]
    config = RRDBConfig(
        width=width,
        growth=tensors["body.0.rdb1.conv1.weight"].shape[0],
        blocks=_count(tensors, r"body\.(\d+)\.rdb1\.conv1\.weight"),
        doublings=_count(tensors, r"conv_up(\d+)\.weight", start=1),
        unshuffle=_root(folded, "channels of conv_first"),
    )
    return RRDBNet(config), tensors


def _compact(tensors: Tensors) -> tuple[nn.Module, Tensors]:
    layers = sorted({int(found[1]) for name in tensors if (found := re.fullmatch(r"body\.(\d+)\.weight", name))})
    if layers != list(range(len(layers))):
        raise ValueError("its activations hold no weights, and which ones they are the file does not say")
    last = tensors[f"body.{layers[-1]}.weight"]
    convs, scale = (len(layers) - 3) // 2, _root(last.shape[0], "last layer")
    return Compact(CompactConfig(tensors["body.0.weight"].shape[0], convs, scale)), tensors


def _span(tensors: Tensors) -> tuple[nn.Module, Tensors]:
    normed = "no_norm" not in tensors
    tensors = span.folded({name: tensor for name, tensor in tensors.items() if name != "no_norm"})
    scale = _root(tensors["upsampler.0.weight"].shape[0], "upsampler.0")
    return Span(SpanConfig(tensors["conv_1.weight"].shape[0], scale, normed)), tensors


_Maker = Callable[[Tensors], tuple[nn.Module, Tensors]]
_MAKERS: tuple[tuple[str, _Maker], ...] = (
    (r"heads\.x\d+\.weight", _ours),
    (r"(model\.1\.sub|RRDB_trunk|body)\.0\.(RDB|rdb)1\.conv1.*", _rrdb),
    (r"block_1\.c1_r\.(sk|eval_conv)\.weight", _span),
    (r"body\.0\.weight", _compact),
)
"""A name that tells a network, and what builds it."""


def _fill(module: nn.Module, tensors: Tensors, source: str) -> None:
    needed = module.state_dict()
    missing, unknown = sorted(needed.keys() - tensors.keys()), sorted(tensors.keys() - needed.keys())
    name = str(module.name)
    if unknown:
        raise FileProblem(f"{source} looks like {name}, but holds tensors that it has no place for: {_listed(unknown)}")
    if missing:
        raise FileProblem(f"{source} looks like {name}, but lacks {_listed(missing)}")
    for key, tensor in tensors.items():
        if tensor.shape != needed[key].shape:
            raise FileProblem(
                f"{source}: the tensor {key} is {tuple(tensor.shape)}; by the other tensors' sizes "
                f"{tuple(needed[key].shape)} is needed"
            )
        if not bool(torch.isfinite(tensor).all()):
            raise FileProblem(f"{source}: the tensor {key} holds values that are no numbers")
    module.load_state_dict(tensors)


def _count(tensors: Tensors, pattern: str, *, start: int = 0) -> int:
    """How many numbered parts there are; they are counted one by one, so that no number can ask for a million."""
    numbers = sorted({int(found[1]) for name in tensors if (found := re.fullmatch(pattern, name))})
    if numbers != list(range(start, start + len(numbers))):
        raise ValueError(f"the parts {pattern.replace(chr(92), '')} are not numbered without a gap")
    return len(numbers)


def _root(channels: int, what: str) -> int:
    """Of 3 x n x n channels, the n."""
    n = isqrt(channels // 3)
    if n < 1 or 3 * n * n != channels:
        raise ValueError(f"{channels} ({what}) is not three colours times a square; only RGB networks are known")
    return n


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(name[:80] for name in names[:_SHOWN]) + more
