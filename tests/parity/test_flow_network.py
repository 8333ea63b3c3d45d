"""The flow network against diffusers' `Flux2Transformer2DModel` on random weights: names and numbers."""

from __future__ import annotations

from dataclasses import asdict

import pytest
import torch

from triptych.families.flow.mmdit import MMDiT, MMDiTConfig, picture_ids, text_ids

diffusers = pytest.importorskip("diffusers")

TOLERANCE = 1e-4

SMALL = MMDiTConfig(
    in_channels=16,
    out_channels=16,
    num_layers=2,
    num_single_layers=2,
    attention_head_dim=16,
    num_attention_heads=4,
    joint_attention_dim=24,
    timestep_guidance_channels=32,
    mlp_ratio=3.0,
    axes_dims_rope=(4, 4, 4, 4),
    guidance_embeds=False,
)
WIDE = MMDiTConfig(
    in_channels=32,
    out_channels=48,
    num_layers=1,
    num_single_layers=3,
    attention_head_dim=32,
    num_attention_heads=6,
    joint_attention_dim=96,
    timestep_guidance_channels=256,
    mlp_ratio=2.5,
    axes_dims_rope=(4, 10, 10, 8),
    rope_theta=10_000.0,
    eps=1e-5,
    guidance_embeds=True,
)


def pair(config: MMDiTConfig) -> tuple[torch.nn.Module, MMDiT]:
    """The reference with random weights, norms included, and ours with the same ones."""
    reference = diffusers.Flux2Transformer2DModel(**asdict(config)).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in reference.named_parameters():
            if parameter.ndim == 1:
                parameter.copy_(1 + 0.3 * torch.randn(parameter.shape, generator=generator))
            else:
                scale = 0.3 if "modulation" in name else parameter.shape[1] ** -0.5
                parameter.copy_(scale * torch.randn(parameter.shape, generator=generator))
    ours = MMDiT(config).eval()
    ours.load_state_dict(reference.state_dict(), strict=True)
    return reference, ours


def inputs(config: MMDiTConfig, batch: int, height: int, width: int, length: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "x": torch.randn(batch, height * width, config.in_channels, generator=generator),
        "text": torch.randn(batch, length, config.joint_attention_dim, generator=generator),
        "t": torch.rand(batch, generator=generator),
        "img_ids": picture_ids(height, width),
        "txt_ids": text_ids(length),
    }


def reference_forward(
    reference: torch.nn.Module, given: dict[str, torch.Tensor], guidance: torch.Tensor | None = None
) -> torch.Tensor:
    return reference(
        hidden_states=given["x"],
        encoder_hidden_states=given["text"],
        timestep=given["t"],
        img_ids=given["img_ids"],
        txt_ids=given["txt_ids"],
        guidance=guidance,
        return_dict=False,
    )[0]


@pytest.mark.parametrize("config", [SMALL, WIDE], ids=["width 64, 2 + 2", "width 192, 1 + 3"])
@torch.no_grad()
def test_names_and_numbers_are_the_reference_s(config: MMDiTConfig) -> None:
    reference, ours = pair(config)
    given = inputs(config, batch=3, height=6, width=5, length=9)
    guidance = torch.tensor([1.0, 3.5, 7.0]) if config.guidance_embeds else None
    expected = reference_forward(reference, given, guidance)
    found = ours(**given, guidance=guidance)
    assert expected.std() > 0.1
    assert (found - expected).abs().max() <= TOLERANCE


@torch.no_grad()
def test_references_are_told_apart_as_in_the_reference() -> None:
    reference, ours = pair(SMALL)
    given = inputs(SMALL, batch=2, height=4, width=8, length=5)
    given["img_ids"] = torch.cat([picture_ids(4, 4), picture_ids(4, 4, reference=10)])
    found = ours(**given)
    assert (found - reference_forward(reference, given)).abs().max() <= TOLERANCE
    given["img_ids"] = torch.cat([picture_ids(4, 4), picture_ids(4, 4, reference=20)])
    assert (found - ours(**given)).abs().max() > 1e-3


def test_gradients_are_the_reference_s() -> None:
    reference, ours = pair(SMALL)
    given = inputs(SMALL, batch=2, height=4, width=4, length=6)
    reference_forward(reference, given).square().mean().backward()
    ours(**given).square().mean().backward()
    theirs = dict(reference.named_parameters())
    for name, parameter in ours.named_parameters():
        expected = theirs[name].grad
        assert expected is not None, name
        assert parameter.grad is not None, name
        scale = max(1.0, expected.abs().max().item())
        assert (parameter.grad - expected).abs().max() <= TOLERANCE * scale, name
