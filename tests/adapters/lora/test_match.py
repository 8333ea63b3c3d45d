"""Every tool's names against networks of real structure, and the account of what does not fit."""

from __future__ import annotations

import pytest
import torch
from tests.adapters.lora.making import RANK, kohya, named, pairs_for, peft
from torch import Tensor, nn

from triptych.adapters.lora import layers_of, match
from triptych.adapters.lora.file import LoraFile
from triptych.core.errors import InvalidRequest
from triptych.families.autoregressive.decoder import Decoder, DecoderConfig
from triptych.families.diffusion.unet import UNet, UNetConfig
from triptych.families.flow.mmdit import MMDiT, MMDiTConfig


def flux() -> MMDiT:
    return MMDiT(
        MMDiTConfig(
            in_channels=8, out_channels=8, num_layers=2, num_single_layers=2, attention_head_dim=8,
            num_attention_heads=2, joint_attention_dim=12, timestep_guidance_channels=8, axes_dims_rope=(2, 2, 2, 2),
        )
    )  # fmt: skip


def unet() -> UNet:
    return UNet(
        UNetConfig(
            block_out_channels=(8, 16, 16), layers_per_block=2, cross_attention=(True, True, False),
            transformer_layers=(1, 2, 1), heads=(2, 2, 2), cross_attention_dim=12, norm_num_groups=4,
        )
    )  # fmt: skip


def decoder() -> Decoder:
    return Decoder(DecoderConfig(11, 16, 2, 2, 2, 24, 12, 16, (2, 2)))


def made(tensors: dict[str, Tensor]) -> LoraFile:
    return LoraFile("some.safetensors", "0" * 64, tensors)


def deltas(network: nn.Module, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    found = match(layers_of(network), made(tensors))
    assert found.report.whole, found.report.sentence()
    return {name: sum((term.delta() for term in terms), torch.zeros(())) for name, terms in found.terms.items()}


def expected(network: nn.Module) -> dict[str, Tensor]:
    """B A of every layer, by hand."""
    return {
        name: (up.flatten(1) @ down.flatten(1)).view(len(up), *down.shape[1:])
        for name, (down, up) in pairs_for(network).items()
    }


@pytest.mark.parametrize("network", [flux(), unet(), decoder()], ids=["flux", "unet", "decoder"])
@pytest.mark.parametrize(
    "style",
    [peft(""), peft("transformer."), peft("unet."), peft("base_model.model."), peft("diffusion_model."),
     kohya("lora_unet_"), kohya("lora_transformer_"), kohya("lycoris_")],
    ids=["bare", "transformer", "unet", "peft", "comfyui", "kohya", "kohya-transformer", "lycoris"],
)  # fmt: skip
def test_every_layer_is_found_under_its_own_name(network: nn.Module, style: object) -> None:
    got, wanted = deltas(network, named(pairs_for(network), style)), expected(network)  # type: ignore[arg-type]
    assert got.keys() == wanted.keys()
    for name, delta in got.items():
        torch.testing.assert_close(delta, wanted[name], msg=name)


def test_fused_projections_of_the_original_flux_are_cut_into_ours() -> None:
    network = flux()
    down, up = torch.randn(RANK, 16), torch.randn(48, RANK)
    for key in ("double_blocks.1.txt_attn.qkv", "diffusion_model.double_blocks.1.txt_attn.qkv"):
        got = deltas(network, {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up})
        names = [f"transformer_blocks.1.attn.{part}" for part in ("add_q_proj", "add_k_proj", "add_v_proj")]
        assert list(got) == names
        torch.testing.assert_close(torch.cat([got[name] for name in names]), up @ down)


def test_the_last_modulation_of_the_original_flux_has_its_halves_swapped() -> None:
    """diffusers keeps scale before shift there, Black Forest Labs shift before scale."""
    down, up = torch.randn(RANK, 16), torch.randn(32, RANK)
    key = "lora_unet_final_layer_adaLN_modulation_1"
    got = deltas(flux(), {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up})["norm_out.linear"]
    torch.testing.assert_close(got, torch.cat((up[16:], up[:16])) @ down)


def test_linear_and_1x1_kernels_stand_for_each_other() -> None:
    network = unet()  # its transformers project with 1x1 convolutions, as SD 1.5 does
    key = "unet.mid_block.attentions.0.proj_in"
    down, up = torch.randn(RANK, 16), torch.randn(16, RANK)
    got = deltas(network, {f"{key}.lora_A.weight": down, f"{key}.lora_B.weight": up})
    torch.testing.assert_close(got[key.removeprefix("unet.")][:, :, 0, 0], up @ down)


def test_old_diffusers_processors_are_understood() -> None:
    key = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.processor.to_out_lora"
    down, up = torch.randn(RANK, 16), torch.randn(16, RANK)
    got = deltas(unet(), {f"{key}.down.weight": down, f"{key}.up.weight": up})
    assert list(got) == ["mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0"]


def test_the_report_names_all_that_does_not_fit() -> None:
    network = unet()
    tensors = named(pairs_for(network), peft("unet."))
    small = torch.ones(RANK, 5)
    tensors |= named({"lora_te1_text_model_encoder_layers_0_mlp_fc1": (small, small.T)}, kohya(""))
    tensors |= named({"nowhere.at.all": (small, small.T)}, peft(""))
    tensors |= named({"conv_in": (torch.ones(RANK, 4, 5, 5), torch.ones(8, RANK, 1, 1))}, peft("unet."))
    report = match(layers_of(network), made(tensors | {"emb": small})).report
    assert not report.whole
    assert (len(report.matched), report.of_network) == (len(pairs_for(network)) - 1, len(pairs_for(network)))
    assert report.unmatched == ("nowhere.at.all",)
    assert report.of_text_encoder == ("lora_te1_text_model_encoder_layers_0_mlp_fc1",)
    assert report.rest == ("emb",)
    (one,) = report.mismatched
    assert (one.layer, one.theirs, one.ours) == ("conv_in", (8, 4, 5, 5), (8, 4, 3, 3))
    sentence = report.sentence()
    for word in ("1 of another shape", "1 for a text encoder", "nowhere.at.all", "(emb)"):
        assert word in sentence
    assert report.as_json()["unmatched"] == ["nowhere.at.all"]


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        (
            named(pairs_for(decoder()), peft("base_model.model.")),
            ["none of its 17 layers", "base_model.model.model.layers.0.", "(16x16)", "up_blocks.1.", "(16x16x3x3)"],
        ),
        (
            named({"conv_in": (torch.ones(2, 4, 3, 3), torch.ones(320, 2, 1, 1))}, kohya()),
            ["'lora_unet_conv_in' is for a layer of 320x4x3x3, conv_in has 8x4x3x3"],
        ),
        (
            named({"text_model_encoder_layers_0_fc1": (torch.ones(2, 4), torch.ones(4, 2))}, kohya("lora_te_")),
            ["for a text encoder only"],
        ),
    ],
)
def test_a_lora_of_another_model_is_refused_with_both_sides_named(tensors: dict[str, Tensor], words: list[str]) -> None:
    with pytest.raises(InvalidRequest, match="a LoRA of another model") as caught:
        match(layers_of(unet()), made(tensors))
    assert caught.value.parameter == "loras"
    for word in words:
        assert word in str(caught.value)
