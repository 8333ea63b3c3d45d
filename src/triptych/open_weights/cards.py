"""A checkpoint's card: what a model of its architecture takes, and the hashes of its files. No torch."""

from __future__ import annotations

import os
import re
from pathlib import Path

from triptych.core.capabilities import Capabilities, Tier
from triptych.core.errors import FileProblem
from triptych.core.registry import Card, Entry, WeightFile
from triptych.core.weights import file_sha256
from triptych.open_weights import folders, single
from triptych.open_weights.found import Checkpoint

OPEN = "open"
"""The key of a card's configuration that says where a public checkpoint lies."""
SAMPLERS = ("dpmpp_2m", "euler", "euler_ancestral", "heun", "ddim", "unipc")
LICENCE = "as its authors say"
MOST_PIXELS = 2048 * 2048

_NAMES = {
    "StableDiffusionPipeline": "Stable Diffusion",
    "StableDiffusionXLPipeline": "Stable Diffusion XL",
    "Flux2KleinPipeline": "FLUX.2 [klein]",
}


def open_checkpoint(path: Path) -> Checkpoint:
    """What lies at a path; `FileProblem` with the reason where nothing can be loaded from it."""
    path = path.expanduser().absolute()
    if folders.is_folder(path):
        return folders.open_folder(path)
    if single.is_one_file(path):
        return single.open_file(path)
    if path.is_dir():
        raise FileProblem(f"{path} holds no model_index.json; a diffusers folder or a .safetensors file is needed")
    if not path.exists():
        raise FileProblem(f"there is no checkpoint {path}")
    if path.suffix in (".ckpt", ".pt", ".pth", ".bin"):
        raise FileProblem(f"{path} is a pickle, which can run code; only safetensors are loaded")
    raise FileProblem(f"{path} is neither a diffusers folder nor a .safetensors file")


def entry_of(path: Path, *, name: str = "", licence: str = LICENCE, hashes: bool = True) -> Entry:
    """The registry's entry of a checkpoint. name: the model's; otherwise made from the path.

    hashes: whether its files are read whole; without, the card names none, and is for showing alone.
    """
    found = open_checkpoint(path)
    root = root_of(found.path)
    files = (
        {}
        if not hashes
        else {
            os.path.relpath(file, root): WeightFile(sha256=file_sha256(file), bytes=file.stat().st_size)
            for file in found.files
        }
    )
    card = Card(
        name=name or slug(found.path.stem),
        description=described(found),
        capabilities=capabilities_of(found),
        config={OPEN: str(found.path)},
        licence=licence,
        files=files,
    )
    return Entry(card, root)


def root_of(path: Path) -> Path:
    """The folder that the names of a checkpoint's files are relative to."""
    return path if path.is_dir() else path.parent


def slug(name: str) -> str:
    """A model's name from a file's or folder's."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:60]
    return plain or "checkpoint"


def described(found: Checkpoint) -> str:
    billions = sum(part.numbers for part in found.parts.values()) / 1e9
    return f"{_NAMES[found.pipeline]}, a public checkpoint of {billions:.2g} billion weights."


def capabilities_of(found: Checkpoint) -> Capabilities:
    """What a model of this architecture takes."""
    return _of_flux2(found) if found.pipeline == "Flux2KleinPipeline" else _of_stable_diffusion(found)


def _of_flux2(found: Checkpoint) -> Capabilities:
    """Distilled klein takes four steps without guidance; the base model, like any flow, more with it."""
    distilled = found.options.get("is_distilled") is True
    steps, scale = ((2, 4, 8), 1.0) if distilled else ((12, 28, 50), 4.0)
    return Capabilities(
        family="flow",
        native_size=(1024, 1024),
        max_pixels=MOST_PIXELS,
        samplers=("euler", *(name for name in SAMPLERS if name != "euler")),
        schedules=("dynamic", "linear", "shifted"),
        steps_range=(1, 200),
        plan=False,
        init=True,
        strength_map=True,
        lora=True,
        regions=True,
        tiers={
            quality: Tier(steps=number, guidance=scale, sampler="euler", schedule="dynamic")
            for quality, number in zip(("low", "medium", "high"), steps, strict=True)
        },
    )


def _of_stable_diffusion(found: Checkpoint) -> Capabilities:
    unet = folders.config_of(found.parts["unet"], found.path, "unet")
    side = 8 * unet.whole("sample_size", 64, least=4, most=512)
    scheduler = found.parts["scheduler"].config
    trailing = scheduler.get("rescale_betas_zero_snr") or scheduler.get("timestep_spacing") == "trailing"
    spaced = "trailing" if trailing else "karras"
    scale = 6.0 if "XL" in found.pipeline else 7.5
    return Capabilities(
        family="diffusion",
        native_size=(side, side),
        size_multiple=8,
        max_pixels=max(MOST_PIXELS, side * side),
        samplers=SAMPLERS,
        schedules=("karras", "trailing", "leading", "linspace"),
        steps_range=(1, 1000),
        plan=False,
        init=True,
        strength_map=True,
        lora=True,
        regions=True,
        tiers={
            quality: Tier(steps=steps, guidance=scale, sampler="dpmpp_2m", schedule=spaced)
            for quality, steps in (("low", 12), ("medium", 25), ("high", 40))
        },
    )
