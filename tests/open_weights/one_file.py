"""Writes a diffusers folder as one file under the original names: the inverse of `open_weights.renames`.

A wrong name there would be wrong here too, so the file is also read by diffusers' own `from_single_file`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from triptych.open_weights.renames import (
    _OPEN_CLIP,
    _OPEN_CLIP_AROUND,
    _UNET_AROUND,
    _UNET_RESNET,
    _VAE_ATTENTION,
    unet_of_one_file,
    vae_of_one_file,
)
from triptych.open_weights.single import CLIP_H, CLIP_L, UNET, VAE, XL_G, XL_L

LEAVES = ("weight", "bias")


def write_one_file(folder: Path, path: Path, kind: str) -> Path:
    """kind: sd1, sd2 or sdxl."""
    unet = weights(folder / "unet")
    attended = {
        name[: name.index(".attentions")] for name in unet if name.startswith("up_blocks") and ".attent" in name
    }
    found = inverted(unet, unet_candidates(unet, attended), lambda name: unet_of_one_file(name, layers=2), UNET)
    vae = weights(folder / "vae")
    found |= inverted(vae, vae_candidates(), lambda name: vae_of_one_file(name, levels=4), VAE)
    for name in list(found):
        if re.fullmatch(rf"{VAE}(en|de)coder\.mid\.attn_1\.(q|k|v|proj_out)\.weight", name):
            found[name] = found[name][:, :, None, None]
    if kind == "sd2":
        found |= open_clip(weights(folder / "text_encoder"), CLIP_H, spare=True)
    else:
        tower = weights(folder / "text_encoder")
        found |= {f"{CLIP_L if kind == 'sd1' else XL_L}{prefixed(name)}": one for name, one in tower.items()}
    if kind == "sdxl":
        found |= open_clip(weights(folder / "text_encoder_2"), XL_G, spare=False)
    save_file({name: one.contiguous() for name, one in found.items()}, path)
    return path


def weights(folder: Path) -> dict[str, Tensor]:
    return load_file(next(folder.glob("*.safetensors")))


def prefixed(name: str) -> str:
    return name if name.startswith("text_model.") else f"text_model.{name}"


def inverted(
    own: dict[str, Tensor], candidates: Iterator[str], rename: Callable[[str], str | None], prefix: str
) -> dict[str, Tensor]:
    places = {rename(name): name for name in candidates}
    return {prefix + places[name]: tensor for name, tensor in own.items()}


def unet_candidates(own: dict[str, Tensor], attended: set[str]) -> Iterator[str]:
    inside = {re.sub(r"^.*attentions\.\d+\.", "", name) for name in own if ".attentions." in name}
    for leaf in LEAVES:
        for stem in _UNET_AROUND:
            yield f"{stem}.{leaf}"
        for number in range(13):
            yield f"input_blocks.{number}.0.op.{leaf}"
            place = 2 if f"up_blocks.{number // 3}" in attended else 1
            yield f"output_blocks.{number}.{place}.conv.{leaf}"
            for stem in _UNET_RESNET:
                yield f"input_blocks.{number}.0.{stem}.{leaf}"
                yield f"output_blocks.{number}.0.{stem}.{leaf}"
                yield f"middle_block.{number}.{stem}.{leaf}"
    for rest in inside:
        yield f"middle_block.1.{rest}"
        for number in range(13):
            yield f"input_blocks.{number}.1.{rest}"
            yield f"output_blocks.{number}.1.{rest}"


def vae_candidates() -> Iterator[str]:
    blocks = [f"block.{number}" for number in range(4)]
    for leaf in LEAVES:
        for side, way in (("encoder", "down"), ("decoder", "up")):
            for stem in ("conv_in", "conv_out", "norm_out", *(f"mid.attn_1.{each}" for each in _VAE_ATTENTION)):
                yield f"{side}.{stem}.{leaf}"
            homes = [f"mid.block_{number}" for number in (1, 2)]
            homes += [f"{way}.{level}.{block}" for level in range(4) for block in blocks]
            for home in homes:
                for stem in ("norm1", "conv1", "norm2", "conv2", "nin_shortcut"):
                    yield f"{side}.{home}.{stem}.{leaf}"
            for level in range(4):
                yield f"{side}.{way}.{level}.{'downsample' if way == 'down' else 'upsample'}.conv.{leaf}"
        yield f"quant_conv.{leaf}"
        yield f"post_quant_conv.{leaf}"


def open_clip(own: dict[str, Tensor], prefix: str, *, spare: bool) -> dict[str, Tensor]:
    """spare: one more layer than is used, as in Stable Diffusion 2's files."""
    own = {name.removeprefix("text_model."): tensor for name, tensor in own.items()}
    found = {theirs: own[ours] for theirs, ours in _OPEN_CLIP_AROUND.items()}
    width = own["final_layer_norm.bias"].shape[0]
    found["text_projection"] = (
        own["text_projection.weight"].t() if "text_projection.weight" in own else torch.eye(width)
    )
    found["logit_scale"] = torch.ones(())
    layers = 1 + max(int(match[1]) for match in (re.match(r"encoder\.layers\.(\d+)\.", name) for name in own) if match)
    for number in range(layers):
        theirs, ours = f"transformer.resblocks.{number}", f"encoder.layers.{number}"
        for leaf in LEAVES:
            for stem, name in _OPEN_CLIP.items():
                found[f"{theirs}.{stem}.{leaf}"] = own[f"{ours}.{name}.{leaf}"]
            heads = [own[f"{ours}.self_attn.{each}_proj.{leaf}"] for each in "qkv"]
            found[f"{theirs}.attn.in_proj_{leaf}"] = torch.cat(heads)
    if spare:
        for name in [name for name in found if name.startswith(f"transformer.resblocks.{layers - 1}.")]:
            found[name.replace(f".{layers - 1}.", f".{layers}.", 1)] = torch.zeros_like(found[name])
    return {prefix + name: tensor for name, tensor in found.items()}
