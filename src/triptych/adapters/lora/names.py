"""What the layers of a network are called elsewhere: in Kohya's files, in ComfyUI's, and in the original checkpoints.

The networks here have the parameter names of diffusers and transformers. From a network's own names follows a table of
every other name that a LoRA file may use for the same layer; a name is looked up with dots as underscores, since Kohya
writes it so. One original layer may be several here (fused q, k, v). Knows names alone, no tensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

PREFIXES = (
    "base_model_model_", "lora_unet_", "lora_transformer_", "lora_prior_unet_", "lycoris_", "lora_",
    "model_diffusion_model_", "diffusion_model_", "transformer_", "unet_", "model_", "prior_",
)  # fmt: skip
"""What tools put before a layer's name; more than one may stand there."""
_TEXT = re.compile(
    r"^(?:base_model_model_)?(?:lora_te\d?_|text_encoder|te\d?_text_model|conditioner_|cond_stage_model_)"
)


@dataclass(frozen=True)
class Place:
    """The layers here that one name stands for, their outputs one after the other.

    halves_swapped: the original has shift before scale where diffusers has scale before shift.
    """

    layers: tuple[str, ...]
    halves_swapped: bool = False


def flat(name: str) -> str:
    """A name with underscores for dots, without the wrapper of old diffusers' attention processors."""
    plain = re.sub(r"[.]", "_", name)
    return re.sub(r"_processor_(?!qkv|proj)", "_", plain)


def is_of_text_encoder(name: str) -> bool:
    """Whether the name is of a layer of a text encoder, which no painter here has for its own."""
    return bool(_TEXT.match(flat(name)))


class Names:
    """All names of the layers of one network. layers: its linear and convolution layers, by their own names."""

    def __init__(self, layers: Iterable[str]) -> None:
        own = list(layers)
        self._places: dict[str, Place] = {}
        for name in own:
            self._places[flat(name)] = Place((name,))
        for name in own:
            if name.endswith(".to_out.0"):
                self._places.setdefault(flat(name.removesuffix(".0")), Place((name,)))
        known = set(own)
        for name, place in (*_flux(own), *_stable_diffusion(own)):
            if known.issuperset(place.layers):
                self._places.setdefault(flat(name), place)

    def find(self, name: str) -> Place | None:
        """The layers that `name` stands for, or None."""
        plain = flat(name)
        while plain not in self._places:
            prefix = next((prefix for prefix in PREFIXES if plain.startswith(prefix)), None)
            if prefix is None:
                return None
            plain = plain.removeprefix(prefix)
        return self._places[plain]


_DOUBLE = {
    "img_attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "processor.qkv_lora1": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "processor.qkv_lora2": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "img_attn.proj": ("attn.to_out.0",),
    "txt_attn.proj": ("attn.to_add_out",),
    "processor.proj_lora1": ("attn.to_out.0",),
    "processor.proj_lora2": ("attn.to_add_out",),
    "img_mlp.0": ("ff.linear_in",),
    "img_mlp.2": ("ff.linear_out",),
    "txt_mlp.0": ("ff_context.linear_in",),
    "txt_mlp.2": ("ff_context.linear_out",),
}
_SINGLE = {"linear1": "attn.to_qkv_mlp_proj", "linear2": "attn.to_out"}
_AROUND = {
    "img_in": "x_embedder",
    "txt_in": "context_embedder",
    "time_in.in_layer": "time_guidance_embed.timestep_embedder.linear_1",
    "time_in.out_layer": "time_guidance_embed.timestep_embedder.linear_2",
    "guidance_in.in_layer": "time_guidance_embed.guidance_embedder.linear_1",
    "guidance_in.out_layer": "time_guidance_embed.guidance_embedder.linear_2",
    "final_layer.linear": "proj_out",
    "single_stream_modulation.lin": "single_stream_modulation.linear",
    "double_stream_modulation_img.lin": "double_stream_modulation_img.linear",
    "double_stream_modulation_txt.lin": "double_stream_modulation_txt.linear",
}


def _flux(own: list[str]) -> Iterator[tuple[str, Place]]:
    """Black Forest Labs' names of FLUX.2's layers."""
    for number in _numbers(own, r"transformer_blocks\.(\d+)\.attn\.add_q_proj"):
        for theirs, ours in _DOUBLE.items():
            layers = tuple(f"transformer_blocks.{number}.{name}" for name in ours)
            yield f"double_blocks.{number}.{theirs}", Place(layers)
    for number in _numbers(own, r"single_transformer_blocks\.(\d+)\."):
        for theirs, ours in _SINGLE.items():
            yield f"single_blocks.{number}.{theirs}", Place((f"single_transformer_blocks.{number}.{ours}",))
    for theirs, ours in _AROUND.items():
        yield theirs, Place((ours,))
    yield "final_layer.adaLN_modulation.1", Place(("norm_out.linear",), halves_swapped=True)


_RESNET = {
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_UNET_AROUND = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "input_blocks.0.0": "conv_in",
    "out.2": "conv_out",
}


def _stable_diffusion(own: list[str]) -> Iterator[tuple[str, Place]]:
    """The original names of Stable Diffusion's layers (ComfyUI, Kohya's SDXL): blocks count through all levels."""
    downs = _numbers(own, r"down_blocks\.(\d+)\.resnets\.")
    if not downs:
        return
    per_level = len(_numbers(own, r"down_blocks\.0\.resnets\.(\d+)\."))
    for level in downs:
        for place in range(per_level):
            theirs, ours = f"input_blocks.{level * (per_level + 1) + place + 1}", f"down_blocks.{level}"
            yield from _block(
                own, f"{theirs}.0", f"{ours}.resnets.{place}", f"{theirs}.1", f"{ours}.attentions.{place}"
            )
        after = (level + 1) * (per_level + 1)
        yield f"input_blocks.{after}.0.op", Place((f"down_blocks.{level}.downsamplers.0.conv",))
    yield from _block(own, "middle_block.0", "mid_block.resnets.0", "middle_block.1", "mid_block.attentions.0")
    yield from _block(own, "middle_block.2", "mid_block.resnets.1", "", "")
    for level in _numbers(own, r"up_blocks\.(\d+)\.resnets\."):
        ours = f"up_blocks.{level}"
        attends = any(name.startswith(f"{ours}.attentions.") for name in own)
        for place in range(per_level + 1):
            theirs = f"output_blocks.{level * (per_level + 1) + place}"
            yield from _block(
                own, f"{theirs}.0", f"{ours}.resnets.{place}", f"{theirs}.1", f"{ours}.attentions.{place}"
            )
        last = f"output_blocks.{level * (per_level + 1) + per_level}.{2 if attends else 1}.conv"
        yield last, Place((f"{ours}.upsamplers.0.conv",))
    for theirs, ours in _UNET_AROUND.items():
        yield theirs, Place((ours,))


def _block(
    own: list[str], resnet: str, our_resnet: str, transformer: str, our_transformer: str
) -> Iterator[tuple[str, Place]]:
    """A residual block and the transformer behind it, whose layers have the same names within."""
    for theirs, ours in _RESNET.items():
        yield f"{resnet}.{theirs}", Place((f"{our_resnet}.{ours}",))
    if our_transformer:
        for name in own:
            if name.startswith(f"{our_transformer}."):
                yield f"{transformer}{name.removeprefix(our_transformer)}", Place((name,))


def _numbers(names: list[str], pattern: str) -> list[int]:
    """The different numbers that the pattern finds at the beginning of the names."""
    compiled = re.compile(pattern)
    return sorted({int(match[1]) for match in map(compiled.match, names) if match})
