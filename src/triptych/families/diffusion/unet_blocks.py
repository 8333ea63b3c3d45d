"""The parts of the U-Net: residual block, transformer over a feature map, resampling, and their three stackings.

Attribute names are the parameter names of Stable Diffusion's checkpoints in diffusers form. Nothing here knows of
configurations, noise or schedules.

Shapes: B pictures, C channels, H x W cells, N = H * W, T text tokens, E channels of the timestep's embedding.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.nn.attention import attention, merge_heads, split_heads
from triptych.nn.rows import with_enough_rows


class Conv1x1(nn.Conv2d):
    """A 1x1 convolution as a matrix product over cells.

    The CPU's 1x1 convolution picks its kernel, and so its rounding, by the size of the batch; its matrix product
    does not, from 16 rows on (`nn.rows`), and a feature map has them.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1)

    def forward(self, input: Tensor) -> Tensor:
        """(B, in_channels, H, W) -> (B, out_channels, H, W)."""
        return F.linear(input.movedim(1, -1), self.weight.flatten(1), self.bias).movedim(-1, 1)


class ResnetBlock2D(nn.Module):
    """Two convolutions around the timestep, with a shortcut (Ho et al. 2020, appendix B)."""

    def __init__(self, in_channels: int, out_channels: int, time_channels: int, groups: int, eps: float) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels, eps)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(time_channels, out_channels)
        self.norm2 = nn.GroupNorm(groups, out_channels, eps)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.conv_shortcut = Conv1x1(in_channels, out_channels) if in_channels != out_channels else None

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """x: (B, C, H, W), time: (B, E) -> (B, out_channels, H, W)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + with_enough_rows(self.time_emb_proj, F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class Attention(nn.Module):
    """Multi-head attention from x to a context, or to x itself."""

    def __init__(self, channels: int, heads: int, context_channels: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(context_channels or channels, channels, bias=False)
        self.to_v = nn.Linear(context_channels or channels, channels, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """x: (B, N, C), context: (B, T, context_channels), mask: (B, 1, 1, T), true = may look -> (B, N, C)."""
        context = x if context is None else context
        q, k, v = (split_heads(part, self.heads) for part in (self.to_q(x), self.to_k(context), self.to_v(context)))
        return self.to_out[0](merge_heads(attention(q, k, v, mask)))


class GEGLU(nn.Module):
    """Linear layer whose second half gates the first through a GELU (Shazeer 2020)."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.proj = nn.Linear(in_channels, 2 * out_channels)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """GEGLU to four times the width and back. `net.1` is the place of a dropout in the checkpoints' numbering."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GEGLU(channels, 4 * channels), nn.Identity(), nn.Linear(4 * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class BasicTransformerBlock(nn.Module):
    """Self-attention, attention to the text, feed-forward; each after a layer norm and with a residual."""

    def __init__(self, channels: int, heads: int, context_channels: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.attn1 = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels)
        self.attn2 = Attention(channels, heads, context_channels)
        self.norm3 = nn.LayerNorm(channels)
        self.ff = FeedForward(channels)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor | None) -> Tensor:
        """x: (B, N, C), text: (B, T, context_channels) -> (B, N, C)."""
        x = x + self.attn1(self.norm1(x))
        x = x + self.attn2(self.norm2(x), text, mask)
        return x + self.ff(self.norm3(x))


class Transformer2DModel(nn.Module):
    """Transformer blocks over the cells of a feature map (Rombach et al. 2022, section 3.3).

    SD 1.x projects in and out with 1x1 convolutions, SD 2.x and XL with linear layers: the same product, but the
    checkpoints differ in the shape of the weight.
    """

    def __init__(
        self, channels: int, heads: int, layers: int, context_channels: int, groups: int, linear_projection: bool
    ) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.proj_in = nn.Linear(channels, channels) if linear_projection else Conv1x1(channels, channels)
        self.transformer_blocks = nn.ModuleList(
            BasicTransformerBlock(channels, heads, context_channels) for _ in range(layers)
        )
        self.proj_out = nn.Linear(channels, channels) if linear_projection else Conv1x1(channels, channels)

    def forward(self, x: Tensor, text: Tensor, mask: Tensor | None) -> Tensor:
        """x: (B, C, H, W), text: (B, T, context_channels) -> (B, C, H, W)."""
        H, W = x.shape[-2:]
        h = self.norm(x)
        if isinstance(self.proj_in, nn.Linear):
            tokens = self.proj_in(_to_tokens(h))
        else:
            tokens = _to_tokens(self.proj_in(h))
        for block in self.transformer_blocks:
            tokens = block(tokens, text, mask)
        if isinstance(self.proj_out, nn.Linear):
            return x + _to_map(self.proj_out(tokens), H, W)
        return x + self.proj_out(_to_map(tokens, H, W))


def _to_tokens(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, N, C), in row order."""
    return x.flatten(2).transpose(1, 2)


def _to_map(tokens: Tensor, H: int, W: int) -> Tensor:
    """(B, N, C) -> (B, C, H, W)."""
    return tokens.transpose(1, 2).unflatten(2, (H, W))


class Downsample2D(nn.Module):
    """Half the size by a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample2D(nn.Module):
    """Nearest neighbour to a given size, then a convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, size: torch.Size) -> Tensor:
        return self.conv(F.interpolate(x, size=size, mode="nearest"))


class DownBlock(nn.Module):
    """Residual blocks, each followed by its transformer if there are any, then half the size."""

    def __init__(
        self, resnets: list[ResnetBlock2D], attentions: list[Transformer2DModel], downsample: int | None
    ) -> None:
        """`attentions` is empty or as long as `resnets`; `downsample` is the channels to halve the size of."""
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        self.attentions = nn.ModuleList(attentions)
        self.downsamplers = nn.ModuleList([] if downsample is None else [Downsample2D(downsample)])

    def forward(self, x: Tensor, time: Tensor, text: Tensor, mask: Tensor | None) -> tuple[Tensor, list[Tensor]]:
        """Returns the feature map and every intermediate one, in order, for the way up."""
        skips = []
        for i, resnet in enumerate(self.resnets):
            x = resnet(x, time)
            if self.attentions:
                x = self.attentions[i](x, text, mask)
            skips.append(x)
        for downsample in self.downsamplers:
            x = downsample(x)
            skips.append(x)
        return x, skips


class MidBlock(nn.Module):
    """Residual block, transformer, residual block at the smallest size."""

    def __init__(self, first: ResnetBlock2D, attention: Transformer2DModel, last: ResnetBlock2D) -> None:
        super().__init__()
        self.attentions = nn.ModuleList([attention])
        self.resnets = nn.ModuleList([first, last])

    def forward(self, x: Tensor, time: Tensor, text: Tensor, mask: Tensor | None) -> Tensor:
        x = self.resnets[0](x, time)
        x = self.attentions[0](x, text, mask)
        return self.resnets[1](x, time)


class UpBlock(nn.Module):
    """Residual blocks over x and the way down's feature maps, last one first, then twice the size."""

    def __init__(
        self, resnets: list[ResnetBlock2D], attentions: list[Transformer2DModel], upsample: int | None
    ) -> None:
        """`attentions` is empty or as long as `resnets`; `upsample` is the channels to double the size of."""
        super().__init__()
        self.resnets = nn.ModuleList(resnets)
        self.attentions = nn.ModuleList(attentions)
        self.upsamplers = nn.ModuleList([] if upsample is None else [Upsample2D(upsample)])

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, text: Tensor, mask: Tensor | None) -> Tensor:
        """Takes its feature maps off the end of `skips`, and grows to the size of the one that then is last."""
        for i, resnet in enumerate(self.resnets):
            x = resnet(torch.cat((x, skips.pop()), dim=1), time)
            if self.attentions:
                x = self.attentions[i](x, text, mask)
        for upsample in self.upsamplers:
            x = upsample(x, skips[-1].shape[-2:])
        return x
