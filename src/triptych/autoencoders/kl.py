"""The continuous autoencoder: pictures to 16-channel latents at an eighth of their size, and back.

The posterior is N(encoder(x), latent_noise^2) with a fixed deviation (losses.py), so its divergence from N(0,
1) is a plain square of the mean, and the mean is all that `encode` returns. Latents leave and enter
normalised per channel to zero mean and unit variance over the training pictures, because that is the scale
that noise schedules assume.

Also here: the cheapest picture of a latent, a linear map to RGB found by least squares, for live previews.
What this file does not know: how it is trained, and what paints the latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.autoencoders.backbone import PATCH, BackboneConfig, Decoder, Encoder, one_by_one, set_shortcut


@dataclass(frozen=True)
class AutoencoderConfig(BackboneConfig):
    """`latent_noise`: deviation of the posterior while training, in units of the encoder's raw output (about
    1).
    """

    latent_noise: float = 0.05


class Autoencoder(nn.Module):
    """f8 autoencoder; pictures (B, 3, H, W) in [-1, 1], latents (B, latent_channels, H/8, W/8)."""

    latent_mean: Tensor
    latent_std: Tensor
    preview_matrix: Tensor
    preview_bias: Tensor

    def __init__(self, config: AutoencoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or AutoencoderConfig()
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        channels = config.latent_channels
        self.register_buffer("latent_mean", torch.zeros(channels))
        self.register_buffer("latent_std", torch.ones(channels))
        self.register_buffer("preview_matrix", torch.zeros(3, channels))
        self.register_buffer("preview_bias", torch.zeros(3))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, x: Tensor) -> Tensor:
        """Pictures (B, 3, H, W) in [-1, 1] -> normalised mean latents (B, C, H/8, W/8)."""
        return (one_by_one(self.encoder, x) - _per_channel(self.latent_mean)) / _per_channel(self.latent_std)

    def decode(self, z: Tensor) -> Tensor:
        """Normalised latents (B, C, h, w) -> pictures (B, 3, 8h, 8w), about [-1, 1], not clamped."""
        return one_by_one(self.decoder, z * _per_channel(self.latent_std) + _per_channel(self.latent_mean))

    def forward(self, x: Tensor) -> Tensor:
        """The reconstruction of x."""
        return self.decode(self.encode(x))

    def preview(self, z: Tensor) -> Tensor:
        """Normalised latents (B, C, h, w) -> small pictures (B, 3, h, w) in [-1, 1]."""
        rgb = torch.einsum("rc,bchw->brhw", self.preview_matrix, z.float())
        return (rgb + _per_channel(self.preview_bias)).clamp(-1, 1)

    def init_from_pca(self, pictures: Tensor) -> None:
        """Start from the best linear code of these pictures (B, 3, H, W); a few hundred are enough."""
        set_shortcut(self.encoder, self.decoder, pictures)

    @torch.no_grad()
    def fit_normalisation(self, pictures: Tensor, *, batch_size: int = 32) -> None:
        """Set latent mean, deviation and the preview's map from pictures (B, 3, H, W); call after training.

        Latents that were made before the call are in another scale than those made after it.
        """
        device = self.latent_mean.device
        raw = torch.cat([self.encoder(batch.to(device)).cpu() for batch in pictures.split(batch_size)])
        samples = raw.double().permute(0, 2, 3, 1).reshape(-1, raw.shape[1])
        mean = samples.mean(0)
        std = samples.std(0).clamp_min(1e-6)
        self.latent_mean.copy_(mean)
        self.latent_std.copy_(std)
        self._fit_preview((samples - mean) / std, pictures)

    def _fit_preview(self, latents: Tensor, pictures: Tensor) -> None:
        """Least squares from normalised latents (positions, C) to the mean colours of their patches."""
        colours = F.avg_pool2d(pictures.cpu().double(), PATCH).permute(0, 2, 3, 1).reshape(-1, 3)
        design = torch.cat([latents, torch.ones_like(latents[:, :1])], dim=1)
        gram = design.T @ design
        # A touch of ridge, so that a channel that never varies leaves the equations solvable.
        gram.diagonal().add_(1e-6 * len(design))
        solution = torch.linalg.solve(gram, design.T @ colours)
        self.preview_matrix.copy_(solution[:-1].T)
        self.preview_bias.copy_(solution[-1])


def _per_channel(values: Tensor) -> Tensor:
    return values.view(1, -1, 1, 1)
