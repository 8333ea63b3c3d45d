"""A checkpoint in one `.safetensors` file, as ComfyUI and A1111 have it: recognised by names and shapes alone.

Configurations are not in the file. All sizes are read off the shapes; what shapes do not tell (heads, the noise table,
the autoencoder's scale) is the same for every checkpoint of an architecture and stands here. No network, no torch.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from triptych.core.errors import FileProblem
from triptych.core.weights import TensorInfo, read_header
from triptych.open_weights.found import Checkpoint, Fused, Part, Turned
from triptych.open_weights.renames import open_clip, unet_of_one_file, vae_of_one_file

Tensors = dict[str, TensorInfo]

UNET, VAE = "model.diffusion_model.", "first_stage_model."
CLIP_L, CLIP_H = "cond_stage_model.transformer.", "cond_stage_model.model."
XL_L, XL_G = "conditioner.embedders.0.transformer.", "conditioner.embedders.1.model."
HEAD = 64
"""Channels of an attention head in every tower, and in the U-Nets of SD 2 and XL."""
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "num_train_timesteps": 1000}


def is_one_file(path: Path) -> bool:
    return path.suffix == ".safetensors" and path.is_file()


def open_file(path: Path) -> Checkpoint:
    """What lies in a file; `FileProblem` with the reason for one that is damaged, or no whole checkpoint."""
    tensors = read_header(path)
    if f"{UNET}input_blocks.0.0.weight" not in tensors:
        raise FileProblem(f"{path} is no checkpoint that is known here: {_guess(tensors)}")
    try:
        return _stable_diffusion(path, tensors)
    except (KeyError, IndexError, ValueError) as error:
        raise FileProblem(f"{path} looks like Stable Diffusion, and its tensors do not fit together: {error}") from None


def _stable_diffusion(path: Path, tensors: Tensors) -> Checkpoint:
    xl = any(name.startswith(XL_G) for name in tensors)
    two = not xl and any(name.startswith(CLIP_H) for name in tensors)
    unet = _under(tensors, UNET)
    parts = {
        "unet": _unet(path, unet, heads_of_64=xl or two),
        "vae": _vae(path, _under(tensors, VAE), scaling=0.13025 if xl else 0.18215),
        "scheduler": Part("EulerDiscreteScheduler", NOISE | _predicts(tensors, v_by_default=two)),
    }
    if xl:
        parts["text_encoder"] = _openai_tower(path, tensors, XL_L)
        parts["text_encoder_2"] = _open_clip_tower(path, _under(tensors, XL_G), XL_G, projects=True)
        return Checkpoint(path, "StableDiffusionXLPipeline", parts)
    tower = _open_clip_tower(path, _under(tensors, CLIP_H), CLIP_H, projects=False) if two else None
    parts["text_encoder"] = tower or _openai_tower(path, tensors, CLIP_L)
    return Checkpoint(path, "StableDiffusionPipeline", parts)


def _predicts(tensors: Tensors, *, v_by_default: bool) -> dict[str, Any]:
    """Newer files say by empty tensors what the network predicts. SD 2 comes in both kinds, most of them predict v."""
    v = v_by_default or "v_pred" in tensors
    zero = "ztsnr" in tensors and v
    return {"prediction_type": "v_prediction" if v else "epsilon", "rescale_betas_zero_snr": zero}


def _unet(path: Path, tensors: Tensors, *, heads_of_64: bool) -> Part:
    """Sizes of the U-Net from its shapes: where the way down halves, a level ends."""
    blocks = _numbers(tensors, r"input_blocks\.(\d+)\.")
    halvings = [number for number in blocks if f"input_blocks.{number}.0.op.weight" in tensors]
    layers = halvings[0] - 1
    levels = len(halvings) + 1
    channels, depths = [], []
    for level in range(levels):
        first = level * (layers + 1) + 1
        channels.append(tensors[f"input_blocks.{first}.0.out_layers.3.weight"].shape[0])
        depths.append(len(_numbers(tensors, rf"input_blocks\.{first}\.1\.transformer_blocks\.(\d+)\.")))
    middle = len(_numbers(tensors, r"middle_block\.1\.transformer_blocks\.(\d+)\."))
    if depths[-1] not in (0, middle):
        raise ValueError("the middle has another depth than the level above it")
    linear = len(tensors["middle_block.1.proj_in.weight"].shape) == 2
    config: dict[str, Any] = {
        "sample_size": {True: 128, False: 64}["label_emb.0.0.weight" in tensors],
        "in_channels": tensors["input_blocks.0.0.weight"].shape[1],
        "out_channels": tensors["out.2.weight"].shape[0],
        "block_out_channels": channels,
        "layers_per_block": layers,
        "down_block_types": ["CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in depths],
        "up_block_types": ["CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(depths)],
        "transformer_layers_per_block": [depth or 1 for depth in depths[:-1]] + [middle],
        "attention_head_dim": [max(size // HEAD, 1) for size in channels] if heads_of_64 else 8,
        "cross_attention_dim": tensors["middle_block.1.transformer_blocks.0.attn2.to_k.weight"].shape[1],
        "use_linear_projection": linear,
    }
    if "label_emb.0.0.weight" in tensors:
        pooled_and_sizes = tensors["label_emb.0.0.weight"].shape[1]
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": pooled_and_sizes,
        }
    rename = partial(unet_of_one_file, layers=layers)
    return Part("UNet2DConditionModel", config, (path,), _restored(tensors, UNET), rename)


def _vae(path: Path, tensors: Tensors, *, scaling: float) -> Part:
    if not tensors:
        raise ValueError("there is no autoencoder in it")
    levels = _numbers(tensors, r"encoder\.down\.(\d+)\.")
    config = {
        "block_out_channels": [tensors[f"encoder.down.{level}.block.0.conv2.weight"].shape[0] for level in levels],
        "layers_per_block": len(_numbers(tensors, r"encoder\.down\.0\.block\.(\d+)\.")),
        "latent_channels": tensors["decoder.conv_in.weight"].shape[1],
        "scaling_factor": scaling,
    }
    rename = partial(vae_of_one_file, levels=len(levels))
    return Part("AutoencoderKL", config, (path,), _restored(tensors, VAE), rename)


def _openai_tower(path: Path, tensors: Tensors, prefix: str) -> Part:
    own = _under(tensors, f"{prefix}text_model.")
    width = own["embeddings.token_embedding.weight"].shape[1]
    config = _tower(own, width, len(_numbers(own, r"encoder\.layers\.(\d+)\.")), "encoder.layers.0.mlp.fc1.weight")

    def rename(name: str) -> str | None:
        return name.removeprefix(f"{prefix}text_model.")

    kept = _restored(own, f"{prefix}text_model.")
    return Part("CLIPTextModel", config | {"hidden_act": "quick_gelu"}, (path,), kept, rename)


def _open_clip_tower(path: Path, tensors: Tensors, prefix: str, *, projects: bool) -> Part:
    """SD 2 was trained on the states before the last layer, with the last norm behind them: one layer less."""
    width = tensors["token_embedding.weight"].shape[1]
    layers = len(_numbers(tensors, r"transformer\.resblocks\.(\d+)\.")) - (0 if projects else 1)
    config = _tower(tensors, width, layers, "transformer.resblocks.0.mlp.c_fc.weight") | {"hidden_act": "gelu"}
    if projects:
        config["projection_dim"] = tensors["text_projection"].shape[1]

    def rename(name: str) -> str | Fused | Turned | None:
        return open_clip(name.removeprefix(prefix), layers, projects=projects)

    kind = "CLIPTextModelWithProjection" if projects else "CLIPTextModel"
    return Part(kind, config, (path,), _restored(tensors, prefix), rename, pad="!")


def _tower(tensors: Tensors, width: int, layers: int, wide: str) -> dict[str, Any]:
    place = "positional_embedding" if "positional_embedding" in tensors else "embeddings.position_embedding.weight"
    words = "token_embedding.weight" if "token_embedding.weight" in tensors else "embeddings.token_embedding.weight"
    return {
        "hidden_size": width,
        "vocab_size": tensors[words].shape[0],
        "num_hidden_layers": layers,
        "num_attention_heads": max(width // HEAD, 1),
        "intermediate_size": tensors[wide].shape[0],
        "max_position_embeddings": tensors[place].shape[0],
        "projection_dim": width,
    }


def _guess(tensors: Tensors) -> str:
    """What the file seems to be instead."""
    names = list(tensors)
    if any("lora" in name for name in names):
        return "it is a LoRA, which is given with --lora beside a model"
    if any(name.startswith(("encoder.", "decoder.", VAE)) for name in names):
        return "it is an autoencoder alone"
    if any("double_blocks." in name or "joint_blocks." in name for name in names):
        return "a FLUX or SD 3 transformer alone; its text encoders and autoencoder are in other files"
    return f"none of its {len(names)} tensors has a name of Stable Diffusion"


def _under(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): info for name, info in tensors.items() if name.startswith(prefix)}


def _restored(tensors: Tensors, prefix: str) -> Tensors:
    return {prefix + name: info for name, info in tensors.items()}


def _numbers(names: Iterable[str], pattern: str) -> list[int]:
    compiled = re.compile(pattern)
    found = sorted({int(match[1]) for match in map(compiled.match, names) if match})
    if found != list(range(len(found))) and found != list(range(1, len(found) + 1)):
        raise ValueError(f"blocks are missing among {pattern}")
    return found
