"""Sizes of the built-in flow models, and the defaults that measurement chose for them."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.capabilities import Capabilities, Tier
from triptych.core.inputs import MAX_REFERENCES, PLANNED_ROLES
from triptych.families.flow.mmdit import MMDiTConfig

SAMPLERS = ("euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim", "unipc")
SCHEDULES = ("linear", "shifted", "dynamic")


@dataclass(frozen=True)
class FlowPreset:
    """network: sizes; patch: latents per token side; native_size: pixels it is trained at."""

    network: MMDiTConfig
    patch: int
    native_size: tuple[int, int]
    tiers: dict[str, Tier]


TIERS = {
    "low": Tier(steps=6, guidance=2.0, sampler="euler"),
    "medium": Tier(steps=12, guidance=2.0, sampler="euler"),
    "high": Tier(steps=24, guidance=2.0, sampler="euler"),
}


def _network(text_width: int, *, head: int, heads: int, dual: int, single: int) -> MMDiTConfig:
    """A transformer over 2 x 2 patches of 16-channel latents. The picture's two axes get most of the rotation."""
    own = head // 8
    place = (head - 2 * own) // 2
    return MMDiTConfig(
        in_channels=64,
        out_channels=64,
        num_layers=dual,
        num_single_layers=single,
        attention_head_dim=head,
        num_attention_heads=heads,
        joint_attention_dim=text_width,
        timestep_guidance_channels=128,
        axes_dims_rope=(own, place, place, own),
        guidance_embeds=False,
    )


def preset_of(name: str, text_width: int) -> FlowPreset:
    """`tiny` (tests), `cpu` (128 px, hours on two cores) or `gpu` (256 px)."""
    if name == "tiny":
        return FlowPreset(_network(text_width, head=16, heads=2, dual=1, single=1), 2, (64, 64), TIERS)
    if name == "cpu":
        return FlowPreset(_network(text_width, head=32, heads=6, dual=3, single=5), 2, (128, 128), TIERS)
    if name == "gpu":
        return FlowPreset(_network(text_width, head=64, heads=6, dual=4, single=10), 2, (256, 256), TIERS)
    raise KeyError(name)


def capabilities(preset: FlowPreset) -> Capabilities:
    """What a flow model of this preset takes."""
    return Capabilities(
        family="flow",
        native_size=preset.native_size,
        size_multiple=8 * preset.patch,
        samplers=SAMPLERS,
        schedules=SCHEDULES,
        steps_range=(1, 200),
        init=True,
        strength_map=True,
        reference_roles=PLANNED_ROLES,
        max_references=MAX_REFERENCES,
        lora=True,
        regions=True,
        tiers=preset.tiers,
    )
