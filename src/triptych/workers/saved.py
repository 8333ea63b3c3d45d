"""Saved states of pictures as safetensors bytes, and back; only by the very weights and request that made them.

A state is data on a disk: it may be cut off, old, or of another model. `unpack` gives None for anything but a whole
state of this request under these weights and this version; the picture then begins anew, with the same pixels.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from triptych.core.recipe import package_version
from triptych.core.request import Request
from triptych.core.state import Saved

KEY = "triptych"


def pack(kept: Saved, request: Request, weights_sha256: str | None) -> bytes:
    """request: the resolved one."""
    tensors = {name: tensor.clone() for name, tensor in kept.tensors.items()}  # some are views of one storage
    about = {"step": kept.step, "facts": kept.facts, "of": _of(request, weights_sha256), "sum": _sum(tensors)}
    return save(tensors, {KEY: json.dumps(about)})


def unpack(data: bytes, request: Request, weights_sha256: str | None) -> Saved | None:
    try:
        tensors = load(data)
        length = int.from_bytes(data[:8], "little")
        about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
        if about["of"] != _of(request, weights_sha256) or about["sum"] != _sum(tensors):
            return None
        return Saved(int(about["step"]), dict(about["facts"]), tensors)
    except (SafetensorError, ValueError, KeyError, TypeError):
        return None


def _of(request: Request, weights_sha256: str | None) -> str:
    """What a state belongs to. The plan is written anew from the same seed, so it need not be in it."""
    parts = (request.model_dump_json(), weights_sha256, package_version(), torch.__version__)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _sum(tensors: dict[str, Any]) -> str:
    """Over all bytes: a machine that lost power may leave a file of the right length and other contents."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name}:{tensor.dtype}:{tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
