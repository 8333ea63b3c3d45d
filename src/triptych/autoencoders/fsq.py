"""The discrete tokenizer: pictures to codes by finite scalar quantisation, and back.

Finite scalar quantisation (Mentzer et al. 2023, "Finite Scalar Quantization: VQ-VAE Made Simple") bounds each
of a few latent channels and rounds it; the code is the mixed-radix number that the rounded channels spell.
There is no codebook to learn, to reset or to collapse, and the gradient passes straight through the rounding.

The network is the continuous autoencoder's, with a 1x1 convolution to the quantised channels and one back
(`quant_conv`, `post_quant_conv`, the field's names), so that a trained autoencoder is the tokenizer's
starting point. What this file does not know: losses and the model that predicts the codes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from triptych.autoencoders.backbone import BackboneConfig, Decoder, Encoder, one_by_one, set_shortcut
from triptych.autoencoders.kl import Autoencoder
from triptych.core.errors import InvalidRequest


@dataclass(frozen=True)
class TokenizerConfig(BackboneConfig):
    """`levels`: how many values each quantised channel takes; their product is the vocabulary."""

    levels: tuple[int, ...] = (7, 5, 5, 5, 5)


class FiniteScalarQuantizer(nn.Module):
    """Channels to codes, whose values lie on a grid in [-1, 1], and ids, which count the codes.

    The id is a mixed-radix number; its first channel is the fastest digit.
    """

    levels: Tensor
    basis: Tensor

    def __init__(self, levels: tuple[int, ...]) -> None:
        super().__init__()
        if not levels or min(levels) < 2:
            raise InvalidRequest("levels", f"{levels} has to name at least one channel, with 2 or more values each")
        self.size = math.prod(levels)
        steps = [math.prod(levels[:i]) for i in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("basis", torch.tensor(steps), persistent=False)

    def bound(self, z: Tensor, eps: float = 1e-3) -> Tensor:
        """Squash (..., D) so that rounding gives exactly `levels` values: L = 5 to -2..2, L = 8 to -4..3.

        With an even number of values the grid has no middle, so the tanh is moved down by half a step, and
        its input is shifted so that 0 still maps to 0. `eps` lets the ends be reached.
        """
        half = (self.levels - 1) * (1 + eps) / 2
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        shift = torch.atanh(offset / half)
        return torch.tanh(z + shift) * half - offset

    def forward(self, z: Tensor) -> Tensor:
        """(..., D), any real -> codes (..., D); straight-through: the gradient is that of `bound`."""
        bounded = self.bound(z.float())
        rounded = bounded + (bounded.round() - bounded).detach()
        return rounded / (self.levels // 2)

    def indices(self, codes: Tensor) -> Tensor:
        """Codes (..., D) -> ids (...), int64 in 0..size-1."""
        digits = (codes * (self.levels // 2)).round().long() + self.levels // 2
        return (digits * self.basis).sum(-1)

    def codes(self, ids: Tensor) -> Tensor:
        """Ids (...) -> codes (..., D), the exact inverse of `indices`."""
        digits = ids[..., None] // self.basis % self.levels
        return (digits - self.levels // 2) / (self.levels // 2)


class Tokenizer(nn.Module):
    """f8 tokenizer; pictures (B, 3, H, W) in [-1, 1], ids (B, H/8, W/8) in 0..vocabulary-1."""

    def __init__(self, config: TokenizerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TokenizerConfig()
        self.encoder = Encoder(config)
        self.quant_conv = nn.Conv2d(config.latent_channels, len(config.levels), 1)
        self.quantizer = FiniteScalarQuantizer(config.levels)
        self.post_quant_conv = nn.Conv2d(len(config.levels), config.latent_channels, 1)
        self.decoder = Decoder(config)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def vocabulary(self) -> int:
        return self.quantizer.size

    @classmethod
    def from_autoencoder(cls, autoencoder: Autoencoder, levels: tuple[int, ...] = TokenizerConfig.levels) -> Tokenizer:
        """A tokenizer with the autoencoder's networks; call after `fit_normalisation`.

        The quantised channels begin as those directions of the normalised latents that move the most pixels
        in the decoder's linear part (singular vectors of its shortcut): the best guess that needs no
        pictures. The direction that matters most goes to the channel with the most levels.
        """
        source = autoencoder.config
        config = TokenizerConfig(
            source.latent_channels, source.widths, source.encoder_blocks, source.decoder_blocks, levels
        )
        tokenizer = cls(config).to(autoencoder.latent_std.device)
        tokenizer.encoder.load_state_dict(autoencoder.encoder.state_dict())
        tokenizer.decoder.load_state_dict(autoencoder.decoder.state_dict())
        pixels = autoencoder.decoder.shortcut.weight.detach()[:, :, 0, 0] * autoencoder.latent_std
        directions = torch.linalg.svd(pixels, full_matrices=False).Vh[: len(levels)]
        tokenizer._set_projections(directions, autoencoder.latent_mean, autoencoder.latent_std)
        return tokenizer

    def init_from_pca(self, pictures: Tensor) -> None:
        """Start without an autoencoder, from the principal components of pictures (B, 3, H, W)."""
        set_shortcut(self.encoder, self.decoder, pictures)
        channels = self.config.latent_channels
        device = self.quant_conv.weight.device
        directions = torch.eye(channels, device=device)[: len(self.config.levels)]
        self._set_projections(directions, torch.zeros(channels, device=device), torch.ones(channels, device=device))

    @torch.no_grad()
    def _set_projections(self, directions: Tensor, mean: Tensor, std: Tensor) -> None:
        """Quantise `directions` (D, C), strongest first, of latents with statistics `mean`, `std` (C,)."""
        levels = self.quantizer.levels
        order = torch.argsort(torch.argsort(levels, descending=True, stable=True))
        directions = directions[order]
        analysis = directions / std
        self.quant_conv.weight.copy_(analysis[:, :, None, None])
        self.quant_conv.bias.copy_(-(analysis @ mean))  # type: ignore[union-attr]
        # A code is about tanh(z) of a direction z with unit variance; the way back is the line through 0.
        half = levels // 2
        gain = half * 2 / (levels - 1)
        self.post_quant_conv.weight.copy_((directions * std * gain[:, None]).T[:, :, None, None])
        self.post_quant_conv.bias.copy_(mean)  # type: ignore[union-attr]

    def quantized(self, x: Tensor) -> Tensor:
        """Pictures -> codes (B, h, w, D) with the straight-through gradient."""
        latents = one_by_one(lambda picture: self.quant_conv(self.encoder(picture)), x)
        return self.quantizer(latents.permute(0, 2, 3, 1))

    def decode_codes(self, codes: Tensor) -> Tensor:
        """Codes (B, h, w, D) -> pictures (B, 3, 8h, 8w), about [-1, 1], not clamped."""
        quantized = codes.permute(0, 3, 1, 2)
        return one_by_one(lambda picture: self.decoder(self.post_quant_conv(picture)), quantized)

    def encode(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] -> ids (B, H/8, W/8), int64."""
        return self.quantizer.indices(self.quantized(x))

    def decode(self, ids: Tensor) -> Tensor:
        """Ids (B, h, w) -> pictures (B, 3, 8h, 8w), about [-1, 1], not clamped."""
        return self.decode_codes(self.codes(ids))

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of x, differentiable."""
        return self.decode_codes(self.quantized(x))

    def codes(self, ids: Tensor) -> Tensor:
        """Ids (...) -> codes (..., D)."""
        return self.quantizer.codes(ids)

    def indices(self, codes: Tensor) -> Tensor:
        """Codes (..., D) -> ids (...)."""
        return self.quantizer.indices(codes)


@dataclass(frozen=True)
class CodeUsage:
    """`used`: share of the vocabulary that occurs; `perplexity`: how many equally likely codes would say as
    much.

    At best 1 and the size of the vocabulary.
    """

    used: float
    perplexity: float


def code_usage(ids: Tensor, vocabulary: int) -> CodeUsage:
    """Statistic of ids of any shape over many pictures."""
    counts = torch.bincount(ids.flatten(), minlength=vocabulary).double()
    shares = counts / counts.sum().clamp_min(1)
    entropy = -torch.special.xlogy(shares, shares).sum()
    return CodeUsage(used=(counts > 0).double().mean().item(), perplexity=entropy.exp().item())
