"""Older and other names of the same tensors, to the names of the networks here. Names alone, no tensor."""

from __future__ import annotations

import re

from triptych.open_weights.found import Fused, Turned

_OLD_ATTENTION = {".query.": ".to_q.", ".key.": ".to_k.", ".value.": ".to_v.", ".proj_attn.": ".to_out.0."}


def vae_of_diffusers(name: str) -> str:
    """Autoencoders saved before diffusers 0.17 call the projections of their attention otherwise."""
    for old, new in _OLD_ATTENTION.items():
        if ".attentions." in name:
            name = name.replace(old, new)
    return name


def clip_name(place: str | Fused | Turned | None, prefix: str) -> str | Fused | Turned | None:
    """A text tower's tensor under the prefix, or none, that the network has; its projection stands outside of both."""
    if isinstance(place, Fused):
        return Fused(tuple(prefix + name.removeprefix("text_model.") for name in place.names))
    if place is None or isinstance(place, Turned) or place.startswith("text_projection."):
        return place
    return prefix + place.removeprefix("text_model.")


_OPEN_CLIP = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_OPEN_CLIP_AROUND = {
    "positional_embedding": "embeddings.position_embedding.weight",
    "token_embedding.weight": "embeddings.token_embedding.weight",
    "ln_final.weight": "final_layer_norm.weight",
    "ln_final.bias": "final_layer_norm.bias",
}


def open_clip(name: str, layers: int, *, projects: bool) -> str | Fused | Turned | None:
    """OpenCLIP's names of a text tower. layers: so many are used; Stable Diffusion 2 leaves the last one out."""
    if name in _OPEN_CLIP_AROUND:
        return _OPEN_CLIP_AROUND[name]
    if name == "text_projection":
        return Turned("text_projection.weight") if projects else None
    match = re.fullmatch(r"transformer\.resblocks\.(\d+)\.(.+)", name)
    if match is None or int(match[1]) >= layers:
        return None
    layer, rest = f"encoder.layers.{match[1]}", match[2]
    if rest in ("attn.in_proj_weight", "attn.in_proj_bias"):
        leaf = rest.removeprefix("attn.in_proj_")
        return Fused(tuple(f"{layer}.self_attn.{each}_proj.{leaf}" for each in "qkv"))
    stem, _, leaf = rest.rpartition(".")
    return f"{layer}.{_OPEN_CLIP.get(stem, stem)}.{leaf}"


_UNET_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_UNET_AROUND = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}


def unet_of_one_file(name: str, layers: int) -> str | None:
    """Stable Diffusion's original names (CompVis, Stability, ComfyUI), where blocks count through all levels.

    layers: residual blocks per level on the way down.
    """
    name = name.removeprefix("model.diffusion_model.")
    stem, _, leaf = name.rpartition(".")
    if stem in _UNET_AROUND:
        return f"{_UNET_AROUND[stem]}.{leaf}"
    if match := re.fullmatch(r"input_blocks\.(\d+)\.(\d)\.(.+)", name):
        number, place, rest = int(match[1]) - 1, match[2], match[3]
        level, within = divmod(number, layers + 1)
        if within == layers:
            return f"down_blocks.{level}.downsamplers.0.conv{rest.removeprefix('op')}"
        return _block(f"down_blocks.{level}", within, place, rest)
    if match := re.fullmatch(r"middle_block\.([012])\.(.+)", name):
        if match[1] == "1":
            return f"mid_block.attentions.0.{match[2]}"
        return _block("mid_block", int(match[1]) // 2, "0", match[2])
    if match := re.fullmatch(r"output_blocks\.(\d+)\.(\d)\.(.+)", name):
        level, within = divmod(int(match[1]), layers + 1)
        if match[3].startswith("conv."):
            return f"up_blocks.{level}.upsamplers.0.{match[3]}"
        return _block(f"up_blocks.{level}", within, match[2], match[3])
    return None


def _block(block: str, within: int, place: str, rest: str) -> str | None:
    if place == "1":
        return f"{block}.attentions.{within}.{rest}"
    stem, _, leaf = rest.rpartition(".")
    return f"{block}.resnets.{within}.{_UNET_RESNET[stem]}.{leaf}" if stem in _UNET_RESNET else None


_VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def vae_of_one_file(name: str, levels: int) -> str | None:
    """The autoencoder's original names; levels: of its sizes."""
    name = name.removeprefix("first_stage_model.")
    name = name.replace("norm_out.", "conv_norm_out.").replace(".nin_shortcut.", ".conv_shortcut.")
    if match := re.fullmatch(r"(encoder|decoder)\.mid\.(block_(\d)|attn_1)\.(.+)", name):
        if match[2] == "attn_1":
            stem, _, leaf = match[4].rpartition(".")
            return f"{match[1]}.mid_block.attentions.0.{_VAE_ATTENTION.get(stem, stem)}.{leaf}"
        return f"{match[1]}.mid_block.resnets.{int(match[3]) - 1}.{match[4]}"
    if match := re.fullmatch(r"encoder\.down\.(\d+)\.(?:block\.(\d+)|downsample)\.(.+)", name):
        if match[2] is None:
            return f"encoder.down_blocks.{match[1]}.downsamplers.0.{match[3]}"
        return f"encoder.down_blocks.{match[1]}.resnets.{match[2]}.{match[3]}"
    if match := re.fullmatch(r"decoder\.up\.(\d+)\.(?:block\.(\d+)|upsample)\.(.+)", name):
        level = levels - 1 - int(match[1])  # the original counts from the smallest map's far end
        if match[2] is None:
            return f"decoder.up_blocks.{level}.upsamplers.0.{match[3]}"
        return f"decoder.up_blocks.{level}.resnets.{match[2]}.{match[3]}"
    return name if name.startswith(("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")) else None
