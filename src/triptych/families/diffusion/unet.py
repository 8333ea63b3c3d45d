"""The U-Net of Stable Diffusion (Rombach et al. 2022), from the built-in size to SDXL's (Podell et al. 2023).

Structure and parameter names are those of `UNet2DConditionModel` in diffusers, so its checkpoints of SD 1.x, 2.x
and XL load with `load_state_dict(strict=True)`. The network knows nothing of noise schedules, of what its output
means (epsilon, v), of guidance, or of where the text comes from.

Shapes: B pictures, C channels, H x W latent cells, T text tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.families.diffusion.unet_blocks import DownBlock, MidBlock, ResnetBlock2D, Transformer2DModel, UpBlock
from triptych.nn.embeddings import TimestepEmbedding, sinusoidal
from triptych.nn.rows import ENOUGH_ROWS


@dataclass(frozen=True)
class UNetConfig:
    """Sizes of a U-Net. Tuples have one entry per level, from the largest map to the smallest."""

    in_channels: int = 4
    out_channels: int = 4
    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    layers_per_block: int = 2
    """Residual blocks per level on the way down; the way up has one more."""
    cross_attention: tuple[bool, ...] = (True, True, True, False)
    """Levels with transformers. The middle always has one."""
    transformer_layers: tuple[int, ...] = (1, 1, 1, 1)
    """Blocks of each transformer; the middle takes the last entry."""
    heads: tuple[int, ...] = (8, 8, 8, 8)
    """Attention heads; diffusers' configurations call this number `attention_head_dim`."""
    cross_attention_dim: int = 768
    """Channels of a text token."""
    use_linear_projection: bool = False
    norm_num_groups: int = 32
    norm_eps: float = 1e-5
    flip_sin_to_cos: bool = True
    freq_shift: int = 0
    addition_time_embed_dim: int | None = None
    """Features per number of SDXL's size conditioning (`addition_embed_type` "text_time"); None = without."""
    projection_class_embeddings_input_dim: int | None = None
    """Channels of SDXL's pooled text and all its size features together."""

    def __post_init__(self) -> None:
        levels = len(self.block_out_channels)
        for name in ("cross_attention", "transformer_layers", "heads"):
            if len(getattr(self, name)) != levels:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {levels} levels")
        for channels, heads in zip(self.block_out_channels, self.heads, strict=True):
            if channels % heads or channels % self.norm_num_groups:
                raise ValueError(
                    f"{channels} channels do not divide by {heads} heads and {self.norm_num_groups} groups"
                )

    @classmethod
    def from_diffusers(cls, config: Mapping[str, Any]) -> Self:
        """The same sizes from the `unet/config.json` of a diffusers checkpoint.

        Raises FileProblem for an option that Stable Diffusion 1.x, 2.x and XL do not use.
        """
        for option, allowed in _ONLY.items():
            if config.get(option, allowed[0]) not in allowed:
                raise FileProblem(f"unet config: {option} = {config[option]!r} is not supported")
        levels = len(config["block_out_channels"])
        down = [kind == "CrossAttnDownBlock2D" for kind in config["down_block_types"]]
        up = [kind == "CrossAttnUpBlock2D" for kind in config["up_block_types"]]
        if {*config["down_block_types"]} - {"CrossAttnDownBlock2D", "DownBlock2D"} or down != up[::-1]:
            raise FileProblem("unet config: the way up does not mirror the way down, or has another kind of block")
        text_time = config.get("addition_embed_type") == "text_time"
        return cls(
            in_channels=config["in_channels"],
            out_channels=config["out_channels"],
            block_out_channels=tuple(config["block_out_channels"]),
            layers_per_block=config["layers_per_block"],
            cross_attention=tuple(down),
            transformer_layers=_per_level(config.get("transformer_layers_per_block", 1), levels),
            heads=_per_level(config["attention_head_dim"], levels),
            cross_attention_dim=config["cross_attention_dim"],
            use_linear_projection=config.get("use_linear_projection", False),
            norm_num_groups=config.get("norm_num_groups", 32),
            norm_eps=config.get("norm_eps", 1e-5),
            flip_sin_to_cos=config.get("flip_sin_to_cos", True),
            freq_shift=config.get("freq_shift", 0),
            addition_time_embed_dim=config["addition_time_embed_dim"] if text_time else None,
            projection_class_embeddings_input_dim=(
                config["projection_class_embeddings_input_dim"] if text_time else None
            ),
        )


_ONLY: Mapping[str, tuple[Any, ...]] = {
    "mid_block_type": ("UNetMidBlock2DCrossAttn",),
    "act_fn": ("silu", "swish"),
    "addition_embed_type": (None, "text_time"),
    "class_embed_type": (None,),
    "encoder_hid_dim_type": (None,),
    "time_embedding_type": ("positional",),
    "time_embedding_dim": (None,),
    "time_embedding_act_fn": (None,),
    "timestep_post_act": (None,),
    "time_cond_proj_dim": (None,),
    "resnet_time_scale_shift": ("default",),
    "resnet_skip_time_act": (False,),
    "resnet_out_scale_factor": (1.0,),
    "mid_block_scale_factor": (1,),
    "reverse_transformer_layers_per_block": (None,),
    "only_cross_attention": (False,),
    "mid_block_only_cross_attention": (None, False),
    "dual_cross_attention": (False,),
    "cross_attention_norm": (None,),
    "attention_type": ("default",),
    "center_input_sample": (False,),
    "downsample_padding": (1,),
    "conv_in_kernel": (3,),
    "conv_out_kernel": (3,),
}
"""Options of diffusers' configuration that this network has one answer to; the first is diffusers' default."""


def _per_level(value: int | Sequence[int], levels: int) -> tuple[int, ...]:
    return (value,) * levels if isinstance(value, int) else tuple(value)


@dataclass(frozen=True)
class TextTime:
    """What SDXL is told besides text and timestep (Podell et al. 2023, section 2.2)."""

    pooled: Tensor
    """(B, P) one vector for the whole text."""
    sizes: Tensor
    """(B, 6) original height and width, crop top and left, target height and width, in pixels."""


class UNet(nn.Module):
    """Noisy latents, timesteps and text tokens to a prediction of the latents' shape."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        self.config = config
        channels, groups, eps = config.block_out_channels, config.norm_num_groups, config.norm_eps
        time_channels = 4 * channels[0]

        self.conv_in = nn.Conv2d(config.in_channels, channels[0], 3, padding=1)
        self.time_embedding = TimestepEmbedding(channels[0], time_channels)
        if config.projection_class_embeddings_input_dim is not None:
            self.add_embedding = TimestepEmbedding(config.projection_class_embeddings_input_dim, time_channels)

        def resnet(into: int, out: int) -> ResnetBlock2D:
            return ResnetBlock2D(into, out, time_channels, groups, eps)

        def transformer(level: int) -> Transformer2DModel:
            return Transformer2DModel(
                channels[level],
                config.heads[level],
                config.transformer_layers[level],
                config.cross_attention_dim,
                groups,
                config.use_linear_projection,
            )

        # The way down leaves `skips` on a stack; the way up takes them off again, so their channels are kept here.
        levels, last = range(len(channels)), len(channels) - 1
        self.down_blocks = nn.ModuleList()
        skips = [channels[0]]
        for level in levels:
            into, out = channels[max(level - 1, 0)], channels[level]
            resnets = [resnet(out if i else into, out) for i in range(config.layers_per_block)]
            attentions = [transformer(level) for _ in resnets if config.cross_attention[level]]
            self.down_blocks.append(DownBlock(resnets, attentions, out if level < last else None))
            skips += [out] * (len(resnets) + (level < last))

        self.mid_block = MidBlock(
            resnet(channels[-1], channels[-1]), transformer(last), resnet(channels[-1], channels[-1])
        )

        self.up_blocks = nn.ModuleList()
        into = channels[-1]
        for level in reversed(levels):
            out = channels[level]
            resnets = []
            for _ in range(config.layers_per_block + 1):
                resnets.append(resnet(into + skips.pop(), out))
                into = out
            attentions = [transformer(level) for _ in resnets if config.cross_attention[level]]
            self.up_blocks.append(UpBlock(resnets, attentions, out if level > 0 else None))

        self.conv_norm_out = nn.GroupNorm(groups, channels[0], eps)
        self.conv_out = nn.Conv2d(channels[0], config.out_channels, 3, padding=1)

    def forward(
        self,
        x: Tensor,
        t: Tensor,
        text: Tensor,
        *,
        text_mask: Tensor | None = None,
        added: TextTime | None = None,
        position_input: Tensor | None = None,
        steer: Callable[[int, Tensor], Tensor] | None = None,
    ) -> Tensor:
        """x: (B, in_channels, H, W), t: (B,) in 0..999, text: (B, T, cross_attention_dim) -> (B, out_channels, H, W).

        text_mask: (B, T) bool, true = a token to look at; None = all.
        added: SDXL's extra condition, given exactly when the configuration has it.
        position_input: (B, block_out_channels[0], H, W), added after the first convolution; None = the bare network.
        steer: what structure adds to the cells (B, H W, C) of a feature map, called with 0 after the first convolution
        and with k after the k-th block on the way down, in the middle and on the way up, counted through.
        """
        B = len(x)
        if not torch.is_grad_enabled() and (missing := self._enough_pictures(*x.shape[-2:]) - B) > 0:
            rows = torch.cat((torch.arange(B), torch.full((missing,), B - 1))).to(x.device)
            x, t, text = x[rows], t[rows], text[rows]
            text_mask = None if text_mask is None else text_mask[rows]
            added = None if added is None else TextTime(added.pooled[rows], added.sizes[rows])
            position_input = None if position_input is None else position_input[rows]

        time = self._embed_time(t, added)
        mask = None if text_mask is None else text_mask[:, None, None, :]
        # Channels first throughout: training with channels last took a quarter longer on a CPU, for its group norm is
        # slow there (41 against 51 pictures per core-second in bfloat16), and convolutions gained nothing.
        h = self.conv_in(x)
        if position_input is not None:
            h = h + position_input
        h = _steered(steer, 0, h)
        skips = [h]
        for number, block in enumerate(self.down_blocks, start=1):
            h, more = block(h, time, text, mask)
            h = _steered(steer, number, h)
            skips += [*more[:-1], h]
        h = _steered(steer, 1 + len(self.down_blocks), self.mid_block(h, time, text, mask))
        for number, block in enumerate(self.up_blocks, start=2 + len(self.down_blocks)):
            h = _steered(steer, number, block(h, skips, time, text, mask))
        return self.conv_out(F.silu(self.conv_norm_out(h)))[:B]

    def _enough_pictures(self, H: int, W: int) -> int:
        """From how many pictures on each one's numbers no longer depend on how many there are.

        A CPU's convolution rounds one picture alone differently from the same one in company, and its matrix
        product fewer than ENOUGH_ROWS rows (`nn.rows`), which a small picture's smallest map may have. The spare
        pictures are copies. Guidance brings a second picture anyway, so at the built-in size this is free with it.
        """
        halvings = len(self.config.block_out_channels) - 1
        cells = -(-H // 2**halvings) * -(-W // 2**halvings)
        return max(2, -(-ENOUGH_ROWS // cells))

    def _embed_time(self, t: Tensor, added: TextTime | None) -> Tensor:
        """(B,) -> (B, 4 * block_out_channels[0])."""
        config, dtype = self.config, self.conv_in.weight.dtype

        def features(values: Tensor, dim: int) -> Tensor:
            return sinusoidal(values, dim, cosine_first=config.flip_sin_to_cos, shift=config.freq_shift).to(dtype)

        time = self.time_embedding(features(t, config.block_out_channels[0]))
        dim = config.addition_time_embed_dim
        if (added is None) != (dim is None):
            raise ValueError("`added` goes with a configuration that has addition_time_embed_dim, and only with one")
        if added is not None and dim is not None:
            sizes = features(added.sizes.flatten(), dim).unflatten(0, (len(added.sizes), -1)).flatten(1)
            time = time + self.add_embedding(torch.cat((added.pooled.to(dtype), sizes), dim=-1))
        return time

    def init_weights(self, generator: torch.Generator | None = None) -> None:
        """Weights for training from scratch.

        Every residual branch starts at zero, and so does the output (Dhariwal & Nichol 2021, as in their code and
        Stable Diffusion's): the fresh network is the identity along its skips, and its first loss that of predicting
        nothing. All else keeps the variance of its input (LeCun et al. 1998).
        """
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Conv2d):
                fan_in = module.weight[0].numel()
                nn.init.normal_(module.weight, std=fan_in**-0.5, generator=generator)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.GroupNorm | nn.LayerNorm):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, ResnetBlock2D):
                nn.init.zeros_(module.conv2.weight)
            elif isinstance(module, Transformer2DModel):
                nn.init.zeros_(module.proj_out.weight)
        nn.init.zeros_(self.conv_out.weight)


def _steered(steer: Callable[[int, Tensor], Tensor] | None, number: int, h: Tensor) -> Tensor:
    """A feature map (B, C, H, W) with what structure adds to its cells."""
    if steer is None:
        return h
    return steer(number, h.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, h.shape[-2:])
