"""Small models whose residual branches say something, and pictures of coloured shapes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from triptych.autoencoders.fsq import Tokenizer
from triptych.autoencoders.kl import Autoencoder, AutoencoderConfig

SMALL = AutoencoderConfig(latent_channels=8, widths=(8, 16), encoder_blocks=(1, 1), decoder_blocks=(1, 2))


def shapes(count: int, height: int = 64, width: int = 64, seed: int = 0) -> Tensor:
    """(count, 3, height, width) in [-1, 1]: a gradient, a rectangle and a disc in random colours."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.linspace(0, 1, height)[:, None].expand(height, width)
    columns = torch.linspace(0, 1, width)[None, :].expand(height, width)
    pictures = []
    for _ in range(count):
        sky, ground, box, disc = torch.rand(4, 3, 1, 1, generator=generator) * 2 - 1
        y, x, v, u = (0.1 + 0.6 * torch.rand(4, generator=generator)).tolist()
        picture = sky * (1 - rows) + ground * rows
        inside = (rows > y) & (rows < y + 0.2) & (columns > x) & (columns < x + 0.25)
        picture = torch.where(inside, box, picture)
        pictures.append(torch.where((rows - v) ** 2 + (columns - u) ** 2 < 0.02, disc, picture))
    return torch.stack(pictures)


@torch.no_grad()
def wake(model: Autoencoder | Tokenizer) -> None:
    """Fill the weights that begin at zero, so that every layer takes part in what is tested."""
    generator = torch.Generator().manual_seed(7)
    for parameter in model.parameters():
        if not parameter.any():
            fan_in = max(parameter[0].numel(), 1)
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / fan_in**0.5)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine make small convolutions a hundred times slower."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pictures() -> Tensor:
    return shapes(12)


@pytest.fixture
def autoencoder(pictures: Tensor) -> Autoencoder:
    torch.manual_seed(0)
    model = Autoencoder(SMALL)
    model.init_from_pca(pictures)
    wake(model)
    model.fit_normalisation(pictures)
    return model.eval()


@pytest.fixture
def tokenizer(autoencoder: Autoencoder) -> Tokenizer:
    model = Tokenizer.from_autoencoder(autoencoder)
    wake(model)
    return model.eval()
