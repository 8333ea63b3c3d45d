"""Sizes of the built-in token models, and the defaults that measurement chose for them."""

from __future__ import annotations

from dataclasses import dataclass

from triptych.core.capabilities import Capabilities, Tier
from triptych.core.inputs import MAX_REFERENCES, PLANNED_ROLES
from triptych.families.autoregressive.decoder import DecoderConfig


@dataclass(frozen=True)
class TokensPreset:
    """network: sizes; native_size: pixels it is trained at, the only size it makes."""

    network: DecoderConfig
    native_size: tuple[int, int]
    tiers: dict[str, Tier]


TIERS = {"low": Tier(guidance=1.0), "medium": Tier(guidance=2.0), "high": Tier(guidance=3.0)}


def _network(
    vocabulary: int, text_width: int, text_length: int, *, width: int, layers: int, heads: int, side: int
) -> DecoderConfig:
    return DecoderConfig(
        vocab_size=vocabulary,
        width=width,
        layers=layers,
        heads=heads,
        kv_heads=heads,
        mlp_hidden=-(-width * 8 // 3 // 32) * 32,
        text_dim=text_width,
        text_length=text_length,
        grid=(side, side),
    )


def preset_of(name: str, vocabulary: int, text_width: int, text_length: int) -> TokensPreset:
    """`tiny` (tests), `cpu` (128 px, hours on two cores) or `gpu` (256 px)."""

    def network(**sizes: int) -> DecoderConfig:
        return _network(vocabulary, text_width, text_length, **sizes)

    if name == "tiny":
        return TokensPreset(network(width=32, layers=2, heads=2, side=8), (64, 64), TIERS)
    if name == "cpu":
        return TokensPreset(network(width=192, layers=6, heads=6, side=16), (128, 128), TIERS)
    if name == "gpu":
        return TokensPreset(network(width=384, layers=12, heads=6, side=32), (256, 256), TIERS)
    raise KeyError(name)


LONGEST = 8
"""A picture is written in windows side by side, or below each other: its short side is the native one, its long side at
most so many times that."""


def capabilities(preset: TokensPreset) -> Capabilities:
    """What a token model of this preset takes: no steps and no sampler, for it writes each token once."""
    width, height = preset.native_size
    return Capabilities(
        family="autoregressive",
        native_size=preset.native_size,
        size_multiple=width // 4,
        min_side=min(width, height),
        short_side=min(width, height),
        max_pixels=LONGEST * width * height,
        token_sampling=True,
        init=True,
        strength_map=True,
        reference_roles=PLANNED_ROLES,
        max_references=MAX_REFERENCES,
        lora=True,
        regions=True,
        tiers=preset.tiers,
    )
