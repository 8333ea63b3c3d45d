"""Round trips: pictures through the autoencoder or the tokenizer and back, as what models paint has come.

With `harm` the latents are noised and a few codes replaced, as a model that paints does not hit them exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from triptych.autoencoders import fsq, kl
from triptych.evals.readers.crops import as_tensor

ByteImage = npt.NDArray[np.uint8]

WAYS = ("autoencoder", "tokenizer")
_LATENT_NOISE = 0.35
_WRONG_CODES = 0.03
_HARMED_SHARE = 0.6


@dataclass(frozen=True)
class Trips:
    """The two ways, with shipped weights. fast: in bf16 arithmetic, for training data."""

    autoencoder: kl.Autoencoder
    tokenizer: fsq.Tokenizer
    fast: bool = False

    @torch.inference_mode()
    def both(self, pixels: ByteImage, harm: np.random.Generator | None = None) -> ByteImage:
        """Pictures (n, H, W, 3) uint8 -> (n, 2, H, W, 3) in the order of `WAYS`."""
        device = next(self.autoencoder.parameters()).device
        x = as_tensor(pixels).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.fast):
            latents, codes = self.autoencoder.encode(x), self.tokenizer.encode(x)
            if harm is not None:
                latents, codes = _noised(latents, harm), _mistaken(codes, self.tokenizer, harm)
            first, second = self.autoencoder.decode(latents), self.tokenizer.decode(codes)
        return np.stack([_as_bytes(first), _as_bytes(second)], axis=1)


def _amounts(count: int, most: float, harm: np.random.Generator) -> npt.NDArray[np.float32]:
    return (most * harm.random(count) * (harm.random(count) < _HARMED_SHARE)).astype(np.float32)


def _noised(latents: Tensor, harm: np.random.Generator) -> Tensor:
    amounts = torch.from_numpy(_amounts(len(latents), _LATENT_NOISE, harm)).to(latents.device)
    noise = torch.from_numpy(harm.standard_normal(tuple(latents.shape), dtype=np.float32)).to(latents.device)
    return latents + amounts[:, None, None, None] * noise


def _mistaken(codes: Tensor, tokenizer: fsq.Tokenizer, harm: np.random.Generator) -> Tensor:
    shares = _amounts(len(codes), _WRONG_CODES, harm)
    wrong = harm.random(tuple(codes.shape)) < shares[:, None, None]
    other = harm.integers(0, tokenizer.quantizer.size, tuple(codes.shape))
    return torch.where(torch.from_numpy(wrong).to(codes.device), torch.from_numpy(other).to(codes.device), codes)


def _as_bytes(pictures: Tensor) -> ByteImage:
    """(n, 3, H, W) about [-1, 1] -> uint8 (n, H, W, 3)."""
    scaled = ((pictures.float().clamp(-1, 1) + 1) * 127.5).round()
    return scaled.byte().permute(0, 2, 3, 1).contiguous().cpu().numpy()
