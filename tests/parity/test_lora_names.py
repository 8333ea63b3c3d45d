"""LoRA files of other tools, converted by diffusers and read by us: the same weights for the same layers."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from triptych.adapters.lora import layers_of, match
from triptych.adapters.lora.file import LoraFile
from triptych.families.diffusion.unet import UNet, UNetConfig
from triptych.families.flow.mmdit import MMDiT, MMDiTConfig

conversion = pytest.importorskip("diffusers.loaders.lora_conversion_utils")

RANK = 4
FLUX = MMDiTConfig(
    in_channels=8, out_channels=8, num_layers=2, num_single_layers=2, attention_head_dim=8, num_attention_heads=2,
    joint_attention_dim=12, timestep_guidance_channels=8, axes_dims_rope=(2, 2, 2, 2), guidance_embeds=True,
)  # fmt: skip
SDXL = UNetConfig(
    block_out_channels=(8, 16, 16), layers_per_block=2, cross_attention=(False, True, True),
    transformer_layers=(1, 2, 3), heads=(2, 2, 2), cross_attention_dim=12, use_linear_projection=True,
    norm_num_groups=4, addition_time_embed_dim=4, projection_class_embeddings_input_dim=36,
)  # fmt: skip


def deltas(network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    found = match(layers_of(network), LoraFile("some.safetensors", "0" * 64, tensors))
    assert found.report.whole, found.report.sentence()
    return {name: terms[0].delta() for name, terms in found.terms.items()}


def converted(tensors: dict[str, Tensor], prefix: str, alphas: dict[str, float] | None = None) -> dict[str, Tensor]:
    """What diffusers made of a file, as scale B A by layer name."""
    made: dict[str, Tensor] = {}
    for key, down in tensors.items():
        for first, second in ((".lora_A.weight", ".lora_B.weight"), (".lora.down.weight", ".lora.up.weight")):
            if not key.endswith(first):
                continue
            name, up = key.removesuffix(first), tensors[key.removesuffix(first) + second]
            scale = (alphas or {}).get(f"{name}.alpha", RANK) / RANK
            delta = (up.flatten(1) @ down.flatten(1)).view(len(up), *down.shape[1:])
            made[name.removeprefix(prefix)] = scale * delta
    return made


def same(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    for name, delta in ours.items():
        torch.testing.assert_close(delta, theirs[name].view(delta.shape), rtol=1e-5, atol=1e-6, msg=name)


def flux_layers() -> dict[str, tuple[int, int]]:
    """The original FLUX.2's names with the sizes (out, in) that belong to FLUX above."""
    C, hidden, text = FLUX.width, FLUX.mlp_hidden, FLUX.joint_attention_dim
    layers = {"img_in": (C, 8), "txt_in": (C, text), "time_in.in_layer": (C, 8), "time_in.out_layer": (C, C)}
    for block in range(FLUX.num_layers):
        for side in ("img", "txt"):
            start = f"double_blocks.{block}.{side}"
            layers |= {f"{start}_attn.qkv": (3 * C, C), f"{start}_attn.proj": (C, C)}
            layers |= {f"{start}_mlp.0": (2 * hidden, C), f"{start}_mlp.2": (C, hidden)}
    for block in range(FLUX.num_single_layers):
        layers[f"single_blocks.{block}.linear1"] = (3 * C + 2 * hidden, C)
        layers[f"single_blocks.{block}.linear2"] = (C, C + hidden)
    return layers | {"final_layer.linear": (8, C)}


def halves(rows: int, columns: int, place: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(place)
    return torch.randn(RANK, columns, generator=generator), torch.randn(rows, RANK, generator=generator)


def test_flux_2_in_the_names_of_black_forest_labs() -> None:
    tensors: dict[str, Tensor] = {}
    for place, (name, (rows, columns)) in enumerate(flux_layers().items()):
        down, up = halves(rows, columns, place)
        tensors |= {f"diffusion_model.{name}.lora_A.weight": down, f"diffusion_model.{name}.lora_B.weight": up}
    ours = deltas(MMDiT(FLUX), tensors)
    theirs = conversion._convert_non_diffusers_flux2_lora_to_diffusers(dict(tensors))
    same(ours, converted(theirs, "transformer."))


def test_flux_2_in_kohyas_names_with_alpha() -> None:
    tensors: dict[str, Tensor] = {}
    for place, (name, (rows, columns)) in enumerate(flux_layers().items()):
        down, up = halves(rows, columns, place)
        key = f"lora_unet_{name.replace('.', '_')}"
        tensors |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up, f"{key}.alpha": torch.tensor(2.0)}
    ours = deltas(MMDiT(FLUX), tensors)
    theirs = conversion._convert_kohya_flux2_lora_to_diffusers(dict(tensors))
    same(ours, converted(theirs, "transformer."))


SDXL_ATTENTION = [
    "input_blocks_4_1_proj_in",
    "input_blocks_4_1_transformer_blocks_0_attn1_to_q",
    "input_blocks_5_1_transformer_blocks_1_ff_net_0_proj",
    "input_blocks_8_1_transformer_blocks_2_attn2_to_out_0",
    "middle_block_1_transformer_blocks_0_attn1_to_v",
    "output_blocks_0_1_transformer_blocks_1_attn1_to_k",
    "output_blocks_2_1_transformer_blocks_2_attn1_to_k",
    "output_blocks_5_1_transformer_blocks_0_attn2_to_q",
]
SDXL_RESIDUAL = [
    "input_blocks_1_0_in_layers_2",
    "input_blocks_4_0_skip_connection",
    "input_blocks_7_0_out_layers_3",
    "middle_block_0_emb_layers_1",
    "middle_block_2_in_layers_2",
    "output_blocks_1_0_in_layers_2",
    "output_blocks_8_0_out_layers_3",
]


@pytest.mark.parametrize("names", [SDXL_ATTENTION, SDXL_RESIDUAL], ids=["attention", "residual"])
def test_sdxl_in_kohyas_names(names: list[str]) -> None:
    """The names are SDXL's; the shapes follow from where diffusers says that each of them belongs."""
    network = UNet(SDXL)
    layers = layers_of(network)
    config = SimpleNamespace(layers_per_block=2)
    dummies: dict[str, Tensor] = {}
    for name in names:
        key = f"lora_unet_{name}"
        four = (1, 1) if name in SDXL_RESIDUAL and "emb" not in name else ()
        dummies |= {f"{key}.lora_down.weight": torch.ones(RANK, 1, *four), f"{key}.lora_up.weight": torch.ones(1, RANK)}
        dummies[f"{key}.alpha"] = torch.tensor(1.0)
    mapped = conversion._maybe_map_sgm_blocks_to_diffusers(dict(dummies), config)
    their_names, _ = conversion._convert_non_diffusers_lora_to_diffusers(mapped)
    wanted = sorted(layer_of(key) for key in their_names if key.endswith("down.weight"))
    assert len(wanted) == len(names)
    assert layers.keys() >= set(wanted)

    tensors: dict[str, Tensor] = {}
    for place, name in enumerate(names):
        layer = layers[match_name(network, f"lora_unet_{name}")]
        rows, columns, *kernel = layer.weight.shape
        generator = torch.Generator().manual_seed(place)
        tensors[f"lora_unet_{name}.lora_down.weight"] = torch.randn(RANK, columns, *kernel, generator=generator)
        tensors[f"lora_unet_{name}.lora_up.weight"] = torch.randn(rows, RANK, generator=generator)
    assert sorted(deltas(network, tensors)) == wanted


def layer_of(key: str) -> str:
    """The layer behind a key that diffusers made, whose attention keys still name the processors of old."""
    name = key.removeprefix("unet.").removesuffix(".lora.down.weight").removesuffix("_lora.down.weight")
    name = name.replace(".processor", "")
    return f"{name}.0" if name.endswith(".to_out") else name


def match_name(network: nn.Module, name: str) -> str:
    from triptych.adapters.lora.names import Names

    place = Names(layers_of(network)).find(name)
    assert place is not None, name
    return place.layers[0]
