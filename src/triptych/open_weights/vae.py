"""The KL autoencoder of Stable Diffusion, SDXL, SD 3 and FLUX (Rombach et al. 2022): pictures to latents and back.

Parameter names are those of diffusers' `AutoencoderKL`. `encode` returns the mean of the posterior, scaled and shifted
to about unit variance as the checkpoint's configuration says; `decode` is its inverse. Large latents are decoded in
tiles that overlap and are blended: norms and attention look over the whole map, so tiles are not exact, only close.

Shapes: B pictures, C channels of the latent, H x W pixels, h x w = H / 8 x W / 8 cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.errors import FileProblem
from triptych.nn.attention import attention
from triptych.open_weights.jsonfile import Config

WHOLE_SIDE = 128
"""Latents up to this on a side are decoded in one piece: 1024 pixels."""
TILE, OVERLAP = 96, 24
PREVIEW_SAMPLES = 24


@dataclass(frozen=True)
class VaeConfig:
    """scaling, shift: latent = (raw - shift) * scaling. quant: whether 1x1 convolutions stand around the latent."""

    latent_channels: int = 4
    channels: tuple[int, ...] = (128, 256, 512, 512)
    layers: int = 2
    groups: int = 32
    scaling: float = 0.18215
    shift: float = 0.0
    quant: bool = True
    post_quant: bool = True
    middle_attention: bool = True

    @classmethod
    def from_diffusers(cls, config: Config) -> Self:
        """The same from a `vae/config.json`; `FileProblem` for an option that this network has no answer to."""
        if config.values.get("decoder_block_out_channels") not in (None, config.values.get("block_out_channels")):
            raise config.problem("decoder_block_out_channels", "the same as block_out_channels")
        for name, kind in (("down_block_types", "DownEncoderBlock2D"), ("up_block_types", "UpDecoderBlock2D")):
            given = config.values.get(name, [kind])
            if not isinstance(given, list) or any(one != kind for one in given):
                raise config.problem(name, f"a list of {kind}")
        config.one_of("act_fn", ("silu", "swish"), "silu")
        for name in ("in_channels", "out_channels"):
            config.one_of(name, (3,), 3)
        channels = config.wholes("block_out_channels", most=4096)
        groups = config.whole("norm_num_groups", 32, most=256)
        if any(not size or size % groups for size in channels):
            raise config.problem("block_out_channels", f"multiples of {groups}")
        return cls(
            latent_channels=config.whole("latent_channels", 4, most=256),
            channels=channels,
            layers=config.whole("layers_per_block", 1, most=16),
            groups=groups,
            scaling=config.number("scaling_factor", 0.18215, least=1e-6),
            shift=config.number("shift_factor", 0.0, least=-100) if config.values.get("shift_factor") else 0.0,
            quant=config.flag("use_quant_conv", True),
            post_quant=config.flag("use_post_quant_conv", True),
            middle_attention=config.flag("mid_block_add_attention", True),
        )


class Vae(nn.Module):
    """Pictures (B, 3, H, W) in [-1, 1] to scaled latents (B, C, h, w), and back."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        self.config = config
        C = config.latent_channels
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv2d(2 * C, 2 * C, 1) if config.quant else None
        self.post_quant_conv = nn.Conv2d(C, C, 1) if config.post_quant else None

    def encode(self, x: Tensor) -> Tensor:
        moments = self.encoder(x.to(self.dtype))
        if self.quant_conv is not None:
            moments = self.quant_conv(moments)
        mean = moments.chunk(2, dim=1)[0].float()
        return (mean - self.config.shift) * self.config.scaling

    def decode(self, z: Tensor) -> Tensor:
        whole = max(z.shape[-2:]) <= WHOLE_SIDE
        return self._decode(z) if whole else decode_blended(self._decode, z)

    def _decode(self, z: Tensor) -> Tensor:
        raw = (z / self.config.scaling + self.config.shift).to(self.dtype)
        if self.post_quant_conv is not None:
            raw = self.post_quant_conv(raw)
        return self.decoder(raw).float()

    @property
    def dtype(self) -> torch.dtype:
        return self.decoder.conv_in.bias.dtype  # type: ignore[union-attr]

    def preview(self, z: Tensor) -> Tensor:
        """Latents (B, C, h, w) -> small pictures (B, 3, h, w) in [-1, 1]."""
        colours, bias = self._preview_map
        return (torch.einsum("rc,bchw->brhw", colours, z.float()) + bias.view(1, -1, 1, 1)).clamp(-1, 1)

    @cached_property
    def _preview_map(self) -> tuple[Tensor, Tensor]:
        """The linear map from a latent to its colour that fits best what the decoder makes of plain patches."""
        C = self.config.latent_channels
        generator = torch.Generator().manual_seed(0)
        flat = torch.randn(max(PREVIEW_SAMPLES, 2 * C), C, 1, 1, generator=generator)
        pictures = torch.cat([self._decode(one.expand(1, C, 4, 4).contiguous()) for one in flat])
        colours = pictures.mean(dim=(2, 3)).double().clamp(-1, 1)
        design = torch.cat([flat.flatten(1).double(), torch.ones(len(flat), 1, dtype=torch.float64)], dim=1)
        gram = design.T @ design
        gram.diagonal().add_(1e-3 * len(flat))
        solution = torch.linalg.solve(gram, design.T @ colours).float()
        return solution[:-1].T, solution[-1]


def decode_blended(
    decode: Callable[[Tensor], Tensor], z: Tensor, *, tile: int = TILE, overlap: int = OVERLAP
) -> Tensor:
    """Decode in tiles of so many cells; where two overlap, one fades into the other."""
    total = z.new_zeros((len(z), 3, 8 * z.shape[-2], 8 * z.shape[-1]), dtype=torch.float32)
    weight = torch.zeros_like(total[:1, :1])
    for top, high in _starts(z.shape[-2], tile, overlap):
        for left, wide in _starts(z.shape[-1], tile, overlap):
            part = decode(z[..., top : top + high, left : left + wide])
            say = _fade(8 * high, 8 * overlap)[:, None] * _fade(8 * wide, 8 * overlap)[None, :]
            rows, columns = slice(8 * top, 8 * (top + high)), slice(8 * left, 8 * (left + wide))
            total[..., rows, columns] += part * say
            weight[..., rows, columns] += say
    return total / weight


def _starts(side: int, tile: int, overlap: int) -> Iterator[tuple[int, int]]:
    """(start, length) of tiles over `side` cells, the last one flush with the end."""
    step = tile - overlap
    for start in range(0, max(side - overlap, 1), step):
        begin = max(0, min(start, side - tile))
        yield begin, min(tile, side)


def _fade(length: int, overlap: int) -> Tensor:
    """Rising over the first `overlap` pixels, falling over the last, never zero."""
    ramp = (torch.arange(length) + 1.0) / (overlap + 1.0)
    return torch.minimum(ramp, ramp.flip(0)).clamp_max(1.0)


class Resnet(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, into: int, out: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, into, 1e-6)
        self.conv1 = nn.Conv2d(into, out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, out, 1e-6)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(into, out, 1) if into != out else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class CellAttention(nn.Module):
    """One head over all cells."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, channels, 1e-6)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([nn.Linear(channels, channels)])

    def forward(self, x: Tensor) -> Tensor:
        h = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = (layer(h)[:, None] for layer in (self.to_q, self.to_k, self.to_v))
        h = self.to_out[0](attention(q, k, v)[:, 0])
        return x + h.transpose(1, 2).unflatten(2, x.shape[-2:])


class Middle(nn.Module):
    def __init__(self, channels: int, groups: int, attends: bool) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(channels, channels, groups) for _ in range(2)])
        self.attentions = nn.ModuleList([CellAttention(channels, groups)] if attends else [])

    def forward(self, x: Tensor) -> Tensor:
        x = self.resnets[0](x)
        for attend in self.attentions:
            x = attend(x)
        return self.resnets[1](x)


class Halve(nn.Module):
    """Half the size; the border is padded below and to the right alone, as the checkpoints were trained."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))


class Double(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """Residual blocks, then another size. `downsamplers` or `upsamplers`, as the checkpoints call them."""

    def __init__(self, into: int, out: int, layers: int, groups: int, *, halve: bool = False, double: bool = False):
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(out if i else into, out, groups) for i in range(layers)])
        if halve:
            self.downsamplers = nn.ModuleList([Halve(out)])
        if double:
            self.upsamplers = nn.ModuleList([Double(out)])

    def forward(self, x: Tensor) -> Tensor:
        for resnet in self.resnets:
            x = resnet(x)
        for resize in (*getattr(self, "downsamplers", ()), *getattr(self, "upsamplers", ())):
            x = resize(x)
        return x


class Encoder(nn.Module):
    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        sizes, last = config.channels, len(config.channels) - 1
        self.conv_in = nn.Conv2d(3, sizes[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            Level(sizes[max(i - 1, 0)], size, config.layers, config.groups, halve=i < last)
            for i, size in enumerate(sizes)
        )
        self.mid_block = Middle(sizes[-1], config.groups, config.middle_attention)
        self.conv_norm_out = nn.GroupNorm(config.groups, sizes[-1], 1e-6)
        self.conv_out = nn.Conv2d(sizes[-1], 2 * config.latent_channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(self.mid_block(x))))


class Decoder(nn.Module):
    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        sizes, last = config.channels[::-1], len(config.channels) - 1
        self.conv_in = nn.Conv2d(config.latent_channels, sizes[0], 3, padding=1)
        self.mid_block = Middle(sizes[0], config.groups, config.middle_attention)
        self.up_blocks = nn.ModuleList(
            Level(sizes[max(i - 1, 0)], size, config.layers + 1, config.groups, double=i < last)
            for i, size in enumerate(sizes)
        )
        self.conv_norm_out = nn.GroupNorm(config.groups, sizes[-1], 1e-6)
        self.conv_out = nn.Conv2d(sizes[-1], 3, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(z))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


def check_factor(config: VaeConfig, where: str) -> None:
    """The families count eight pixels to a cell."""
    if len(config.channels) != 4:
        raise FileProblem(
            f"{where}: an autoencoder of {len(config.channels)} levels; only 4 (8 pixels a cell) are known"
        )
