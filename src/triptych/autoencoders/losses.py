"""The reconstruction loss of both autoencoders, without any downloaded network.

Four terms look at the difference between reconstruction and picture: L1 (overall colour), gradients at three
scales (edges where they belong), coefficients of an 8x8 DCT (L1 is sparse there: texture is either rendered
or left out, instead of smeared), and a little L2 (large errors). Two terms shape the latents: a small pull to
N(0, 1), which is the KL divergence of a posterior with fixed deviation, and scale equivariance: the decoded
half-size latents must be the half-size picture (Kouzelis et al. 2025, EQ-VAE; Skorokhodov et al. 2025,
"Improving the diffusability of autoencoders"), which keeps high frequencies of the latents from hiding what
only the decoder understands.

All randomness comes from the generator that is passed in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.kl import Autoencoder

BLOCK = 8


@dataclass(frozen=True)
class LossWeights:
    """Factors of the terms; `equivariance_share` is the share of the batch that scale equivariance looks at.

    Equivariance falls slowly: with a factor of 0.25 it was more than half of the total after 10,000 pictures,
    and would have steered the training; 0.1 keeps it a regularisation.
    """

    l1: float = 1.0
    gradient: float = 1.0
    frequency: float = 0.5
    l2: float = 1.0
    kl: float = 1e-4
    equivariance: float = 0.1
    equivariance_share: float = 0.25


def gradient_l1(difference: Tensor, scales: int = 3) -> Tensor:
    """Mean absolute finite difference of `difference` (B, C, H, W), averaged over factors 1, 2, 4, ..."""
    total = difference.new_zeros(())
    for scale in range(scales):
        if scale:
            difference = F.avg_pool2d(difference, 2)
        total = total + difference.diff(dim=-1).abs().mean() + difference.diff(dim=-2).abs().mean()
    return total / scales


def dct_matrix(size: int = BLOCK) -> Tensor:
    """The orthonormal DCT-II, (size, size), rows are frequencies."""
    n = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * (n[None, :] + 0.5) * n[:, None]) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix.float()


def block_dct(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, H/8, 8, W/8, 8): each 8x8 block's DCT-II; rows and columns beyond a multiple of
    8 are cut.
    """
    B, C, H, W = x.shape
    matrix = dct_matrix().to(x)
    blocks = x[..., : H - H % BLOCK, : W - W % BLOCK].reshape(B, C, H // BLOCK, BLOCK, W // BLOCK, BLOCK)
    return torch.einsum("ui,bcyixj,vj->bcyuxv", matrix, blocks, matrix)


def reconstruction_loss(
    reconstruction: Tensor, picture: Tensor, weights: LossWeights, offset: tuple[int, int] = (0, 0)
) -> tuple[Tensor, dict[str, Tensor]]:
    """Weighted sum and its unweighted parts; `offset` (rows, columns) shifts the DCT's grid against the
    latents' grid.
    """
    # Autocast would round the DCT's products to bfloat16.
    with torch.autocast(picture.device.type, enabled=False):
        difference = reconstruction.float() - picture.float()
        parts = {
            "l1": difference.abs().mean(),
            "gradient": gradient_l1(difference),
            "frequency": block_dct(difference[..., offset[0] :, offset[1] :]).abs().mean(),
            "l2": difference.square().mean(),
        }
    total = difference.new_zeros(())
    for name, part in parts.items():
        total = total + getattr(weights, name) * part
    return total, parts


def loss(
    model: Autoencoder | Tokenizer, x: Tensor, generator: torch.Generator, weights: LossWeights | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of either model: `autoencoder_loss` or `tokenizer_loss`."""
    if isinstance(model, Tokenizer):
        return tokenizer_loss(model, x, generator, weights)
    return autoencoder_loss(model, x, generator, weights)


def autoencoder_loss(
    model: Autoencoder, x: Tensor, generator: torch.Generator, weights: LossWeights | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of the continuous autoencoder on pictures x (B, 3, H, W) in [-1, 1].

    Returns the total and its detached parts for the log (among them `psnr` in dB over the range [-1, 1]). The
    generator draws the latent noise, the DCT's offset and the pictures on which equivariance is asked for.
    """
    weights = weights or LossWeights()
    mean = model.encoder(x).float()
    z = mean + model.config.latent_noise * normal_like(mean, generator)
    total, parts = reconstruction_loss(model.decoder(z), x, weights, random_offset(x, generator))
    parts["kl"] = 0.5 * mean.square().mean()
    total = total + weights.kl * parts["kl"]
    chosen = round(weights.equivariance_share * len(x))
    if chosen and weights.equivariance and min(mean.shape[-2:]) >= 2:
        rows = torch.randperm(len(x), generator=generator, device=generator.device)[:chosen].to(x.device)
        parts["equivariance"] = equivariance_loss(model, x[rows], z[rows], weights)
        total = total + weights.equivariance * parts["equivariance"]
    parts = {name: part.detach() for name, part in parts.items()}
    parts["psnr"] = psnr(parts["l2"])
    return total, parts


def tokenizer_loss(
    model: Tokenizer, x: Tensor, generator: torch.Generator, weights: LossWeights | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of the tokenizer on pictures x (B, 3, H, W) in [-1, 1]; its codes need no regularisation."""
    weights = weights or LossWeights()
    total, parts = reconstruction_loss(model(x), x, weights, random_offset(x, generator))
    parts = {name: part.detach() for name, part in parts.items()}
    parts["psnr"] = psnr(parts["l2"])
    return total, parts


def equivariance_loss(model: Autoencoder, x: Tensor, z: Tensor, weights: LossWeights) -> Tensor:
    """Loss between the decoded half-size latents z (B, C, h, w) and half-size pictures x (B, 3, 8h, 8w)."""
    half = model.decoder(F.avg_pool2d(z, 2))
    target = F.avg_pool2d(x, 2)[..., : half.shape[-2], : half.shape[-1]]
    return reconstruction_loss(half, target, weights)[0]


def normal_like(x: Tensor, generator: torch.Generator) -> Tensor:
    """Normal noise in the shape of x, drawn where the generator lives: the same on any device of the
    model.
    """
    return torch.randn(x.shape, generator=generator, device=generator.device).to(x.device)


def random_offset(x: Tensor, generator: torch.Generator) -> tuple[int, int]:
    """Rows and columns to skip, 0-7 each, or none where the picture has a single block."""
    if min(x.shape[-2:]) < 2 * BLOCK:
        return 0, 0
    row, column = torch.randint(0, BLOCK, (2,), generator=generator, device=generator.device).tolist()
    return row, column


def psnr(mean_squared_error: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB of pictures whose range is [-1, 1]."""
    return 10 * torch.log10(4 / mean_squared_error.clamp_min(1e-12))
