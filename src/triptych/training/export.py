"""From trained weights to a model folder: `model.safetensors` (fp16, or 8 bits) and `card.json`, each written whole."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.core.registry import Card, write_card
from triptych.nn import storage

WEIGHTS = "model.safetensors"


def write_model(
    folder: Path, tensors: dict[str, Tensor], card: Card, *, int8: bool = False, exact: bool = False
) -> None:
    """Write the weights in fp16 (integers as they are), then the card that names their hash.

    int8: large matrices in 8 bits (`nn.storage`), half the size. exact: every tensor as it is. The card comes last: a
    folder whose card fits its weights is complete.
    """
    tensors = storage.packed(tensors) if int8 else tensors
    stored = {name: tensor if exact else _stored(name, tensor) for name, tensor in tensors.items()}
    stored = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in stored.items()}
    temporary = folder / "model.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(stored, temporary)
        temporary.replace(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise FileProblem(f"the model {folder} could not be written: {error}") from error
    write_card(folder, card)


def _stored(name: str, tensor: Tensor) -> Tensor:
    """Floats in half precision; scales of 8-bit weights may be smaller than that can hold."""
    return tensor.half() if tensor.is_floating_point() and not name.endswith(storage.SCALE) else tensor


def through_half(module: nn.Module) -> None:
    """Round the weights as a stored model has them, so that what is measured is what ships."""
    with torch.no_grad():
        for tensor in [*module.parameters(), *module.buffers()]:
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
