"""Sizes of the built-in diffusion models, and the defaults that measurement chose for them."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.capabilities import Capabilities, Tier
from triptych.core.inputs import MAX_REFERENCES, PLANNED_ROLES
from triptych.families.diffusion.unet import UNetConfig

SAMPLERS = ("euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim", "unipc")
SCHEDULES = ("trailing", "linspace", "karras")


@dataclass(frozen=True)
class DiffusionPreset:
    """network: sizes; native_size: pixels it is trained at."""

    network: UNetConfig
    native_size: tuple[int, int]
    tiers: dict[str, Tier]


TIERS = {
    "low": Tier(steps=6, guidance=2.0, sampler="dpmpp_2m"),
    "medium": Tier(steps=12, guidance=2.0, sampler="dpmpp_2m"),
    "high": Tier(steps=25, guidance=2.0, sampler="dpmpp_2m"),
}


def _network(text_width: int, channels: tuple[int, ...], heads: tuple[int, ...], groups: int) -> UNetConfig:
    """A U-Net over 16-channel latents; transformers everywhere but on the largest map, where they cost most."""
    levels = len(channels)
    return UNetConfig(
        in_channels=16,
        out_channels=16,
        block_out_channels=channels,
        layers_per_block=1,
        cross_attention=(False, *(True,) * (levels - 1)),
        transformer_layers=(1,) * levels,
        heads=heads,
        cross_attention_dim=text_width,
        use_linear_projection=True,
        norm_num_groups=groups,
    )


def preset_of(name: str, text_width: int) -> DiffusionPreset:
    """`tiny` (tests), `cpu` (128 px, hours on two cores) or `gpu` (256 px)."""
    if name == "tiny":
        return DiffusionPreset(_network(text_width, (32, 64), (2, 4), 8), (64, 64), TIERS)
    if name == "cpu":
        return DiffusionPreset(_network(text_width, (64, 128, 144), (2, 4, 4), 16), (128, 128), TIERS)
    if name == "gpu":
        return DiffusionPreset(_network(text_width, (128, 256, 384), (4, 8, 12), 32), (256, 256), TIERS)
    raise KeyError(name)


def capabilities(preset: DiffusionPreset) -> Capabilities:
    """What a diffusion model of this preset takes."""
    return Capabilities(
        family="diffusion",
        native_size=preset.native_size,
        size_multiple=8 * 2 ** (len(preset.network.block_out_channels) - 1),
        samplers=SAMPLERS,
        schedules=SCHEDULES,
        steps_range=(1, 1000),
        init=True,
        strength_map=True,
        reference_roles=PLANNED_ROLES,
        max_references=MAX_REFERENCES,
        lora=True,
        regions=True,
        tiers=preset.tiers,
    )
