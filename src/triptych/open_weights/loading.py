"""From a checkpoint on the disk to a family that paints. The one place that knows the architecture of a pipeline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from triptych.core.capabilities import Capabilities
from triptych.core.errors import FileProblem
from triptych.core.registry import Entry
from triptych.families.diffusion.unet import UNet, UNetConfig
from triptych.families.flow.mmdit import MMDiT, MMDiTConfig
from triptych.open_weights.cards import OPEN, open_checkpoint
from triptych.open_weights.clip import ClipText, load_clip
from triptych.open_weights.eight_bits import in_eight_bits
from triptych.open_weights.filling import filled
from triptych.open_weights.flux2 import Flux2, PatchedVae
from triptych.open_weights.folders import config_of
from triptych.open_weights.found import Checkpoint, Part
from triptych.open_weights.jsonfile import Config
from triptych.open_weights.needs import Precision, needs_of
from triptych.open_weights.noise import diffusion_of
from triptych.open_weights.qwen import LAYERS, load_qwen
from triptych.open_weights.renames import vae_of_diffusers
from triptych.open_weights.stable_diffusion import StableDiffusion, Towers
from triptych.open_weights.vae import Vae, VaeConfig, check_factor
from triptych.open_weights.vocabulary import END, ClipVocabulary, read_vocabulary, shipped

DTYPES: dict[Precision, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16, "int8": torch.bfloat16}
"""What networks compute in; weights in 8 bits become bfloat16 for each product."""


def load(name: str, entry: Entry, precision: Precision | None = None) -> Any:
    """The family of an entry that `cards.entry_of` made. precision: None is the best that fits into the memory.

    `OutOfMemory` before anything is loaded where none fits.
    """
    found = open_checkpoint(Path(str(entry.card.config[OPEN])))
    fitting = needs_of(found).check(name)
    chosen = precision or fitting
    capabilities = entry.card.capabilities
    if capabilities is None:
        raise FileProblem(f"the card of {name!r} says nothing of what it takes")
    family = _MAKERS[found.pipeline](name, capabilities, found, DTYPES[chosen])
    family.precision = chosen
    if chosen == "int8":
        in_eight_bits(family.network)
        for tower in family.text.networks:
            in_eight_bits(tower)
    return family


def _stable_diffusion(name: str, capabilities: Capabilities, found: Checkpoint, dtype: torch.dtype) -> Any:
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


def _flux2(name: str, capabilities: Capabilities, found: Checkpoint, dtype: torch.dtype) -> Any:
    where = found.path.name
    part, what = found.parts["transformer"], f"the transformer of {where}"
    sizes = Config(part.config, what)
    network = MMDiTConfig(
        in_channels=sizes.whole("in_channels", 128, most=4096),
        out_channels=sizes.whole("in_channels", 128, most=4096),
        num_layers=sizes.whole("num_layers", 8, least=0, most=200),
        num_single_layers=sizes.whole("num_single_layers", 48, least=0, most=200),
        attention_head_dim=sizes.whole("attention_head_dim", 128, most=1024),
        num_attention_heads=sizes.whole("num_attention_heads", 48, most=256),
        joint_attention_dim=sizes.whole("joint_attention_dim", 15360, most=65536),
        timestep_guidance_channels=sizes.whole("timestep_guidance_channels", 256, most=4096),
        mlp_ratio=sizes.number("mlp_ratio", 3.0, least=0.01, most=64),
        axes_dims_rope=sizes.wholes("axes_dims_rope", (32, 32, 32, 32), most=1024),
        rope_theta=sizes.number("rope_theta", 2000, least=1),
        eps=sizes.number("eps", 1e-6, most=1),
        guidance_embeds=sizes.flag("guidance_embeds", True),
    )
    if sizes.values.get("out_channels") not in (None, network.out_channels) or sizes.values.get("patch_size", 1) != 1:
        raise sizes.problem("out_channels", "as many as in_channels")
    if network.guidance_embeds:
        raise sizes.problem("guidance_embeds", "false")
    painter = filled(lambda: MMDiT(network), part, what, dtype=dtype)
    layers = _layers(found)
    text = load_qwen(found.parts["text_encoder"], found.parts["tokenizer"], f"text_encoder of {where}", layers, dtype)
    if text.width != network.joint_attention_dim:
        told = f"{text.width} channels a token, its transformer takes {network.joint_attention_dim}"
        raise FileProblem(f"{found.path}: its text encoder gives {told}")
    config = config_of(found.parts["vae"], found.path, "vae")
    shape = replace(VaeConfig.from_diffusers(config), scaling=1.0)
    check_factor(shape, f"the vae of {where}")
    if 4 * shape.latent_channels != network.in_channels:
        told = f"{4 * shape.latent_channels} channels a patch, its transformer takes {network.in_channels}"
        raise FileProblem(f"{found.path}: its autoencoder gives {told}")
    eps = config.number("batch_norm_eps", 1e-4, most=1)
    vae = filled(lambda: PatchedVae(shape, eps), found.parts["vae"], f"the vae of {where}", dtype=dtype)
    return Flux2(name, capabilities, painter, text, vae)


def _layers(found: Checkpoint) -> tuple[int, ...]:
    """Those of the text encoder whose states are read: of one with fewer, evenly spread, as tiny ones have it."""
    return LAYERS if found.parts["text_encoder"].config.get("num_hidden_layers", 0) >= max(LAYERS) else (1, 2, 3)


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


_MAKERS = {
    "StableDiffusionPipeline": _stable_diffusion,
    "StableDiffusionXLPipeline": _stable_diffusion,
    "Flux2KleinPipeline": _flux2,
}
