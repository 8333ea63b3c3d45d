"""The U-Net is diffusers' `UNet2DConditionModel`: same parameter names, same numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from triptych.core.errors import FileProblem
from triptych.families.diffusion.unet import TextTime, UNet, UNetConfig

diffusers = pytest.importorskip("diffusers")

TOLERANCE = 1e-4

SD15: dict[str, Any] = {
    "in_channels": 4,
    "out_channels": 4,
    "block_out_channels": (32, 64, 64),
    "layers_per_block": 2,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "attention_head_dim": 8,
    "cross_attention_dim": 48,
}
SD2 = SD15 | {
    "block_out_channels": (64, 128, 256, 256),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "attention_head_dim": (2, 4, 8, 8),
    "use_linear_projection": True,
    "layers_per_block": 1,
}
SDXL = SD15 | {
    "block_out_channels": (32, 64, 96),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "attention_head_dim": (1, 2, 3),
    "transformer_layers_per_block": (1, 2, 3),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 16,
    "projection_class_embeddings_input_dim": 24 + 6 * 16,
}
ODD_SCALING = SD15 | {"in_channels": 9, "out_channels": 8, "flip_sin_to_cos": False, "freq_shift": 1}

STYLES = {"sd15": SD15, "sd2": SD2, "sdxl": SDXL, "inpainting channels, other time scaling": ODD_SCALING}


def both(options: dict[str, Any]) -> tuple[torch.nn.Module, UNet]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = diffusers.UNet2DConditionModel(**options).eval()
        for parameter in theirs.parameters():  # norms and biases too: fresh ones would hide a swap
            parameter.data.add_(0.02 * torch.randn_like(parameter))
    ours = UNet(UNetConfig.from_diffusers(theirs.config)).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, ours


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [(16, 16), (18, 23)], ids=["square", "not divisible"])
def test_equals_the_reference(style: str, size: tuple[int, int]) -> None:
    options = STYLES[style]
    theirs, ours = both(options)
    noise = torch.Generator().manual_seed(1)
    x = torch.randn(2, options["in_channels"], *size, generator=noise)
    t = torch.tensor([3, 940])
    text = torch.randn(2, 7, options["cross_attention_dim"], generator=noise)
    added, their_added = None, {}
    if "addition_embed_type" in options:
        added = TextTime(torch.randn(2, 24, generator=noise), torch.tensor([[512, 512, 0, 0, 512, 512]] * 2))
        their_added = {"added_cond_kwargs": {"text_embeds": added.pooled, "time_ids": added.sizes}}
    with torch.no_grad():
        expected = theirs(x, t, text, **their_added).sample
        got = ours(x, t, text, added=added)
    assert got.shape == expected.shape
    assert (got - expected).abs().max() <= TOLERANCE
    assert expected.std() > 0.05, "the comparison means nothing on an output near zero"


def test_text_mask_equals_the_reference() -> None:
    theirs, ours = both(SD15)
    noise = torch.Generator().manual_seed(1)
    x, text = torch.randn(2, 4, 16, 16, generator=noise), torch.randn(2, 7, 48, generator=noise)
    t, mask = torch.tensor([3, 940]), torch.arange(7)[None] < torch.tensor([[4], [7]])
    with torch.no_grad():
        expected = theirs(x, t, text, encoder_attention_mask=mask).sample
        got = ours(x, t, text, text_mask=mask)
    assert (got - expected).abs().max() <= TOLERANCE


SD15_FULL = {
    "block_out_channels": (320, 640, 1280, 1280),
    "down_block_types": ("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    "up_block_types": ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
    "cross_attention_dim": 768,
    "attention_head_dim": 8,
}
SD21_FULL = SD15_FULL | {
    "cross_attention_dim": 1024,
    "attention_head_dim": (5, 10, 20, 20),
    "use_linear_projection": True,
}
SDXL_FULL = {
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "cross_attention_dim": 2048,
    "attention_head_dim": (5, 10, 20),
    "transformer_layers_per_block": (1, 2, 10),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


@pytest.mark.parametrize(
    ("options", "parameters"),
    [(SD15_FULL, 859_520_964), (SD21_FULL, 865_910_724), (SDXL_FULL, 2_567_463_684)],
    ids=["1.5", "2.1", "xl"],
)
def test_published_sizes_have_the_reference_parameters(options: dict[str, Any], parameters: int) -> None:
    with torch.device("meta"):
        theirs = diffusers.UNet2DConditionModel(**options)
        ours = UNet(UNetConfig.from_diffusers(theirs.config))
    names = {name: value.shape for name, value in ours.state_dict().items()}
    assert names == {name: value.shape for name, value in theirs.state_dict().items()}
    assert sum(p.numel() for p in ours.parameters()) == parameters


def test_refuses_a_configuration_of_another_kind() -> None:
    with pytest.raises(FileProblem, match="class_embed_type"):
        UNetConfig.from_diffusers(SD15 | {"class_embed_type": "timestep"})
    with pytest.raises(FileProblem, match="way up"):
        UNetConfig.from_diffusers(SD15 | {"up_block_types": ("UpBlock2D",) * 3})
