"""The convolutional encoder and decoder that the continuous autoencoder and the tokenizer share.

Pictures are (B, 3, H, W) in [-1, 1], H and W multiples of 8; latents are (B, C, H/8, W/8). Each half is a
linear map of 8x8 patches (the shortcut, which `set_shortcut` fills with principal components) plus a residual
network at a quarter and an eighth of the picture's size. Training therefore starts from the best linear code
instead of from noise.

There is no normalisation over space and no attention, on purpose: every output depends on a bounded
neighbourhood only. So a large picture can be worked on in tiles without seams (`tiling.py`), and layers run at
the speed of plain convolutions. What this file does not know: losses, latent statistics and quantisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.errors import InvalidRequest

PATCH = 8
"""Pixels per latent position, in each direction (the field's "f8")."""


@dataclass(frozen=True)
class BackboneConfig:
    """Widths are (at a quarter, at an eighth of the picture's size); blocks likewise."""

    latent_channels: int = 16
    widths: tuple[int, int] = (64, 128)
    encoder_blocks: tuple[int, int] = (1, 2)
    decoder_blocks: tuple[int, int] = (2, 4)

    def __post_init__(self) -> None:
        # A configuration that was written to JSON comes back with lists.
        for field in fields(self):
            if isinstance(value := getattr(self, field.name), list):
                object.__setattr__(self, field.name, tuple(value))


class ResidualBlock(nn.Module):
    """x + conv(silu(conv(silu(x)))); the last convolution begins at zero: a fresh block is the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


def _blocks(channels: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))


def _begin_at_zero(layer: nn.Conv2d) -> nn.Conv2d:
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class Encoder(nn.Module):
    """(B, 3, H, W) -> (B, latent_channels, H/8, W/8)."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        fine, coarse = config.widths
        self.shortcut = nn.Conv2d(3, config.latent_channels, PATCH, stride=PATCH)
        self.stem = nn.Conv2d(3, fine, 8, stride=4, padding=2)
        self.fine = _blocks(fine, config.encoder_blocks[0])
        self.down = nn.Conv2d(fine, coarse, 4, stride=2, padding=1)
        self.coarse = _blocks(coarse, config.encoder_blocks[1])
        self.head = _begin_at_zero(nn.Conv2d(coarse, config.latent_channels, 1))
        # Latent positions of context that one output needs beyond its own: the stem reaches 2 pixels out, a
        # 3x3 at the fine level 4 pixels, the downsampling 4 pixels, a 3x3 at the coarse level 8 pixels.
        reach = 2 + 8 * config.encoder_blocks[0] + 4 + 16 * config.encoder_blocks[1]
        self.margin = math.ceil(reach / PATCH)

    def forward(self, x: Tensor) -> Tensor:
        check_picture(x)
        x = x.contiguous(memory_format=torch.channels_last)
        h = self.down(F.silu(self.fine(self.stem(x))))
        return self.shortcut(x) + self.head(F.silu(self.coarse(h)))


class Decoder(nn.Module):
    """(B, latent_channels, h, w) -> (B, 3, 8h, 8w), not clamped."""

    def __init__(self, config: BackboneConfig) -> None:
        super().__init__()
        fine, coarse = config.widths
        self.shortcut = nn.Conv2d(config.latent_channels, 3 * PATCH * PATCH, 1)
        self.stem = nn.Conv2d(config.latent_channels, coarse, 3, padding=1)
        self.coarse = _blocks(coarse, config.decoder_blocks[1])
        self.up = nn.Conv2d(coarse, 4 * fine, 1)
        self.fine = _blocks(fine, config.decoder_blocks[0])
        self.head = _begin_at_zero(nn.Conv2d(fine, 3 * 16, 3, padding=1))
        # In latent positions: the stem and each coarse 3x3 reach 1 out, each fine 3x3 and the head half of 1.
        reach = 1 + 2 * config.decoder_blocks[1] + (1 + 2 * config.decoder_blocks[0]) / 2
        self.margin = math.ceil(reach)

    def forward(self, z: Tensor) -> Tensor:
        z = z.contiguous(memory_format=torch.channels_last)
        h = F.pixel_shuffle(self.up(F.silu(self.coarse(self.stem(z)))), 2)
        detail = F.pixel_shuffle(self.head(F.silu(self.fine(h))), 4)
        return F.pixel_shuffle(self.shortcut(z), PATCH) + detail


def one_by_one(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply `network` to each row of x (B, ...) on its own, while no gradients are recorded.

    Kernels choose their order of summation by the size of the batch (measured on a CPU: 3x3 convolutions of 8
    channels, 1x1 convolutions to 4 channels); alone, a picture has the same bits in any company. Against a
    batch of 32 this costs 6-17 % of the speed on a CPU in fp32, about 20 % in bf16.
    """
    if len(x) <= 1 or torch.is_grad_enabled():
        return network(x)
    return torch.cat([network(row) for row in x.split(1)])


def check_picture(x: Tensor) -> None:
    """Raise `InvalidRequest` unless x is (B, 3, H, W) with sides that are positive multiples of 8."""
    if x.ndim != 4 or x.shape[1] != 3 or 0 in x.shape or x.shape[2] % PATCH or x.shape[3] % PATCH:
        raise InvalidRequest(
            "picture",
            f"shape {tuple(x.shape)} is not (batch, 3, height, width) with sides in multiples of {PATCH}",
        )


def patches_of(pictures: Tensor) -> Tensor:
    """(B, 3, H, W) -> (B * H/8 * W/8, 192): 8x8 patches in the channel order of `pixel_shuffle`."""
    return F.pixel_unshuffle(pictures, PATCH).permute(0, 2, 3, 1).reshape(-1, 3 * PATCH * PATCH)


def principal_components(patches: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean (D,), directions (count, D) and deviations (count,) of patches (N, D), the strongest first.

    On the CPU and in float64: the covariance of smooth pictures spans many orders of magnitude.
    """
    wide = patches.cpu().double()
    mean = wide.mean(0)
    centred = wide - mean
    covariance = centred.T @ centred / max(len(wide) - 1, 1)
    variances, vectors = torch.linalg.eigh(covariance)
    order = torch.arange(len(variances) - 1, len(variances) - 1 - count, -1)
    deviations = variances[order].clamp_min(1e-12).sqrt()
    return mean.float(), vectors[:, order].T.float(), deviations.float()


@torch.no_grad()
def set_shortcut(encoder: Encoder, decoder: Decoder, pictures: Tensor) -> None:
    """Make the shortcuts the whitened principal components of the pictures' 8x8 patches and their inverse.

    pictures: (B, 3, H, W). Afterwards a fresh encoder gives latents of zero mean and unit variance on these
    pictures. A direction in which the pictures hardly vary (below a quarter of a grey level) is not amplified
    further.
    """
    check_picture(pictures)
    mean, directions, deviations = principal_components(patches_of(pictures.float()), encoder.shortcut.weight.shape[0])
    deviations = deviations.clamp_min(0.25 * 2 / 255)
    analysis = directions / deviations[:, None]
    encoder.shortcut.weight.copy_(analysis.view(-1, 3, PATCH, PATCH))
    encoder.shortcut.bias.copy_(-(analysis @ mean))  # type: ignore[union-attr]
    decoder.shortcut.weight.copy_((directions.T * deviations)[:, :, None, None])
    decoder.shortcut.bias.copy_(mean)  # type: ignore[union-attr]
