"""From a checkpoint on the disk to a family that paints. The one place that knows the architecture of a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from triptych.core.errors import FileProblem
from triptych.core.registry import Entry
from triptych.families.diffusion.unet import UNet, UNetConfig
from triptych.open_weights.cards import OPEN, open_checkpoint
from triptych.open_weights.clip import ClipText, load_clip
from triptych.open_weights.filling import filled
from triptych.open_weights.folders import config_of
from triptych.open_weights.found import Checkpoint, Part
from triptych.open_weights.jsonfile import Config
from triptych.open_weights.noise import diffusion_of
from triptych.open_weights.renames import vae_of_diffusers
from triptych.open_weights.stable_diffusion import StableDiffusion, Towers
from triptych.open_weights.vae import Vae, VaeConfig, check_factor
from triptych.open_weights.vocabulary import END, ClipVocabulary, read_vocabulary, shipped


def load(name: str, entry: Entry, dtype: torch.dtype = torch.float32) -> Any:
    """The family of an entry that `cards.entry_of` made."""
    found = open_checkpoint(Path(str(entry.card.config[OPEN])))
    capabilities = entry.card.capabilities
    if capabilities is None:
        raise FileProblem(f"the card of {name!r} says nothing of what it takes")
    noise = diffusion_of(config_of(found.parts["scheduler"], found.path, "scheduler"))
    unet = _unet(found, dtype)
    towers = [_tower(found, each, dtype) for each in ("text_encoder", "text_encoder_2") if each in found.parts]
    text = Towers(tuple(towers), zero_negative=found.options.get("force_zeros_for_empty_prompt", True) is True)
    if text.width != unet.config.cross_attention_dim:
        told = f"{text.width} channels a token, its U-Net takes {unet.config.cross_attention_dim}"
        raise FileProblem(f"{found.path}: its text encoders give {told}")
    vae = load_vae(found, dtype)
    if vae.config.latent_channels != unet.config.in_channels or unet.config.in_channels != unet.config.out_channels:
        raise FileProblem(
            f"{found.path}: its U-Net takes {unet.config.in_channels} channels, and is no painter of latents"
        )
    return StableDiffusion(name, capabilities, unet, text, vae, noise)


def _unet(found: Checkpoint, dtype: torch.dtype) -> UNet:
    part, what = found.parts["unet"], f"the unet of {found.path.name}"
    check_unet(part, what)
    try:
        config = UNetConfig.from_diffusers(part.config)
        return filled(lambda: UNet(config), part, what, dtype=dtype)
    except (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError) as error:
        raise FileProblem(f"{what}: its configuration does not fit: {error}") from error


def check_unet(part: Part, what: str) -> None:
    """Numbers that decide how large the network becomes, within what any such network has."""
    config = Config(part.config, what)
    config.wholes("block_out_channels", most=8192)
    config.whole("layers_per_block", most=16)
    config.whole("cross_attention_dim", most=65536)
    for name in ("in_channels", "out_channels"):
        config.whole(name, most=1024)
    config.whole("norm_num_groups", 32, most=1024)
    config.number("norm_eps", 1e-5, most=1.0)
    if part.config.get("addition_embed_type") == "text_time":
        for name in ("addition_time_embed_dim", "projection_class_embeddings_input_dim"):
            config.whole(name, most=65536)
    for name in ("attention_head_dim", "transformer_layers_per_block"):
        if isinstance(part.config.get(name), list):
            config.wholes(name, most=256)
        else:
            config.whole(name, 1, most=256)


def load_vae(found: Checkpoint, dtype: torch.dtype) -> Vae:
    part, what = found.parts["vae"], f"the vae of {found.path.name}"
    config = VaeConfig.from_diffusers(config_of(part, found.path, "vae"))
    check_factor(config, what)
    if part.rename is None:
        part = Part(part.kind, part.config, part.files, part.tensors, vae_of_diffusers, part.folder)
    return filled(lambda: Vae(config), part, what, dtype=dtype)


def _tower(found: Checkpoint, name: str, dtype: torch.dtype) -> ClipText:
    part = found.parts[name]
    vocabulary = _vocabulary(found, name.replace("text_encoder", "tokenizer"), part.pad)
    return load_clip(part, vocabulary, f"{name} of {found.path.name}", dtype)


def _vocabulary(found: Checkpoint, name: str, pad: str | None) -> ClipVocabulary:
    """The checkpoint's own, or the one of all Stable Diffusions where the file brings none."""
    part = found.parts.get(name)
    return shipped(pad or END) if part is None or part.folder is None else read_vocabulary(part.folder)
